"""What each worker says of itself, for `status` and the console: a hash of a minute's life, written every ten seconds.

One field for each handler, as JSON, so that `redis-cli HGETALL` shows them as they are. Kept with the first partition.
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.connection import Word, ask
from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_snapshot = Script("snapshot")

LIFE = 60
"""Seconds: a worker that is gone is forgotten soon."""
_HANDLER = b"handler:"
_WORSE = ("closed", "half_open", "open")


class HandlerSnapshot(Struct, frozen=True, gc=False):
    """One handler at one worker, since that worker's start; rates and latencies of the last ten seconds or so."""

    delivered: int = 0
    suppressed: int = 0
    stored: int = 0
    dead: int = 0
    attempts: int = 0
    failures: int = 0
    """Attempts without a 2xx."""
    per_second: float = 0.0
    """Deliveries."""
    p50: float = 0.0
    """Seconds of an attempt, the bound of its bucket; 0: there was none."""
    p99: float = 0.0
    in_flight: int = 0
    breaker: str = "closed"


class Snapshot(Struct, frozen=True):
    """One worker."""

    consumer: str
    version: str
    uptime: int
    """Seconds."""
    handlers: Mapping[str, HandlerSnapshot]


async def save(client: Redis, keys: Keys, snapshot: Snapshot) -> None:
    """Writes it in the place of the last one. Raises StoreError."""
    words: list[Word] = [LIFE, "v", 1, "version", snapshot.version, "uptime", snapshot.uptime]
    for handler, own in snapshot.handlers.items():
        words += [_HANDLER + handler.encode(), msgspec.json.encode(own)]
    await _snapshot(client, [keys.worker(snapshot.consumer)], words)


async def load(client: Redis, keys: Keys, consumers: Iterable[str]) -> list[Snapshot]:
    """Those of these consumers that have one. Raises StoreError."""
    found = []
    for consumer in consumers:
        fields = await ask(client, "HGETALL", keys.worker(consumer))
        if fields.get(b"v") == b"1":
            handlers = {
                name.removeprefix(_HANDLER).decode(): msgspec.json.decode(value, type=HandlerSnapshot)
                for name, value in fields.items()
                if name.startswith(_HANDLER)
            }
            found.append(Snapshot(consumer, fields[b"version"].decode(), int(fields[b"uptime"]), handlers))
    return found


def together(snapshots: Iterable[Snapshot]) -> dict[str, HandlerSnapshot]:
    """By handler, over all workers: counts and rates added up, latencies of the slowest, the breaker that is worst."""
    sums: dict[str, HandlerSnapshot] = {}
    for snapshot in snapshots:
        for handler, own in snapshot.handlers.items():
            known = sums.get(handler)
            sums[handler] = own if known is None else _added(known, own)
    return sums


def _added(a: HandlerSnapshot, b: HandlerSnapshot) -> HandlerSnapshot:
    return HandlerSnapshot(
        delivered=a.delivered + b.delivered,
        suppressed=a.suppressed + b.suppressed,
        stored=a.stored + b.stored,
        dead=a.dead + b.dead,
        attempts=a.attempts + b.attempts,
        failures=a.failures + b.failures,
        per_second=round(a.per_second + b.per_second, 1),
        p50=max(a.p50, b.p50),
        p99=max(a.p99, b.p99),
        in_flight=a.in_flight + b.in_flight,
        breaker=max(a.breaker, b.breaker, key=_WORSE.index),
    )


async def forget(client: Redis, keys: Keys, consumer: str) -> None:
    """A worker that leaves takes its snapshot along. Raises StoreError."""
    await ask(client, "DEL", keys.worker(consumer))
