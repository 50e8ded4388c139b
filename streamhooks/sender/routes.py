"""Connections by route: one pool for each way of connecting, because a pooled connection is never checked again.

A pool belongs to one policy, one proxy and one TLS configuration. No limit of aiohttp's own is in force: it would let
a hanging endpoint starve the others; slots are the worker's.
"""

import ssl

import aiohttp
from msgspec import Struct

from streamhooks.delivery.targets import Policy
from streamhooks.handlers.handler import Route, Tls
from streamhooks.secret import revealed
from streamhooks.sender.guard import guarded

KEEP_ALIVE = 4.0
"""Seconds an idle connection is kept: below the 5 s after which common servers close theirs in our face."""
DNS_TTL = 10
CONNECT_TIMEOUT = 5.0


class Unusable(Struct, frozen=True):
    """A route whose files cannot be used."""

    message: str


def tls_context(tls: Tls) -> ssl.SSLContext | Unusable:
    """TLS 1.2 at least; certificates and host names are checked unless the route says otherwise."""
    try:
        context = ssl.create_default_context(cafile=revealed(tls.ca_file) or None)
        if tls.cert_file:
            context.load_cert_chain(revealed(tls.cert_file), revealed(tls.key_file) or None)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return Unusable(f"the files of `tls` (ca_file, cert_file, key_file) cannot be used: {reason}")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Routes:
    """Sessions by route, opened when first used and closed together."""

    def __init__(self) -> None:
        self._sessions: dict[Route, aiohttp.ClientSession] = {}

    def session(self, route: Route) -> aiohttp.ClientSession | Unusable:
        """The session of a route; a route that cannot be used is tried again the next time it is asked for."""
        known = self._sessions.get(route)
        if known is not None:
            return known
        context = tls_context(route.tls)
        if isinstance(context, Unusable):
            return context
        session = _session(route, context)
        self._sessions[route] = session
        return session

    async def close(self) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()


def _session(route: Route, context: ssl.SSLContext) -> aiohttp.ClientSession:
    # Through a proxy this connector connects to nothing but the proxy, which the operator named and which is as a
    # rule on a private address; what the proxy may reach is the proxy's to guard.
    factory = None if route.proxy else guarded(Policy(route.allow_cidrs))
    connector = aiohttp.TCPConnector(
        socket_factory=factory,
        limit=0,
        ttl_dns_cache=DNS_TTL,
        keepalive_timeout=KEEP_ALIVE,
        ssl=context,
    )
    session = aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
    )
    # aiohttp sends PUT, DELETE and GET a second time when a kept connection drops: a delivery that nobody counted.
    # It has no public switch; tests/sender holds it to this one.
    session._retry_connection = False
    return session
