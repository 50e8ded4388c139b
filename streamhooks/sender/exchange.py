"""One HTTP/1.1 exchange on a connection of aiohttp's pool: what a delivery needs of a client, and no more.

aiohttp's ClientSession makes a request object, a body's task, a response object and two timers for every call, which
costs more than all else that a delivery does. So its connector, its TLS and its parser in C are driven here directly:
take a connection, write the bytes, read one message. What of aiohttp is stood on that its documentation does not
promise is in this file and in protocol.py: `connect` of a TCPConnector, what it asks a ClientRequest, `release` and
`close` of a Connection, `read` of its protocol. tests/sender/test_exchange.py says so, clearly, of a release that
changes them.

Laws: written once, never again. A connection goes back to the pool only when the request was written to it whole, the
answer was read from it whole, and nothing else has come; in every other case it is closed. One that has said something
unasked while it waited in the pool is not used.
"""

import ssl
from functools import lru_cache

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest, ConnectionKey
from aiohttp.connector import Connection
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader
from msgspec import Struct
from multidict import CIMultiDictProxy
from yarl import URL

from streamhooks.errors import RequestError
from streamhooks.sender.protocol import BoundedHandler

CONNECT_TIMEOUT = 5.0
"""Seconds for one address, TLS included."""
WRITTEN_TOGETHER = 64 * 1024
"""Bytes of a body that go out with the head, in one call to the kernel."""
MOST_QUESTIONS = 1000

_LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
_LENGTH_UNTOLD = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods for which no body means none, so that no `Content-Length: 0` is sent (RFC 9110, section 8.6)."""


class Target(Struct, frozen=True, gc=False):
    """What a URL comes to."""

    url: URL
    secure: bool
    line: str
    """Path and query, as they go on the wire."""
    host: str


class Answer(Struct, gc=False):
    """An answer whose status line and headers were read."""

    status: int
    headers: CIMultiDictProxy[str]
    connection: Connection
    payload: StreamReader


@lru_cache(maxsize=4096)
def target_of(text: str) -> Target | None:
    """The URL as it stands, nothing encoded anew; None where it is none that can be called."""
    try:
        url = URL(text, encoded=True)
        port = url.port  # yarl reads it when it is asked for
    except ValueError:
        return None
    if not port or url.scheme not in ("http", "https") or not url.raw_host:
        return None
    if url.raw_fragment:
        url = url.with_fragment(None)
    return Target(url, url.scheme == "https", url.raw_path_qs, url.host_port_subcomponent or "")


class Pool:
    """The connections of one route, kept by destination and TLS context."""

    def __init__(self, connector: aiohttp.TCPConnector, proxy: URL | None) -> None:
        self._connector = connector
        self.proxy = proxy
        self._questions: dict[tuple[str, int | None, bool, ssl.SSLContext], _Question] = {}

    async def connect(self, target: Target, context: ssl.SSLContext) -> Connection:
        """A connection to where `target` leads, from the pool or a new one. Raises what aiohttp raises."""
        question = self._question(target, context)
        while True:
            connection = await self._connector.connect(question, [], _LIMITS)
            # What came while nobody had asked would be taken for the answer to the next request.
            if not (isinstance(connection.protocol, BoundedHandler) and connection.protocol.spoiled):
                return connection
            connection.close()

    def preface(self, target: Target, context: ssl.SSLContext) -> str:
        """What stands first in a request: the rest of its first line, and the headers that are the connection's."""
        if self.proxy is None or target.secure:
            return f"{target.line} HTTP/1.1\r\nHost: {target.host}\r\nAccept-Encoding: identity\r\n"
        # RFC 9112, section 3.2.2: to a proxy the whole URL. The connector has put our credentials for it here.
        known = self._question(target, context).headers.get("Proxy-Authorization")
        credentials = f"Proxy-Authorization: {known}\r\n" if known else ""
        return f"{target.url} HTTP/1.1\r\nHost: {target.host}\r\nAccept-Encoding: identity\r\n{credentials}"

    async def close(self) -> None:
        await self._connector.close()

    def _question(self, target: Target, context: ssl.SSLContext) -> "_Question":
        key = (target.url.raw_host or "", target.url.port, target.secure, context)
        question = self._questions.get(key)
        if question is None:
            if len(self._questions) >= MOST_QUESTIONS:  # contexts that were renewed, hosts of handlers that are gone
                self._questions.clear()
            origin = target.url.origin()
            question = self._questions[key] = _Question("GET", origin, ssl=context, proxy=self.proxy)
        return question


class _Question(ClientRequest):
    """What the connector is asked with: where to, by which proxy, with which TLS. It is never sent itself."""

    _key: ConnectionKey | None = None

    @property
    def connection_key(self) -> ConnectionKey:
        """Made once: aiohttp makes it anew whenever it is asked."""
        if self._key is None:
            self._key = super().connection_key
        return self._key


def head_of(method: str, preface: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """Request line and headers, as bytes. Raises RequestError where a line break would make two headers of one."""
    lines = [f"{method} {preface}", *(f"{name}: {value}\r\n" for name, value in headers)]
    if body or method not in _LENGTH_UNTOLD:
        lines.append(f"Content-Length: {len(body)}\r\n")
    lines.append("\r\n")
    text = "".join(lines)
    ends = preface.count("\n") + len(lines) - 1
    if text.count("\n") != ends or text.count("\r") != ends or "\0" in text:
        raise RequestError("request", "a header holds a line break: nothing is sent")
    return text.encode()


async def exchange(connection: Connection, head: bytes, body: bytes, *, bodiless: bool) -> Answer:
    """Writes a request and reads the head of its answer; `bodiless`: the answer has no body (HEAD).

    The connection is the caller's to `finish`. Raises what aiohttp raises.
    """
    protocol = connection.protocol
    if not isinstance(protocol, BoundedHandler):
        raise TypeError("a connection that is not of our making")
    if protocol.transport is None:
        raise aiohttp.ClientConnectionResetError("closed before anything was written")
    protocol.prepare(bodiless=bodiless)
    if len(body) <= WRITTEN_TOGETHER:
        protocol.transport.write(head + body)
    else:
        protocol.transport.writelines((head, body))
    message, payload = await _read(protocol)
    return Answer(message.code, message.headers, connection, payload)


async def _read(protocol: ResponseHandler) -> tuple[RawResponseMessage, StreamReader]:
    """The first message that is no interim one (RFC 9110, section 15.2)."""
    while True:
        message, payload = await protocol.read()
        if not 100 <= message.code < 200 or message.code == 101:
            return message, payload


def finish(answer: Answer) -> None:
    """Gives the connection back, or closes it."""
    connection = answer.connection
    protocol = connection.protocol
    transport = protocol.transport if protocol is not None else None
    if answer.payload.is_eof() and transport is not None and not transport.get_write_buffer_size():
        connection.release()  # which closes it where the protocol says so
    else:
        connection.close()
