"""One HTTP/1.1 exchange on a connection that stands: what a delivery needs of a client, and no more.

aiohttp's ClientSession makes a request object, a body's task, a response object and two timers for every call, which
costs more than all else that a delivery does. So its connector is asked for connections, TLS and proxies, and what goes
over them is ours: write the bytes, read one answer. What of aiohttp is stood on that its documentation does not promise
is in pool.py (`connect` of a TCPConnector, what it asks a ClientRequest, `close` of a Connection) and in protocol.py
(its protocol, and where the connector takes it from). tests/sender/test_exchange.py says so, clearly, of a release that
changes them.

Laws: written once, never again. A connection is kept only when the request was written to it whole, the answer was
read from it whole, and nothing else has come; in every other case it is closed.
"""

from functools import lru_cache
from typing import TypeAlias

from streamhooks.errors import RequestError
from streamhooks.secret import Secret, revealed
from streamhooks.sender.answers import Answer
from streamhooks.sender.deadlines import Deadlines
from streamhooks.sender.pool import Link

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


async def exchange(
    link: Link, head: bytes, body: bytes, *, bodiless: bool, deadlines: Deadlines, until: float
) -> Answer:
    """Writes a request and reads its answer; `bodiless`: that has no body (HEAD). Raises what Exchanging.ask raises,
    and TimeoutError when the headers have not come by `until` on the monotonic clock.

    The link is kept or closed when this returns.
    """
    protocol = link.protocol
    deadlines.begin(protocol, until)
    try:
        return await protocol.ask(head, body, bodiless=bodiless)
    finally:
        deadlines.end(protocol)
        if protocol.whole:
            link.keep()
        else:
            link.close()
