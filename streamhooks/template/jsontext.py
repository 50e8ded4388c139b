r"""Values as JSON text, the way Go's encoding/json writes them: sorted keys, 1.0 as 1, exponents from 1e21.

Strings are escaped no more than JSON asks for; `escape_html` adds what json.Marshal escapes by default (< > & U+2028
U+2029).
"""

from base64 import b64encode
from json.encoder import encode_basestring
from math import isfinite

from streamhooks.template.floats import json_number, special
from streamhooks.template.gotime import RFC3339_NANO, Time
from streamhooks.template.values import INT64_MIN, MISSING, UINT64_MAX

_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_HALF = dict.fromkeys(range(55296, 57344), "�")


class NotJsonError(ValueError):
    """A value that JSON cannot hold; the text is Go's."""


def json_string(text: str, escape_html: bool = False) -> str:
    """A string with its quotes. What is no UTF-8 becomes U+FFFD."""
    quoted = encode_basestring(text)
    if quoted.isascii() and not escape_html:
        return quoted
    if not quoted.isprintable():  # half surrogates are not, nor much else that is rare
        quoted = quoted.translate(_HALF)
    return quoted.translate(_ESCAPED) if escape_html else quoted


def json_text(value: object, escape_html: bool = False) -> str:
    """The value as one line of JSON. Raises NotJsonError for NaN, infinities and types that JSON does not have."""
    pieces: list[str] = []
    _write(value, escape_html, pieces)
    return "".join(pieces)


def _write(value: object, escape_html: bool, out: list[str]) -> None:
    match value:
        case str():
            out.append(json_string(value, escape_html))
        case dict():
            separator = "{"
            for key in sorted(value):
                out.append(f"{separator}{json_string(key, escape_html)}:")
                _write(value[key], escape_html, out)
                separator = ","
            out.append("{}" if separator == "{" else "}")
        case list():
            separator = "["
            for item in value:
                out.append(separator)
                _write(item, escape_html, out)
                separator = ","
            out.append("[]" if separator == "[" else "]")
        case _:
            out.append(_scalar(value))


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


def indented(text: str, prefix: str = "", step: str = "  ") -> str:
    """JSON text of one line laid out over several, as Go's MarshalIndent does."""
    out: list[str] = []
    depth, in_string, escaped = 0, False, False
    for at, char in enumerate(text):
        if in_string:
            out.append(char)
            in_string = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char in "{[":
            depth += 1
            out.append(char if text[at + 1] in "}]" else f"{char}\n{prefix}{step * depth}")
        elif char in "}]":
            depth -= 1
            out.append(char if text[at - 1] in "{[" else f"\n{prefix}{step * depth}{char}")
        elif char == ",":
            out.append(f",\n{prefix}{step * depth}")
        elif char == ":":
            out.append(": ")
        else:
            out.append(char)
            in_string = char == '"'
    return "".join(out)
