"""CPU of an event, and events a second: the slope between a short and a long run of real workers.

What the start and the end of a process cost is the same in both, and so in neither figure.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from msgspec import Struct

from streamhooks.bench.ground import Ground, handler
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Cpu
from streamhooks.bench.serving import Spent, since, spent_so_far


class Slope(Struct, frozen=True):
    """What one event costs: seconds of CPU, and by the clock."""

    cpu: float
    wall: float
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


async def slope(here: Ground, plan: Plan, handlers: Sequence[Mapping[str, Any]], workers: int = 1) -> Slope:
    """One short and one long run. Raises BenchError unless every event was delivered."""
    short, _ = await _drained(here, plan.short, handlers, workers)
    long, shares = await _drained(here, plan.short + plan.count, handlers, workers)
    return Slope((long.cpu - short.cpu) / plan.count, (long.wall - short.wall) / plan.count, shares)


async def _drained(
    here: Ground, count: int, handlers: Sequence[Mapping[str, Any]], workers: int
) -> tuple[Spent, tuple[int, ...]]:
    async with here.field(handlers, workers=workers) as field, AsyncExitStack() as rooms:
        await field.fill(count)
        before = spent_so_far()
        running = [await rooms.enter_async_context(field.worker(number, until_idle=True)) for number in range(workers)]
        for one in running:
            await one.ended()
        spent = since(before)
        await field.lost_nothing(count)
        return spent, await field.shares()


def micros(seconds: Iterable[float]) -> float:
    """The median in millionths of a second."""
    return round(statistics.median(seconds) * 1e6, 1)


def per_second(slopes: Sequence[Slope]) -> int:
    return round(1 / statistics.median(one.wall for one in slopes))
