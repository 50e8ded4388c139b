r"""Values as JSON text, the way Go's encoding/json writes them: sorted keys, 1.0 as 1, exponents from 1e21.

Strings are escaped no more than JSON asks for; `escape_html` adds what json.Marshal escapes by default (< > & U+2028
U+2029).
"""

from base64 import b64encode
from json.encoder import encode_basestring
from math import isfinite

from streamhooks.template.floats import json_number, special
from streamhooks.template.gotime import RFC3339_NANO, Time
from streamhooks.template.limits import STRING_CHARS, exceeded
from streamhooks.template.values import INT64_MIN, MISSING, UINT64_MAX

_HALF = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


class NotJsonError(ValueError):
    """A value that JSON cannot hold; the text is Go's."""


def json_string(text: str, escape_html: bool = False) -> str:
    """A string with its quotes. What is no UTF-8 becomes U+FFFD."""
    quoted = encode_basestring(text)
    if not quoted.isascii():
        try:
            quoted.encode()
        except UnicodeEncodeError:
            quoted = quoted.translate(_HALF)
    return _without_html(quoted) if escape_html else quoted


def _without_html(quoted: str) -> str:
    if "<" in quoted:
        quoted = quoted.replace("<", "\\u003c")
    if ">" in quoted:
        quoted = quoted.replace(">", "\\u003e")
    if "&" in quoted:
        quoted = quoted.replace("&", "\\u0026")
    if quoted.isascii():
        return quoted
    return quoted.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def json_text(value: object, escape_html: bool = False) -> str:
    """The value as one line of JSON. Raises NotJsonError for NaN, infinities and types that JSON does not have."""
    cls = value.__class__
    if cls is int and INT64_MIN <= value <= UINT64_MAX:  # type: ignore[operator]  # its class is int
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, str):
        return json_string(value, escape_html)
    if isinstance(value, list):
        return f"[{','.join([json_text(item, escape_html) for item in value])}]"
    if isinstance(value, dict):
        members = [f"{json_string(key, escape_html)}:{json_text(value[key], escape_html)}" for key in sorted(value)]
        return f"{{{','.join(members)}}}"
    return _scalar(value)


class _Pieces(list[str]):
    """Text under way, no longer than a string may be."""

    length = 0

    def add(self, piece: str) -> None:
        self.append(piece)
        self.length += len(piece)
        if self.length > STRING_CHARS:
            raise exceeded(f"a string of more than {STRING_CHARS} characters", "Put less of the event into it.")


def json_pretty(value: object, escape_html: bool = False) -> str:
    """The value as JSON over several lines, each level two spaces to the right, as Go's MarshalIndent does.

    Raises NotJsonError; TemplateError (limit) where the spaces make more of it than a string may be.
    """
    out = _Pieces()
    _write_pretty(value, escape_html, "\n", out)
    return "".join(out)


def _write_pretty(value: object, escape_html: bool, newline: str, out: _Pieces) -> None:
    """`newline` begins the lines of the level that `value` stands on."""
    inner = newline + "  "
    if isinstance(value, dict) and value:
        for number, key in enumerate(sorted(value)):
            out.add(f"{',' if number else '{'}{inner}{json_string(key, escape_html)}: ")
            _write_pretty(value[key], escape_html, inner, out)
        out.add(newline + "}")
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            out.add(f"{',' if number else '['}{inner}")
            _write_pretty(item, escape_html, inner, out)
        out.add(newline + "]")
    else:
        out.add(json_text(value, escape_html))


def _scalar(value: object) -> str:
    if value is None or value is MISSING:
        return "null"
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value)) if INT64_MIN <= value <= UINT64_MAX else json_number(float(value))
        case float() if isfinite(value):
            return json_number(value)
        case float():
            raise NotJsonError(f"json: unsupported value: {special(value)}")
        case bytes():
            return json_string(b64encode(value).decode())
        case Time():
            return json_string(value.format(RFC3339_NANO))
        case _:
            pass
    raise NotJsonError(f"json: unsupported type: {type(value).__name__}")
