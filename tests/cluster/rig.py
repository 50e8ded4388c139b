"""The rig of tests/flow over three partitions of a cluster, each on a node of its own.

What its tests say of one stream is said here of all of them: the account is the sum, and nothing may be left anywhere.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.partitioning import stream_of
from streamhooks.store.connection import ask, servers
from streamhooks.store.keys import partitions
from streamhooks.store.record import Record
from tests.cluster.local import LocalCluster
from tests.flow.rig import GROUP, STREAM, Config, Records, Rig, Word
from tests.servers import Endpoint

PARTITIONS = 3
PLACES = partitions(STREAM, PARTITIONS)
STREAMS = tuple(keys.stream for keys in PLACES)


def api_of(partition: int, type: str = "AuthFailure") -> str:
    """An API whose events of this type go into the partition."""
    apis = (f"api-{number}" for number in range(1000))
    return next(api for api in apis if stream_of(type, api, STREAMS) == STREAMS[partition])


class ClusterRig(Rig):
    """`redis` is a client of the whole cluster."""

    def __init__(self, redis: Redis, cluster: LocalCluster, base: Path, endpoint: Endpoint, records: Records) -> None:
        super().__init__(redis, cluster.url, base, endpoint, records)
        self.cluster = cluster

    def _configuration(self, *handlers: Config, **sections: Any) -> Config:
        stream = {"partitions": PARTITIONS} | sections.pop("stream", {})
        return super()._configuration(*handlers, stream=stream, **sections)

    async def add(self, fields: Mapping[str, Word], id: str = "*") -> str:
        words = [word for pair in fields.items() for word in pair]
        stream = stream_of(str(fields["type"]), str(fields.get("api_id", "")), STREAMS)
        answer: bytes = await ask(self.redis, "XADD", stream, id, *words)
        return answer.decode()

    async def publish_to(self, partition: int, key: str) -> str:
        """An event of one partition."""
        return await self.add({"type": "AuthFailure", "api_id": api_of(partition), "key": key})

    async def taken(self, partition: int, key: str) -> bool:
        """Whether Redis takes an event of the partition now."""
        try:
            await self.publish_to(partition, key)
        except StoreError:
            return False
        return True

    async def publish_everywhere(self, count: int, prefix: str = "k") -> list[str]:
        """So many events for each partition, with the keys `k0:0`, `k0:1` and so on, the partition last."""
        return [
            await self.publish_to(partition, f"{prefix}{number}:{partition}")
            for number in range(count)
            for partition in range(PARTITIONS)
        ]

    async def totals(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for keys in PLACES:
            for name, value in (await ask(self.redis, "HGETALL", keys.totals)).items():
                found[name.decode()] = found.get(name.decode(), 0) + int(value)
        return found

    async def letters(self) -> list[Record]:
        pages = [await ask(self.redis, "XRANGE", keys.dead, "-", "+") for keys in PLACES]
        return [Record.read(fields) for page in pages for _, fields in page]

    async def held(self, count: int) -> bool:
        """Whether so many records are stored, over all partitions."""
        return sum([int(await ask(self.redis, "ZCARD", keys.parked)) for keys in PLACES]) == count

    async def due_now(self) -> None:
        for keys in PLACES:
            for owner in await ask(self.redis, "ZRANGE", keys.parked, 0, -1):
                await ask(self.redis, "ZADD", keys.parked, "XX", 0, owner)

    async def names(self) -> AsyncIterator[str]:
        """Every key of every node."""
        for node in await servers(self.redis):
            async for name in node.scan_iter(count=1000):
                yield name.decode()

    async def _letters_and_receipts(self) -> tuple[int, list[str]]:
        receipts = [name async for name in self.names() if ":done:" in name]
        return sum([await ask(self.redis, "XLEN", keys.dead) for keys in PLACES]), receipts

    async def _drained(self, accepted: int) -> bool:
        await self.wake()
        if (await self.totals()).get("accepted", 0) < accepted:
            return False
        for keys in PLACES:
            groups = await ask(self.redis, "XINFO GROUPS", keys.stream)
            last = next((g["last-delivered-id"].decode() for g in groups if g["name"] == GROUP.encode()), None)
            if last is None or await ask(self.redis, "XRANGE", keys.stream, "(" + last, "+", "COUNT", 1):
                return False
            left = [
                await self.pending(keys.stream),
                await self.pending(keys.retry),
                await ask(self.redis, "XLEN", keys.retry),
                await ask(self.redis, "ZCARD", keys.parked),
            ]
            if any(left):
                return False
        return True
