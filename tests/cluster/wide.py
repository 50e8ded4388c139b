"""A cluster as tests of one server use one: with pipelines, scans, and commands that have no key."""

from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from streamhooks.store.cluster import Cluster
from tests.faults.server import Server

WITHOUT_KEY = frozenset({"CLIENT", "CONFIG", "INFO", "PING", "TIME", "ACL", "SCRIPT"})


class Wide(Cluster):
    """Single commands go where their key is, as in Cluster. Those without one, and pipelines, go to the one node that
    the tests are about; scans and FLUSHALL go to all.
    """

    @classmethod
    def of(cls, cluster: Redis, home: Server) -> "Wide":
        """The same cluster as this client knows it, seen from one of its nodes."""
        assert isinstance(cluster, Cluster)
        wide = cls(cluster.topology, cluster._open_node)
        wide.home = home.client()
        return wide

    home: Redis

    async def execute_command(self, *words: Any, **options: Any) -> Any:
        name = str(words[0]).split(" ", maxsplit=1)[0]
        if name in WITHOUT_KEY:
            return await self.home.execute_command(*words, **options)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        if name == "FLUSHALL":
            for node in await self.servers():
                await node.flushall()
            return True
        return await super().execute_command(*words, **options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return self.home.pipeline(transaction, shard_hint)

    async def scan_iter(self, *given: Any, **options: Any) -> AsyncIterator[Any]:  # type: ignore[override]  # redis-py's own is one for both worlds
        for node in await self.servers():
            async for name in node.scan_iter(*given, **options):
                yield name

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await self.home.aclose(close_connection_pool)
        await super().aclose(close_connection_pool)
