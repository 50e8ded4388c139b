r"""html, js and urlquery of text/template, and the percent-encodings that rest on them.

These are the functions that a template calls by name; what escape modes do is in the escape files.
"""

import re
from urllib.parse import quote_from_bytes, quote_plus

from streamhooks.template.literals import escapes, to_bytes
from streamhooks.template.printf import sprint
from streamhooks.template.values import MISSING

_JS_SPECIAL = re.compile(r"[\\'\"<>&=\x00-\x1f\x7f-\U0010ffff]")
_JS_NAMED = {"\\": r"\\", "'": r"\'", '"': r"\""}


def joined(values: tuple[object, ...]) -> str:
    """The arguments of html, js or urlquery as one string; null and missing are `<no value>` here."""
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return sprint(["<no value>" if value is None or value is MISSING else value for value in values])


def html(*values: object) -> str:
    """Escape for HTML text and quoted attributes."""
    return escape_html(joined(values))


def escape_html(text: str) -> str:
    """Go's HTMLEscapeString: NUL becomes U+FFFD, a plus stays."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&#34;")
    if "'" in text:
        text = text.replace("'", "&#39;")
    return text.replace("\0", "\ufffd") if "\0" in text else text


def js(*values: object) -> str:
    r"""Escape for a JavaScript string; not for JSON, where \' is invalid."""
    text = joined(values)
    return text.translate(_JS) if _JS_SPECIAL.search(text) else text


def _js_escaped(char: str) -> str:
    if char in _JS_NAMED:
        return _JS_NAMED[char]
    code = ord(char)
    if char in "<>&=" or code < 0x20:
        return f"\\u{code:04X}"
    if code <= 0x7F or char.isprintable() or 0xDC80 <= code <= 0xDCFF:
        return char
    return f"\\u{code:04X}"


_JS = escapes(_js_escaped)


def urlquery(*values: object) -> str:
    """Escape for a query: a space becomes a plus."""
    return query_escape(joined(values))


def query_escape(text: str) -> str:
    """Go's QueryEscape."""
    return quote_plus(to_bytes(text), safe="~")


def percent_encode(text: str) -> str:
    """Escape for any place of a path or query: only letters, digits and `-._~` stay."""
    return quote_from_bytes(to_bytes(text), safe="~")
