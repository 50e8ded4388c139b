"""What a worker holds while much waits, and what stored retries cost it that are not due.

The worker delivers the beginning of each backlog, equally many events: what it holds then must not depend on how many
more there are. Stored retries are written as the settling script writes them, due in a day; a worker beside them has
nothing to do, and must spend what one beside none spends.
"""

import asyncio
import time
from typing import Final

import msgspec
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.bench.ground import Field, Ground, event, handler
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Memory, Parked, Waiting
from streamhooks.bench.serving import LOOKS_INSIDE
from streamhooks.bench.waiting import until
from streamhooks.errors import BenchError
from streamhooks.model import Event
from streamhooks.store.connection import Word, ask
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record

AT_ONCE: Final = 1000
"""Records in one command."""
DUE_IN: Final = 86_400_000
"""Milliseconds."""
SETTLED: Final = 3.0
"""Seconds after the first arrival in which a worker's start is over."""
_to_msgpack = msgspec.msgpack.Encoder().encode


async def measure(here: Ground, plan: Plan) -> Memory:
    if not LOOKS_INSIDE:
        raise BenchError("system", "memory is measured on Linux only: leave it out with --only")
    waiting = tuple([await beside_backlog(here, count, plan.delivered) for count in plan.backlogs])
    idle = tuple([await beside_parked(here, count, plan.seconds) for count in (0, plan.parked)])
    peaks = [one.peak_mib for one in sorted(waiting, key=lambda one: one.waiting)]
    return Memory(waiting, round(peaks[-1] - peaks[0], 1), idle)


async def beside_backlog(here: Ground, count: int, enough: int) -> Waiting:
    """A worker that delivers `enough` of `count` events, or a few more."""
    async with here.field([handler()]) as field:
        await field.fill(count)
        async with field.worker() as worker:
            wanted = min(count, enough)
            await until(lambda: field.came(wanted), [worker], f"{wanted} events")
            delivered, peak = await field.arrived(), worker.peak_mib()
            # Not to its end, nor stopped cleanly: the rest of a million is of no interest.
    return Waiting(count, delivered, round(peak, 1))


async def beside_parked(here: Ground, count: int, seconds: float) -> Parked:
    """A worker that delivers one event and then idles for so long beside `count` stored retries."""
    async with here.field([handler()]) as field:
        await park(here.client, field.keys, count)
        await field.fill(1)
        async with field.worker() as worker:
            await until(lambda: field.came(1), [worker], "the first event")
            await asyncio.sleep(SETTLED)
            before, began = worker.cpu_seconds(), time.monotonic()
            await asyncio.sleep(seconds)
            spent, took = worker.cpu_seconds() - before, time.monotonic() - began
            peak = worker.peak_mib()
            await worker.stop()
        await _still_parked(here.client, field, count)
    return Parked(count, round(peak, 1), round(spent / took * 1000, 2))


async def park(client: Redis, keys: Keys, count: int) -> None:
    """Stores `count` retries, with their places in the account. Raises StoreError."""
    seconds, micros = await ask(client, "TIME")
    now = int(seconds) * 1000 + int(micros) // 1000
    for begin in range(1, count + 1, AT_ONCE):
        times: list[Word] = []
        records: list[Word] = []
        for number in range(begin, min(begin + AT_ONCE, count + 1)):
            id = f"{now}-{number}"
            times += (now + DUE_IN + number, f"{id}|bench")
            records += (f"{id}|bench", _packed(id, number, now))
        await ask(client, "ZADD", keys.parked, *times)
        await ask(client, "HSET", keys.parked_data, *records)
    await ask(client, "HINCRBY", keys.totals, "accepted", count)
    await ask(client, "HINCRBY", keys.totals, "stored", count)


def _packed(id: str, number: int, now: int) -> bytes:
    """As lua/settle.lua packs it: a list of texts, the times first."""
    words = ["first", now, "last", now, *record(id, number).words()]
    return _to_msgpack([word.decode() if isinstance(word, bytes) else str(word) for word in words])


def record(id: str, number: int, reason: str = "", *, size: int = 0) -> Record:
    """What a worker stores of the event of this number after an answer 503; with a reason: a dead letter."""
    made = event(number, size)
    return Record(
        origin=id, handler="bench", owner=f"{id}|bench", attempt=3, fingerprint=f"{number:032x}", type=made["type"],
        event=wire.pack_event(Event(id, made["type"], made["meta"], made["ts"], made["api_id"])),
        why="status 503", reason=reason, status=503, answer=b"busy",
    )  # fmt: skip


async def _still_parked(client: Redis, field: Field, count: int) -> None:
    parked = int(await ask(client, "ZCARD", field.keys.parked))
    if parked != count:
        raise BenchError("parked", f"{parked} of {count} stored retries are left; none was due")
