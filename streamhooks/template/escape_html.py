"""html mode: what html/template makes of a webhook body, byte for byte, where that is plain text.

Tyk renders its webhooks with html/template, whatever their format. In text that means: values are HTML-escaped, a
`<` of the static text that opens nothing becomes `&lt;`, comments vanish, null and missing keys are empty, and
`html` as the last stage stands in for the escaper. Static tags are followed, and values in plain attributes escaped
for their quotes. Where html/template would escape for JavaScript, CSS, URLs or names, the template is refused: half
an escaper would be worse than none.
"""

import re
from collections.abc import Callable
from typing import ClassVar

from streamhooks.errors import TemplateError
from streamhooks.template.contextual import Machine, RefusedError, State, followed_by
from streamhooks.template.escape_plain import printed
from streamhooks.template.functions.calling import Value
from streamhooks.template.functions.textual import escape_html
from streamhooks.template.literals import quote
from streamhooks.template.nodes import Call, Command, Identifier, Pipeline, Tree
from streamhooks.template.printf import sprint

HTML = "_html_template_htmlescaper"
UNQUOTED = "_html_template_nospaceescaper"
EVALUATED = "_eval_args_"
NOTHING = "_html_template_commentescaper"
TEXT, COMMENT, TAG = "text", "comment", "tag"
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*(?:[:-][a-zA-Z0-9]+)*)")
_SPACE = re.compile(r"[ \t\n\f\r]*")
_ATTRIBUTE = re.compile(r"([^ \t\n\f\r\"'<>=`/]+)[ \t\n\f\r]*(=[ \t\n\f\r]*)?")
_RAW_ELEMENTS = frozenset(
    ("script", "style", "textarea", "title", "template", "iframe", "noscript", "xmp", "plaintext"),
)
"""Elements whose content html/template, or a browser, reads in a way of its own."""
_SPECIAL_ATTRIBUTES = frozenset(
    (
        *("action", "archive", "background", "cite", "classid", "codebase", "content", "data", "formaction", "href"),
        *("http-equiv", "icon", "imagesrcset", "longdesc", "manifest", "ping", "poster", "profile", "src", "srcdoc"),
        *("srcset", "style", "type", "usemap", "value", "xmlns"),
    )
)
"""Attributes whose values html/template reads as URLs, scripts, styles or markup, beside those of _is_plain."""
_OPEN_COMMENT = "{stateHTMLCmt delimNone urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}"
"""How html/template prints the state inside a comment."""
_PREDEFINED = frozenset({"html", "urlquery"})
_UNQUOTED = str.maketrans(
    {
        "\0": "&#xfffd;",
        "\t": "&#9;",
        "\n": "&#10;",
        "\v": "&#11;",
        "\f": "&#12;",
        "\r": "&#13;",
        " ": "&#32;",
        '"': "&#34;",
        "&": "&amp;",
        "'": "&#39;",
        "+": "&#43;",
        "<": "&lt;",
        "=": "&#61;",
        ">": "&gt;",
        "`": "&#96;",
    }
)
_INSTEAD = "Use escape json, xml or text; html mode is for bodies that are plain text to an HTML parser."


def html_value(value: Value) -> str:
    """A value in HTML text or a quoted attribute."""
    return html_text(value if value.__class__ is str else printed(value))


def html_text(text: str) -> str:
    """Text in HTML text or a quoted attribute."""
    if "&" in text or "<" in text or ">" in text or '"' in text or "'" in text or "\0" in text:
        text = escape_html(text)
    return text.replace("+", "&#43;") if "+" in text else text


def unquoted_value(value: Value) -> str:
    """A value in an attribute without quotes; an empty one would swallow what follows."""
    return printed(value).translate(_UNQUOTED) or "ZgotmplZ"


def no_value(value: Value) -> str:
    """A value in a comment, which is left out."""
    del value
    return ""


def evaluated(*values: object) -> str:
    """The arguments of `{{html a b}}` as one string, before html itself sees it."""
    return values[0] if len(values) == 1 and isinstance(values[0], str) else sprint(values)


ESCAPERS: dict[str, Callable[..., str]] = {
    EVALUATED: evaluated,
    HTML: html_value,
    UNQUOTED: unquoted_value,
    NOTHING: no_value,
}


