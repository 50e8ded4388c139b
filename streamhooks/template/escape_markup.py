"""xml mode: values in text and in quoted attributes are escaped; anywhere else they are refused.

The static text is followed by its markup: text, tags, attributes, comments, CDATA sections, processing instructions
and declarations. In the last four, and as a name, no escaping could keep a value in its place. Characters that XML
1.0 does not have (section 2.2) are dropped. What xmlMarshal made is markup already.
"""

import re
from collections.abc import Callable
from typing import ClassVar

from streamhooks.template.contextual import Machine, RefusedError, State, followed_by
from streamhooks.template.escape_plain import printed
from streamhooks.template.functions.calling import Value
from streamhooks.template.nodes import Pipeline
from streamhooks.template.values import Markup

TEXT, TAG, DOUBLE, SINGLE, COMMENT, CDATA, INSTRUCTION, DECLARATION = (
    "text",
    "tag",
    "double",
    "single",
    "comment",
    "cdata",
    "instruction",
    "declaration",
)
_OPENINGS = (("<!--", COMMENT), ("<![CDATA[", CDATA), ("<?", INSTRUCTION), ("<!", DECLARATION), ("<", TAG))
_ENDS = {COMMENT: "-->", CDATA: "]]>", INSTRUCTION: "?>", DECLARATION: ">", DOUBLE: '"', SINGLE: "'"}
_AFTER = {DOUBLE: TAG, SINGLE: TAG}
_WORDS = {
    TEXT: "in text",
    TAG: "inside a tag",
    DOUBLE: "in an attribute",
    SINGLE: "in an attribute",
    COMMENT: "in a comment",
    CDATA: "in a CDATA section",
    INSTRUCTION: "in a processing instruction",
    DECLARATION: "in a declaration",
}
_FORBIDDEN = re.compile("[^\t\n\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG_END = re.compile("[>\"']")


def xml_text(value: Value) -> str:
    """A value in text. A carriage return would be read as a newline."""
    if isinstance(value, Markup):
        return str(value)
    return _escaped(value).replace("\r", "&#13;")


def xml_attribute(value: Value) -> str:
    """A value in a quoted attribute, where white space would be read as a space (section 3.3.3)."""
    return _escaped(value).replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")


def _escaped(value: object) -> str:
    text = _FORBIDDEN.sub("", printed(value)).replace("&", "&amp;").replace("<", "&lt;")
    return text.replace(">", "&gt;").replace('"', "&quot;").replace("'", "&apos;")


ESCAPERS: dict[str, Callable[..., str]] = {"_xml_text": xml_text, "_xml_attribute": xml_attribute}


class XmlMachine(Machine):
    mode: ClassVar[str] = "xml"
    start: ClassVar[State] = TEXT

    def text(self, text: str, state: State) -> tuple[str, State]:
        at = 0
        while at < len(text):
            if state == TEXT:
                at, state = _opened(text, at)
            elif state == TAG:
                found = _TAG_END.search(text, at)
                if not found:
                    break
                at = found.end()
                state = {">": TEXT, '"': DOUBLE, "'": SINGLE}[found.group()]
            else:
                end = _ENDS[str(state)]
                found_at = text.find(end, at)
                if found_at < 0:
                    break
                at, state = found_at + len(end), _AFTER.get(str(state), TEXT)
        return text, state

    def escaped(self, pipeline: Pipeline, state: State) -> Pipeline:
        if state == TEXT:
            return followed_by(pipeline, "_xml_text")
        if state in (DOUBLE, SINGLE):
            return followed_by(pipeline, "_xml_attribute")
        raise RefusedError(
            f"an action stands {self.words(state)}, where no escaping can keep its value in its place",
            "Put it into an element's text or a quoted attribute.",
        )

    def at_end(self, state: State) -> None:
        if state != TEXT:
            raise RefusedError(f"the text ends {self.words(state)}", "Close it.")

    def words(self, state: State) -> str:
        return _WORDS[str(state)]


def _opened(text: str, at: int) -> tuple[int, State]:
    """From text to whatever the next `<` opens."""
    at = text.find("<", at)
    if at < 0:
        return len(text), TEXT
    for opening, state in _OPENINGS:
        if text.startswith(opening, at):
            return at + len(opening), state
    return len(text), TEXT
