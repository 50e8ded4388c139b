"""How long an event travels: from the moment before XADD is written to its request's arrival at the endpoint.

Events are added one by one at a fixed rate, whatever becomes of those before: what was not added because nothing could
be would hide the longest times. The clock is the monotonic one, which all processes of a machine share.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from streamhooks.bench.gauge import gauge
from streamhooks.bench.ground import STAMPED, Field, Ground, handler, packed
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Latency
from streamhooks.bench.serving import LOOKS_INSIDE
from streamhooks.bench.waiting import until
from streamhooks.store.connection import ask

WARM_UP: Final = 2.0
"""Seconds at the same rate, not counted: connections are opened, code is compiled."""
TICK: Final = 0.001
ADDING: Final = 6
"""Connections that add at once; fewer than the client may open."""


async def measure(here: Ground, plan: Plan) -> tuple[Latency, ...]:
    return tuple([await _at(here, rate, plan.seconds) for rate in plan.rates])


async def _at(here: Ground, rate: int, seconds: float) -> Latency:
    async with here.field([handler(template_path=STAMPED)]) as field, field.worker() as worker:
        warm = await add_at(field, rate, min(WARM_UP, seconds))
        await until(lambda: field.came(warm), [worker], f"{warm} events to warm up")
        await here.endpoint.travelled()
        spent = worker.cpu_seconds() if LOOKS_INSIDE else None
        redis = await gauge(here.client)
        began = time.perf_counter()
        count = await add_at(field, rate, seconds)
        took = time.perf_counter() - began
        await until(lambda: field.came(warm + count), [worker], f"{count} events at {rate} a second")
        cpu = None if spent is None else round((worker.cpu_seconds() - spent) / count * 1e6, 1)
        server = (await gauge(here.client)).since(redis)
        travelled = sorted(await here.endpoint.travelled())
        await worker.stop()
    return Latency(
        rate=rate,
        per_second=round(count / took, 1),
        events=count,
        arrived=len(travelled),
        p50_ms=_at_most(travelled, 0.5),
        p99_ms=_at_most(travelled, 0.99),
        p999_ms=_at_most(travelled, 0.999),
        most_ms=_at_most(travelled, 1.0),
        us_per_event=cpu,
        redis_us_per_event=round(server.cpu / count * 1e6, 1),
    )


async def add_at(field: Field, rate: int, seconds: float) -> int:
    """Adds `rate` events a second; how many it were. Nobody waits for an answer before the next ones are due."""
    total, number = max(1, round(rate * seconds)), 0
    turns = asyncio.Semaphore(ADDING)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        while number < total:
            due = min(total, int((time.perf_counter() - began) * rate) + 1)
            if due > number:
                group.create_task(_add_these(field, range(number, due), turns))
                number = due
            await asyncio.sleep(max(TICK, began + number / rate - time.perf_counter()))
    return total


async def _add_these(field: Field, numbers: range, turns: asyncio.Semaphore) -> None:
    async with turns:
        for number in numbers:
            event = packed(number, Sent=str(time.monotonic_ns()))
            await ask(field.ground.client, "XADD", field.stream_of(number), "*", "d", event)


def _at_most(travelled: Sequence[int], part: float) -> float:
    """Milliseconds that so large a part of the events needed at most; `travelled` sorted nanoseconds."""
    if not travelled:
        return 0.0
    return round(travelled[min(len(travelled) - 1, int(len(travelled) * part))] / 1e6, 3)