class HtmlMachine(Machine):
    """States: text, a comment, between the attributes of a tag, and (quote, attribute name) inside a value."""

    mode: ClassVar[str] = "html"
    start: ClassVar[State] = TEXT

    def text(self, text: str, state: State) -> tuple[str, State]:
        out: list[str] = []
        at = 0
        while at < len(text):
            if state == TEXT:
                at, state = _in_text(text, at, out)
            elif state == COMMENT:
                end = text.find("-->", at)
                at, state = (len(text), COMMENT) if end < 0 else (end + 3, TEXT)
            elif state == TAG:
                at, state = _in_tag(text, at, out)
            else:
                at, state = _in_attribute(text, at, out, state)
        return "".join(out), state

    def escaped(self, pipeline: Pipeline, state: State) -> Pipeline:
        in_unquoted = isinstance(state, tuple) and not state[0]
        last = pipeline.commands[-1].args[0]
        for command in pipeline.commands:
            first = command.args[0]
            if not isinstance(first, Identifier) or first.name not in _PREDEFINED:
                continue
            if first is not last or (in_unquoted and first.name == "html"):
                raise RefusedError(f"predefined escaper {quote(first.name)} disallowed in template", "Put it last.")
        if state == COMMENT:
            return followed_by(pipeline, NOTHING)
        if state == TAG:
            raise RefusedError("an action inside a tag would be a name of an element or attribute", _INSTEAD)
        if isinstance(state, tuple) and not _is_plain(state[1]):
            raise RefusedError(
                f"html mode would treat the attribute {state[1]} as a URL, a script or a style", _INSTEAD
            )
        if isinstance(last, Identifier) and last.name in _PREDEFINED:
            pipeline = _with_predefined(pipeline, last.name)
            if last.name == "html":
                return pipeline
        return followed_by(pipeline, UNQUOTED if in_unquoted else HTML)

    def at_end(self, state: State) -> None:
        if state == COMMENT:
            raise RefusedError(
                f"ends in a non-text context: {_OPEN_COMMENT}",
                "Close the comment with `-->`.",
            )
        if state != TEXT:
            raise RefusedError(f"the text ends {self.words(state)}", "Close the tag.")

    def words(self, state: State) -> str:
        return {TEXT: "in text", COMMENT: "in a comment", TAG: "inside a tag"}.get(str(state), "in an attribute")

    def fault(self, tree: Tree, pos: int, refusal: RefusedError) -> TemplateError:
        place = tree.parse_name if refusal.message.startswith("ends in") else tree.place(pos)
        return TemplateError("escape", f"html/template:{place}: {refusal.message}\n{refusal.way_out}")

    def no_such_template(self, tree: Tree, node: Call) -> TemplateError | None:
        return self.fault(
            tree, node.pos, RefusedError(f"no such template {quote(node.name)}", "Define it, or take out the call.")
        )


def _in_text(text: str, at: int, out: list[str]) -> tuple[int, State]:
    """From text to the comment or tag that the next `<` opens; one that opens nothing becomes `&lt;`."""
    less = text.find("<", at)
    if less < 0:
        out.append(text[at:])
        return len(text), TEXT
    out.append(text[at:less])
    if text.startswith("<!--", less):
        return less + 4, COMMENT
    tag = _TAG.match(text, less)
    if tag:
        if tag.group(1).lower() in _RAW_ELEMENTS:
            raise RefusedError(
                f"html mode would treat what follows {tag.group()} as HTML with rules of its own", _INSTEAD
            )
        out.append(tag.group())
        return tag.end(), TAG
    out.append("<" if text[less : less + 9].upper() == "<!DOCTYPE" else "&lt;")
    return less + 1, TEXT


def _in_tag(text: str, at: int, out: list[str]) -> tuple[int, State]:
    """Between attributes: the end of the tag, or the next attribute up to its value."""
    found = _SPACE.match(text, at)
    start, at = at, found.end() if found else at
    if at == len(text) or text[at] in ">/":
        out.append(text[start : at + 1])
        return at + 1, TEXT if text[at : at + 1] == ">" else TAG
    attribute = _ATTRIBUTE.match(text, at)
    if not attribute:
        raise RefusedError(f"expected space, attr name, or end of tag, but got {quote(text[at:])}", _INSTEAD)
    out.append(text[start : attribute.end()])
    at = attribute.end()
    if not attribute.group(2):
        return at, TAG
    mark = text[at : at + 1]
    if mark and mark in "\"'":
        out.append(mark)
        return at + 1, (mark, attribute.group(1).lower())
    return at, ("", attribute.group(1).lower())


def _in_attribute(text: str, at: int, out: list[str], state: State) -> tuple[int, State]:
    """Up to the end of a value."""
    mark = state[0] if isinstance(state, tuple) else ""
    if mark:
        end = text.find(mark, at)
        stop = len(text) if end < 0 else end + 1
        out.append(text[at:stop])
        return stop, state if end < 0 else TAG
    found = re.compile(r"[^ \t\n\f\r>]*").match(text, at)
    stop = found.end() if found else at
    if set(text[at:stop]) & set("\"'<=`"):
        bad = next(char for char in text[at:stop] if char in "\"'<=`")
        raise RefusedError(f"{quote(bad)} in unquoted attr: {quote(text[at:stop])}", _INSTEAD)
    out.append(text[at:stop])
    return stop, state if stop == len(text) else TAG


def _with_predefined(pipeline: Pipeline, name: str) -> Pipeline:
    """A pipeline that ends in html or urlquery, as html/template rewrites it.

    Alone with its arguments, the function gets them joined. A html that something is piped into takes the place of
    the escaper, which has no arguments: its own are dropped.
    """
    *before, last = pipeline.commands
    alone = not before and len(last.args) > 1
    if alone:
        evaluation = Command(last.pos, (Identifier(last.args[0].pos, EVALUATED), *last.args[1:]))
        return followed_by(Pipeline(pipeline.pos, (), False, (evaluation,)), name)
    if name == "html" and before:
        return followed_by(Pipeline(pipeline.pos, (), False, tuple(before)), name)
    return pipeline


def _is_plain(name: object) -> bool:
    """Whether html/template escapes the values of this attribute as text."""
    word = str(name).removeprefix("data-")
    return not (
        word in _SPECIAL_ATTRIBUTES
        or ":" in word
        or word.startswith("on")
        or any(part in word for part in ("src", "uri", "url"))
    )
