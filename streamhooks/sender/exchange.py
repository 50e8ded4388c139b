"""One HTTP/1.1 exchange on a connection that stands: what a delivery needs of a client, and no more.

aiohttp's ClientSession makes a request object, a body's task, a response object and two timers for every call, which
costs more than all else that a delivery does. So its connector, its TLS and its parser in C are driven here directly:
take a connection, write the bytes, read one message. What of aiohttp is stood on that its documentation does not
promise is in pool.py (`connect` of a TCPConnector, what it asks a ClientRequest, `close` of a Connection), in
protocol.py and here (`read` of its protocol). tests/sender/test_exchange.py says so, clearly, of a release that
changes them.

Laws: written once, never again. A connection is kept only when the request was written to it whole, the answer was
read from it whole, and nothing else has come; in every other case it is closed. The status line decides: once it and
the headers are read, a body that is cut, slow or endless changes nothing.
"""

from functools import lru_cache
from typing import TypeAlias

from aiohttp.streams import StreamReader
from msgspec import Struct
from multidict import CIMultiDictProxy

from streamhooks.errors import RequestError
from streamhooks.secret import Secret, revealed
from streamhooks.sender.deadlines import Deadlines
from streamhooks.sender.failures import EXPECTED
from streamhooks.sender.pool import Link

MAX_BODY = 64 * 1024
MAX_HEAD = 2 * 1024
"""Bytes of an answer's body that are read, and that are kept."""
_LENGTH_UNTOLD = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods for which no body means none, so that no `Content-Length: 0` is sent (RFC 9110, section 8.6)."""


class Answer(Struct, gc=False):
    """An answer whose status line and headers were read."""

    status: int
    headers: CIMultiDictProxy[str]
    head: bytes
    """The first bytes of its body."""


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


async def exchange(
    link: Link, head: bytes, body: bytes, *, bodiless: bool, deadlines: Deadlines, until: float
) -> Answer:
    """Writes a request and reads its answer; `bodiless`: that has no body (HEAD). Raises what aiohttp raises, and
    TimeoutError when the headers have not come by `until` on the monotonic clock.

    The link is kept or closed when this returns.
    """
    protocol = link.protocol
    whole = False
    deadlines.begin(protocol, until)
    try:
        protocol.ask(head, body, bodiless=bodiless)
        message, payload = await protocol.read()
        while 100 <= message.code < 200 and message.code != 101:  # interim ones (RFC 9110, section 15.2)
            message, payload = await protocol.read()
        first = b"" if payload.at_eof() else await _first_of(payload)
        whole = payload.is_eof() and protocol.rest()
        return Answer(message.code, message.headers, first)
    finally:
        deadlines.end(protocol)
        if whole:
            link.keep()
        else:
            link.close()


async def _first_of(payload: StreamReader) -> bytes:
    """Reads a body, not further than need be, and gives its first bytes, also where it breaks off."""
    first = bytearray()
    size = 0
    try:
        while size < MAX_BODY and (chunk := await payload.readany()):
            size += len(chunk)
            first += chunk[: MAX_HEAD - len(first)]
    except EXPECTED:
        pass
    return bytes(first)
