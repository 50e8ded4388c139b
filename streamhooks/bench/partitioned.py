"""What more partitions cost: a worker reads each of them, so that the same events come to it in smaller groups.

For each number of partitions: what an event of a backlog costs, what one costs that comes at a steady rate, and what
a worker costs that has nothing to do, with its connections and its memory.
"""

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct

from streamhooks.bench.cpu import Slope, micros, slope
from streamhooks.bench.gauge import gauge
from streamhooks.bench.ground import STAMPED, Field, Ground, handler
from streamhooks.bench.latency import WARM_UP, add_at
from streamhooks.bench.memory import SETTLED
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Partitioned
from streamhooks.bench.serving import LOOKS_INSIDE, Serving
from streamhooks.bench.waiting import until
from streamhooks.errors import BenchError


async def measure(here: Ground, plan: Plan) -> tuple[Partitioned, ...]:
    if not LOOKS_INSIDE:
        raise BenchError("system", "partitions are measured on Linux only: leave them out with --only")
    return tuple([await _with(here, plan, partitions) for partitions in plan.partitions])


async def _with(here: Ground, plan: Plan, partitions: int) -> Partitioned:
    drained = [await slope(here, plan, [handler()], partitions=partitions) for _ in range(plan.rounds)]
    return await steady(here, plan, partitions, drained)


async def steady(here: Ground, plan: Plan, partitions: int, drained: Sequence[Slope]) -> Partitioned:
    """What a worker costs, busy at the rate and idle, beside what it cost to drain."""
    handlers = [handler(template_path=STAMPED)]
    async with here.field(handlers, partitions=partitions) as field, field.worker() as worker:
        busy = await _busy(field, worker, plan)
        await asyncio.sleep(min(SETTLED, plan.seconds))
        idle = await _idle(here, worker, plan.seconds)
        peak, beside = worker.peak_mib(), await gauge(here.client)
        await worker.stop()
        clients = beside.since(await gauge(here.client)).clients
    return Partitioned(
        partitions=partitions,
        worker_us=micros(one.cpu for one in drained),
        redis_us=micros(one.redis.cpu for one in drained),
        rate=plan.rate,
        worker_us_at_rate=micros([busy.worker]),
        redis_us_at_rate=micros([busy.redis]),
        idle_worker_ms=round(idle.worker * 1000, 2),
        idle_redis_ms=round(idle.redis * 1000, 2),
        connections=round(clients),
        peak_mib=round(peak, 1),
    )


class _Spent(Struct, frozen=True):
    """Seconds of CPU, of an event or of a second."""

    worker: float
    redis: float


async def _busy(field: Field, worker: Serving, plan: Plan) -> _Spent:
    """Of an event, while they come at the rate."""
    warm = await add_at(field, plan.rate, min(WARM_UP, plan.seconds))
    await until(lambda: field.came(warm), [worker], f"{warm} events to warm up")
    cpu, before = worker.cpu_seconds(), await gauge(field.ground.client)
    count = await add_at(field, plan.rate, plan.seconds)
    await until(lambda: field.came(warm + count), [worker], f"{count} events at {plan.rate} a second")
    return _Spent((worker.cpu_seconds() - cpu) / count, (await gauge(field.ground.client)).since(before).cpu / count)


async def _idle(here: Ground, worker: Serving, seconds: float) -> _Spent:
    """Of a second in which there is nothing to do."""
    cpu, before, began = worker.cpu_seconds(), await gauge(here.client), time.monotonic()
    await asyncio.sleep(seconds)
    spent, redis, took = worker.cpu_seconds() - cpu, await gauge(here.client), time.monotonic() - began
    return _Spent(spent / took, redis.since(before).cpu / took)
