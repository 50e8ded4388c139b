"""The connections of one route, kept by destination and TLS context.

aiohttp's connector opens them: addresses, the guard, TLS, proxies. Keeping them is ours, because asking its pool for
one that is there costs as much as writing the request: here that is a look at the end of a list.

Laws: a connection is kept only after an exchange that was whole. The one that was used last is used next, so that the
others grow old and are closed. One that was closed, or has said something, while it was kept is never used.
"""

import asyncio
import ssl
import time
from collections import deque
from functools import lru_cache

import aiohttp
from aiohttp.client_reqrep import ClientRequest, ConnectionKey
from aiohttp.connector import Connection
from msgspec import Struct
from yarl import URL

from streamhooks.sender.deadlines import Deadlines
from streamhooks.sender.protocol import Exchanging, Tell

CONNECT_TIMEOUT = 5.0
"""Seconds for one address, TLS included."""
KEEP_ALIVE = 4.0
"""Seconds an idle connection is kept: below the 5 s after which common servers close theirs in our face."""
MOST_DESTINATIONS = 1000

_LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)


class Target(Struct, frozen=True, gc=False):
    """What a URL comes to."""

    url: URL
    secure: bool
    line: str
    """Path and query, as they go on the wire."""
    host: str
    place: tuple[str, int, bool]
    """Where to connect to: host, port, and whether by TLS."""
    preface: str
    """What stands first in a request after its method: the rest of its first line, and the connection's headers."""


@lru_cache(maxsize=4096)
def target_of(text: str) -> Target | None:
    """The URL as it stands, nothing encoded anew; None where it is none that can be called."""
    try:
        url = URL(text, encoded=True)
        name, port = url.raw_host, url.port  # yarl reads the port when it is asked for
    except ValueError:
        return None
    if not port or url.scheme not in ("http", "https") or not name:
        return None
    if url.raw_fragment:
        url = url.with_fragment(None)
    secure, line, host = url.scheme == "https", url.raw_path_qs, url.host_port_subcomponent or ""
    return Target(url, secure, line, host, (name, port, secure), _preface(line, host))


def _preface(line: str, host: str) -> str:
    return f"{line} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n"


class Link:
    """One connection, in use or kept. Whoever asks by it says when that is over."""

    __slots__ = ("_connection", "_deadlines", "_pool", "destination", "kept_since", "protocol")

    def __init__(self, connection: Connection, protocol: Exchanging, destination: "_Destination", pool: "Pool") -> None:
        self.protocol = protocol
        self.destination = destination
        self._connection = connection
        self._pool = pool
        self._deadlines = pool.deadlines
        self.kept_since = 0.0

    @property
    def usable(self) -> bool:
        return self.protocol.transport is not None and not self.protocol.transport.is_closing()

    def ask(self, head: bytes, body: bytes, *, bodiless: bool, until: float, tell: Tell) -> None:
        """As Exchanging.ask has it; `tell` gets a TimeoutError when the headers have not come by `until` on the
        monotonic clock.
        """
        self._deadlines.begin(self, until)
        try:
            self.protocol.ask(head, body, bodiless=bodiless, tell=tell)
        except BaseException:
            self.over()
            raise

    def over(self) -> None:
        """What was asked is over, whatever came of it: from now on the connection is kept, or closed."""
        self._deadlines.end(self)
        if self.protocol.whole:
            self.kept_since = time.monotonic()
            self._pool.keep(self)
        else:
            self.close()

    def give_back(self) -> None:
        """Nothing was asked on it after all."""
        self.destination.kept.append(self)

    def fail(self, error: Exception) -> None:
        """As Exchanging.fail has it."""
        self.protocol.fail(error)

    def close(self) -> None:
        """Whoever has asked is told that it is lost."""
        self._connection.close()


class Pool:
    """The connections of one route."""

    def __init__(self, connector: aiohttp.TCPConnector, proxy: URL | None, deadlines: Deadlines) -> None:
        self._connector = connector
        self.deadlines = deadlines
        self.proxy = proxy
        known = aiohttp.BasicAuth.from_url(proxy) if proxy is not None else None
        self._credentials = f"Proxy-Authorization: {known.encode()}\r\n" if known else ""
        self._destinations: dict[tuple[tuple[str, int, bool], ssl.SSLContext], _Destination] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def kept(self, target: Target, context: ssl.SSLContext, now: float) -> Link | None:
        """A connection that stands already; `now` is monotonic."""
        destination = self._destinations.get((target.place, context))
        if destination is not None:
            while destination.kept:
                link = destination.kept.pop()
                if link.kept_since > now - KEEP_ALIVE and link.usable:
                    return link
                link.close()
        return None

    async def connect(self, target: Target, context: ssl.SSLContext) -> Link:
        """A new connection to where `target` leads. Raises what aiohttp raises."""
        destination = self._destination(target, context)
        connection = await self._connector.connect(destination.question, [], _LIMITS)
        protocol = connection.protocol
        if not isinstance(protocol, Exchanging):
            raise TypeError("a connection that is not of our making")
        return Link(connection, protocol, destination, self)

    def keep(self, link: Link) -> None:
        """It may be used again: an exchange on it was whole."""
        link.destination.kept.append(link)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(KEEP_ALIVE, self._sweep)

    def preface(self, target: Target) -> str:
        """What stands first in a request after its method."""
        if self.proxy is None or target.secure:
            return target.preface
        # RFC 9112, section 3.2.2: to a proxy the whole URL, and our credentials for it.
        return _preface(str(target.url), target.host) + self._credentials

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._forget()
        await self._connector.close()

    def _destination(self, target: Target, context: ssl.SSLContext) -> "_Destination":
        key = (target.place, context)
        destination = self._destinations.get(key)
        if destination is None:
            if len(self._destinations) >= MOST_DESTINATIONS:  # contexts that were renewed, hosts of handlers long gone
                self._forget()
            question = _Question("GET", target.url.origin(), ssl=context, proxy=self.proxy)
            destination = self._destinations[key] = _Destination(question)
        return destination

    def _sweep(self) -> None:
        """Closes what nobody has needed for KEEP_ALIVE seconds; again as long as something is kept."""
        young = time.monotonic() - KEEP_ALIVE
        kept = False
        for destination in self._destinations.values():
            while destination.kept and destination.kept[0].kept_since <= young:
                destination.kept.popleft().close()
            kept = kept or bool(destination.kept)
        loop = asyncio.get_running_loop()
        self._sweeping = loop.call_later(KEEP_ALIVE / 4, self._sweep) if kept else None

    def _forget(self) -> None:
        for destination in self._destinations.values():
            while destination.kept:
                destination.kept.pop().close()
        self._destinations.clear()


class _Destination:
    """How the connector is asked for a connection to one place, and what is kept of its answers, oldest first."""

    __slots__ = ("kept", "question")

    def __init__(self, question: "_Question") -> None:
        self.question = question
        self.kept: deque[Link] = deque()


class _Question(ClientRequest):
    """What the connector is asked with: where to, by which proxy, with which TLS. It is never sent itself."""

    _key: ConnectionKey | None = None

    @property
    def connection_key(self) -> ConnectionKey:
        """Made once: aiohttp makes it anew whenever it is asked."""
        if self._key is None:
            self._key = super().connection_key
        return self._key
