"""Connections by route: one pool for each way of connecting, because a pooled connection is never checked again.

A pool belongs to one policy, one proxy and one TLS configuration; in a pool a connection belongs to the TLS context
that it was opened with, so that renewed files are never answered by an old connection. No limit of aiohttp's own is in
force: it would let a hanging endpoint starve the others; slots are the worker's.
"""

import ssl

import aiohttp
from aiohttp import SocketFactoryType
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from yarl import URL

from streamhooks.delivery.targets import Policy
from streamhooks.handlers.handler import Route
from streamhooks.sender.deadlines import Deadlines
from streamhooks.sender.descriptors import plain, sparing
from streamhooks.sender.guard import AllowedAnswers, Guard
from streamhooks.sender.pool import Pool
from streamhooks.sender.protocol import exchanging
from streamhooks.sender.tls import Contexts, Unusable, files_of

DNS_TTL = 10


class Way(Struct, frozen=True):
    """What a request is sent with."""

    pool: Pool
    context: ssl.SSLContext
    lasts: bool
    """Nothing that it was made of can change: there are no files."""


class Routes:
    """Pools by route, opened when first used and closed together.

    `resolver` stays its owner's to close; without one aiohttp's own is used.
    """

    def __init__(
        self, guard: Guard, resolver: AbstractResolver | None, contexts: Contexts, deadlines: Deadlines
    ) -> None:
        self._guard = guard
        self._resolver = resolver
        self._own_resolver: AbstractResolver | None = None
        self._contexts = contexts
        self._deadlines = deadlines
        self._pools: dict[Route, Pool] = {}
        self._ways: dict[Route, Way] = {}

    def way(self, route: Route) -> Way | Unusable:
        """How to send by a route; one that cannot be used is tried again a little later."""
        way = self._ways.get(route)
        if way is not None and way.lasts:
            return way
        context = self._contexts.of(route.tls)
        if isinstance(context, Unusable):
            return context
        if way is None or way.context is not context:
            pool = self._pools.get(route)
            if pool is None:
                proxy = URL(route.proxy.reveal()) if route.proxy else None
                pool = self._pools[route] = Pool(self._connector(route), proxy, self._deadlines)
            way = self._ways[route] = Way(pool, context, lasts=not files_of(route.tls))
        return way

    async def close(self) -> None:
        pools, self._pools, self._ways = self._pools, {}, {}
        for pool in pools.values():
            await pool.close()
        if self._own_resolver is not None:
            await self._own_resolver.close()

    def _connector(self, route: Route) -> aiohttp.TCPConnector:
        resolver = self._resolver
        if resolver is None:
            resolver = self._own_resolver = self._own_resolver or aiohttp.DefaultResolver()
        factory: SocketFactoryType = plain
        # Through a proxy this connector connects to nothing but the proxy, which the operator named and which is as a
        # rule on a private address; what the proxy may reach is the proxy's to guard.
        if not route.proxy:
            policy = Policy(route.allow_cidrs)
            resolver, factory = AllowedAnswers(resolver, policy), self._guard(policy)
        connector = aiohttp.TCPConnector(
            socket_factory=sparing(factory),
            resolver=resolver,
            limit=0,
            ttl_dns_cache=DNS_TTL,
        )
        exchanging(connector)
        return connector
