"""One partition: a stream, its retry stream, and everything that Redis keeps for them."""

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.settings import Settings
from streamhooks.store.claims import Claims
from streamhooks.store.connection import connect
from streamhooks.store.keys import Keys, partitions
from streamhooks.store.parked import Parked
from streamhooks.store.pauses import Pauses
from streamhooks.store.retention import Retention
from streamhooks.store.settle import Ledger, Source
from streamhooks.store.stream import Stream

BLOCK = 1.0
"""Seconds that a read waits for entries: how long a stop may have to wait for it."""


class Partition(Struct, frozen=True):
    """The edges of one partition, and its number."""

    number: int
    keys: Keys
    entries: Stream
    retries: Stream
    claims: Claims
    ledger: Ledger
    parked: Parked
    pauses: Pauses
    retention: Retention

    def stream(self, source: Source) -> Stream:
        return self.entries if source == "stream" else self.retries


def open_partitions(client: Redis, readers: list[Redis], settings: Settings, consumer: str) -> tuple[Partition, ...]:
    """All partitions of a configuration. Each stream that is read gets a client of its own, added to `readers`."""
    return tuple(
        _open(number, client, readers, keys, settings, consumer)
        for number, keys in enumerate(partitions(settings.stream.key, settings.stream.partitions))
    )


def _open(number: int, client: Redis, readers: list[Redis], keys: Keys, settings: Settings, consumer: str) -> Partition:
    group, worker, kept = settings.stream.group, settings.worker, settings.stream.retention
    own = [connect(settings.redis, wait=BLOCK, connections=1, beside=client) for _ in range(2)]
    readers += own
    return Partition(
        number=number,
        keys=keys,
        entries=Stream(client, own[0], keys, keys.stream, group, consumer),
        retries=Stream(client, own[1], keys, keys.retry, group, consumer),
        claims=Claims(client, keys, worker.lease, share_with_tyk=settings.cool.share_with_tyk),
        ledger=Ledger(
            client, keys, group, consumer,
            lease=worker.lease, most_parked=worker.max_parked, most_dead=settings.dead.max_entries,
            most_noted=worker.journal_entries,
            share_with_tyk=settings.cool.share_with_tyk,
        ),
        parked=Parked(client, keys),
        pauses=Pauses(client, keys),
        retention=Retention(
            client, keys, group, age=kept.age, entries=kept.entries, dead_age=settings.dead.max_age
        ),
    )  # fmt: skip
