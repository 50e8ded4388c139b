"""CPU of an event, and events a second: the slope between a short and a long run of real workers.

What the start and the end of a process cost is the same in both, and so in neither figure.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from msgspec import Struct

from streamhooks.bench.gauge import Gauge, gauge
from streamhooks.bench.ground import Field, Ground, handler
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Cpu
from streamhooks.bench.serving import Spent, since, spent_so_far


class Slope(Struct, frozen=True):
    """What one event costs: seconds of the workers' CPU, and by the clock; and what it costs Redis."""

    cpu: float
    wall: float
    redis: Gauge
    shares: tuple[int, ...]
    """What each worker delivered of the long run."""


async def measure(here: Ground, plan: Plan) -> Cpu:
    slopes = [await slope(here, plan, [handler()]) for _ in range(plan.rounds)]
    return Cpu(
        events=plan.rounds * (2 * plan.short + plan.count),
        us_per_event=micros(one.cpu for one in slopes),
        events_per_second=per_second(slopes),
        rounds=tuple(round(one.cpu * 1e6, 1) for one in slopes),
    )


async def slope(
    here: Ground,
    plan: Plan,
    handlers: Sequence[Mapping[str, Any]],
    workers: int = 1,
    *,
    size: int = 0,
    partitions: int = 1,
    **settings: Any,
) -> Slope:
    """One short and one long run, of events of `size` bytes. Raises BenchError unless every event was delivered."""

    async def drained(count: int) -> tuple[Spent, Gauge, tuple[int, ...]]:
        async with here.field(handlers, workers=workers, partitions=partitions, **settings) as field:
            await field.fill(count, size=size)
            return await _drained(field, count)

    short, redis_short, _ = await drained(plan.short)
    long, redis_long, shares = await drained(plan.short + plan.count)
    each = redis_long.since(redis_short).by(plan.count)
    return Slope((long.cpu - short.cpu) / plan.count, (long.wall - short.wall) / plan.count, each, shares)


async def _drained(field: Field, count: int) -> tuple[Spent, Gauge, tuple[int, ...]]:
    client = field.ground.client
    async with AsyncExitStack() as rooms:
        redis, before = await gauge(client), spent_so_far()
        numbers = range(len(field.configs))
        running = [await rooms.enter_async_context(field.worker(number, until_idle=True)) for number in numbers]
        for one in running:
            await one.ended()
        spent, told = since(before), (await gauge(client)).since(redis)
        await field.lost_nothing(count)
        return spent, told, await field.shares()


def micros(seconds: Iterable[float]) -> float:
    """The median in millionths of a second."""
    return round(statistics.median(seconds) * 1e6, 1)


def per_second(slopes: Sequence[Slope]) -> int:
    return round(1 / statistics.median(one.wall for one in slopes))
