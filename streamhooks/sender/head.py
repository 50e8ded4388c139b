"""The head of a request on the wire: its first line and its headers, as bytes."""

from functools import lru_cache
from typing import TypeAlias

from streamhooks.errors import RequestError
from streamhooks.secret import Secret, revealed

_LENGTH_UNTOLD = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods for which no body means none, so that no `Content-Length: 0` is sent (RFC 9110, section 8.6)."""

Lines: TypeAlias = tuple[tuple[str, str | Secret], ...]
"""Headers, by name."""


def head_of(method: str, preface: str, headers: Lines, body: bytes, added: Lines = ()) -> bytes:
    """Request line and headers, as bytes. Raises RequestError where a line break would make two headers of one."""
    if headers and headers[-1][0] == "webhook-id":  # what stands before it is the same for each event of a handler
        lines = _kept_text(headers[:-1]) + _line(*headers[-1])
    else:
        lines = _text(headers)
    if added:
        lines += _text(added)
    length = f"Content-Length: {len(body)}\r\n" if body or method not in _LENGTH_UNTOLD else ""
    return f"{method} {preface}{lines}{length}\r\n".encode()


def _text(headers: Lines) -> str:
    return "".join([_line(name, value) for name, value in headers])


_kept_text = lru_cache(maxsize=512)(_text)


def _line(name: str, value: str | Secret) -> str:
    text = f"{name}: {revealed(value)}"
    if "\n" in text or "\r" in text or "\0" in text:
        raise RequestError("request", "a header holds a line break: nothing is sent")
    return f"{text}\r\n"
