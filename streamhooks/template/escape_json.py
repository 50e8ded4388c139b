r"""json mode: a value inside a JSON string is escaped for it, anywhere else it becomes a JSON value of its own.

The static text is followed just far enough to know whether an action stands inside a string; the rendered body as a
whole is checked when it is whole. Inside a string, null and missing keys are empty. Outside, strings get their
quotes, null and missing keys are `null`, lists and maps are JSON; what toJson, jsonMarshal and `printf "%q"` made is
JSON already.
"""

import re
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import ClassVar

import msgspec

from streamhooks.errors import TemplateError
from streamhooks.template.contextual import Machine, RefusedError, State, followed_by
from streamhooks.template.functions.calling import Value
from streamhooks.template.jsontext import NotJsonError, json_string, json_text
from streamhooks.template.limits import exceeded
from streamhooks.template.literals import unquote
from streamhooks.template.nodes import Action, Command, Identifier, Pipeline, Statement, String, Text
from streamhooks.template.values import INT64_MIN, MISSING, UINT64_MAX, Raw, display

BARE, STRING, ESCAPE = "bare", "string", "escape"
_STRING_PART = re.compile(r'[^"\\]*')
_DECODER = msgspec.json.Decoder(msgspec.Raw)


def in_string(value: Value) -> str:
    """A value inside a JSON string: what Go prints, escaped; empty for nothing."""
    if value.__class__ is str:
        return encode_basestring(value)[1:-1]
    if value is None or value is MISSING:
        return ""
    return encode_basestring(display(value))[1:-1]


def whole(value: Value) -> str:
    """A value that is all of a JSON string, with its quotes."""
    if value.__class__ is str:
        return encode_basestring(value)
    return f'"{in_string(value)}"'


def bare(value: Value) -> str:
    """A value where JSON expects one."""
    if value.__class__ is str:
        return json_string(value)
    if value.__class__ is int and INT64_MIN <= value <= UINT64_MAX:
        return str(value)
    if isinstance(value, Raw):
        return str(value)
    try:
        return json_text(value)
    except NotJsonError:
        return json_string(display(value)) if not isinstance(value, float) else "null"


def quoted(text: str) -> str:
    r"""What `printf "%q"` or quote made, as a JSON string: Go's own escapes \x00 and \a are none of JSON's."""
    try:
        return json_string(unquote(text))
    except (ValueError, IndexError):
        return json_string(text)


ESCAPERS: dict[str, Callable[..., str]] = {
    "_json_string": in_string,
    "_json_whole": whole,
    "_json_value": bare,
    "_json_quoted": quoted,
}


class JsonMachine(Machine):
    r"""States: outside strings, in a string, after a backslash, in the digits of \u."""

    mode: ClassVar[str] = "json"
    start: ClassVar[State] = BARE

    def text(self, text: str, state: State) -> tuple[str, State]:
        at = 0
        while at < len(text):
            if state == BARE:
                opening = text.find('"', at)
                if opening < 0:
                    break
                at, state = opening + 1, STRING
            elif state == STRING:
                found = _STRING_PART.match(text, at)
                at = found.end() if found else at
                if at < len(text):
                    state = BARE if text[at] == '"' else ESCAPE
                    at += 1
            elif state == ESCAPE:
                state = "unicode4" if text[at] == "u" else STRING
                at += 1
            else:
                left = int(str(state)[-1]) - 1
                state = f"unicode{left}" if left else STRING
                at += 1
        return text, state

    def escaped(self, pipeline: Pipeline, state: State) -> Pipeline:
        if state == BARE:
            return followed_by(pipeline, "_json_quoted" if _is_quoting(pipeline) else "_json_value")
        if state == STRING:
            return followed_by(pipeline, "_json_string")
        raise RefusedError(
            f"an action stands {self.words(state)}, where its value would become part of the escape",
            'Write the backslash as "\\\\", or put a character between.',
        )

    def polished(self, nodes: list[Statement]) -> list[Statement]:
        """`"{{.x}}"`: the quotes of the text become the escaper's, which has them anyway."""
        made = list(nodes)
        for at in range(1, len(made) - 1):
            before, action, after = made[at - 1 : at + 2]
            if not isinstance(before, Text) or not isinstance(action, Action) or not isinstance(after, Text):
                continue
            last = action.pipeline.commands[-1]
            if str(last) != "_json_string" or not after.text.startswith('"'):
                continue
            if before.text.endswith('"') and not before.text.endswith('\\"'):
                first = action.pipeline
                stages = (*first.commands[:-1], Command(last.pos, (Identifier(last.pos, "_json_whole"),)))
                made[at - 1] = Text(before.pos, before.text[:-1])
                made[at] = Action(action.pos, Pipeline(first.pos, (), False, stages))
                made[at + 1] = Text(after.pos, after.text[1:])
        return made

    def at_end(self, state: State) -> None:
        if state != BARE:
            raise RefusedError("the text ends inside a JSON string", 'Close the string with a `"`.')

    def words(self, state: State) -> str:
        return {BARE: "outside strings", STRING: "inside a string", ESCAPE: "after a backslash"}.get(
            str(state), "inside a \\u escape"
        )


def _is_quoting(pipeline: Pipeline) -> bool:
    r"""Whether its last stage is exactly `printf "%q"`, or `quote` of one value."""
    args = pipeline.commands[-1].args
    if not isinstance(args[0], Identifier):
        return False
    if args[0].name == "quote":
        return len(args) - 1 + (len(pipeline.commands) > 1) == 1
    return args[0].name == "printf" and len(args) > 1 and isinstance(args[1], String) and args[1].value == "%q"


def check(name: str, body: str | bytes) -> None:
    """Raises TemplateError (kind "json") where a rendered body is no JSON."""
    try:
        _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise _no_json(name, body.encode() if isinstance(body, str) else body, str(error)) from None
    except RecursionError:
        raise exceeded(
            f"template: {name}: the rendered body is JSON that is nested too deeply", "Let it have fewer levels."
        ) from None


def _no_json(name: str, body: bytes, detail: str) -> TemplateError:
    found = re.search(r"byte (\d+)", detail)
    near = ""
    if found:
        at = int(found.group(1))
        near = f", near {json_string(body[max(0, at - 20) : at + 20].decode('utf-8', 'replace'))}"
    return TemplateError(
        "json",
        f"template: {name}: the rendered body is no JSON: {detail}{near}\n"
        'Look for a missing comma or quote beside an action; with "escape: text" the body is sent as it is.',
    )
