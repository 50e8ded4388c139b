"""What one event costs Redis, to be added, read, claimed and settled: CPU of the server, and bytes to and fro.

Adding is told apart from delivering, for there are two ways to add. Delivering is the slope between a short and a long
run of a real worker, so that the start of neither is in it.
"""

import asyncio
import statistics
from collections.abc import Iterable, Mapping
from typing import Any, Final

from streamhooks.bench.cpu import Slope, micros, slope
from streamhooks.bench.gauge import Gauge, gauge
from streamhooks.bench.ground import GROUP, Field, Ground, event, handler, packed
from streamhooks.bench.latency import ADDING
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Adding, Afterwards, Delivering, Served
from streamhooks.publisher.aio import Publisher
from streamhooks.store.claims import Claim, Claims
from streamhooks.store.connection import ask, servers
from streamhooks.store.retention import Retention

TOGETHER: Final = 100
"""Events of one `publish_many`."""
CLAIMED: Final = 20_000
"""Cool-downs that are made in a second, at least: those whose end is measured last until all are there."""
DAY: Final = 86_400.0
LOOK_EVERY: Final = 0.25
"""Seconds: looking costs the server what the end of a hundred cool-downs does."""


async def measure(here: Ground, plan: Plan) -> Served:
    return Served(
        adding=tuple([await adding(here, plan, size, together) for size in plan.sizes for together in (1, TOGETHER)]),
        delivering=await _delivering(here, plan),
        afterwards=Afterwards(plan.sizes[0], await trimmed(here, plan), await expired(here, plan)),
    )


async def adding(here: Ground, plan: Plan, size: int, together: int) -> Adding:
    rounds = [await _added(here, plan, size, together) for _ in range(plan.rounds)]
    return Adding(
        bytes=size,
        together=together,
        redis_us=micros(one.cpu for one in rounds),
        received=_median(one.received for one in rounds),
        sent=_median(one.sent for one in rounds),
    )


async def _added(here: Ground, plan: Plan, size: int, together: int) -> Gauge:
    async with here.field([handler()]) as field:
        add = _each if together == 1 else _many
        await add(field, together, size)
        before = await gauge(here.client)
        count = max(1, plan.short // together) * together
        await add(field, count, size)
        return (await gauge(here.client)).since(before).by(count)


async def _each(field: Field, count: int, size: int) -> None:
    """As gateways do it: one command, one answer, over several connections."""

    async def some(first: int) -> None:
        for number in range(first, count, ADDING):
            await ask(field.ground.client, "XADD", field.keys.stream, "*", "d", packed(number, size))

    async with asyncio.TaskGroup() as group:
        for first in range(ADDING):
            group.create_task(some(first))


async def _many(field: Field, count: int, size: int) -> None:
    async with Publisher(field.ground.redis_url, stream=field.keys.stream) as publisher:
        for begin in range(0, count, TOGETHER):
            await publisher.publish_many([event(number, size) for number in range(begin, begin + TOGETHER)])


async def _delivering(here: Ground, plan: Plan) -> tuple[Delivering, ...]:
    least = plan.sizes[0]
    quiet, noted = handler(event_timeout=0), {"worker": {"journal": "all"}}
    ways: list[tuple[int, str, Mapping[str, Any], Mapping[str, Any]]] = [
        *((size, "", handler(), {}) for size in plan.sizes),
        (least, "no cool-down", quiet, {}),
        (least, "journal: all", handler(), noted),
    ]
    found: list[list[Slope]] = [[] for _ in ways]
    for _ in range(plan.rounds):  # in turns, so that a drift of the machine's speed falls on all
        for own, (size, _, one, settings) in zip(found, ways, strict=True):
            own.append(await slope(here, plan, [one], size=size, **settings))
    return tuple(
        Delivering(
            bytes=size,
            how=how,
            redis_us=micros(one.redis.cpu for one in own),
            received=_median(one.redis.received for one in own),
            sent=_median(one.redis.sent for one in own),
            worker_us=micros(one.cpu for one in own),
        )
        for own, (size, how, _, _) in zip(found, ways, strict=True)
    )


async def trimmed(here: Ground, plan: Plan) -> float:
    """As workers do it every minute."""
    async with here.field([handler()]) as field:
        await field.fill(plan.count, size=plan.sizes[0])
        await ask(here.client, "XGROUP CREATE", field.keys.stream, GROUP, "$")
        retention = Retention(here.client, field.keys, GROUP, age=0, entries=0, dead_age=DAY)
        before, gone = await gauge(here.client), 0
        while (went := await retention.trim()) > 0:
            gone += went
        return micros([(await gauge(here.client)).since(before).cpu / gone])


async def expired(here: Ground, plan: Plan) -> float:
    """Nobody looks at the cool-downs: Redis has to find by itself that they are over."""
    async with here.field([handler()]) as field:
        lease = 0.5 + plan.count / CLAIMED
        claims, gone = Claims(here.client, field.keys, lease), await _keys_expired(here)
        names = [f"{number:032x}" for number in range(plan.count)]
        await claims.claim([Claim("bench", name, f"{name}|bench", lease) for name in names])
        before = await gauge(here.client)
        while await _keys_expired(here) < gone + plan.count:  # noqa: ASYNC110  the server gives no event here
            await asyncio.sleep(LOOK_EVERY)
        return micros([(await gauge(here.client)).since(before).cpu / plan.count])


async def _keys_expired(here: Ground) -> int:
    return sum([int((await ask(server, "INFO", "stats"))["expired_keys"]) for server in await servers(here.client)])


def _median(values: Iterable[float]) -> int:
    return round(statistics.median(values))
