"""How long a worker takes to start: until it says that it is ready, and until the first webhook is at the endpoint."""

import re
import statistics
import time
from datetime import datetime
from typing import Final

from streamhooks.bench.ground import STAMPED, Ground, handler
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Startup
from streamhooks.bench.waiting import until
from streamhooks.errors import BenchError

STARTS: Final = 3
"""Processes a round."""
_READY = re.compile(r'"event": "ready".*"timestamp": "([^"]+)"')


async def measure(here: Ground, plan: Plan) -> Startup:
    starts = [await start(here) for _ in range(plan.rounds * STARTS)]
    return Startup(
        ready=round(statistics.median(ready for ready, _ in starts), 3),
        first_arrival=round(statistics.median(arrived for _, arrived in starts), 3),
        starts=len(starts),
    )


async def start(here: Ground) -> tuple[float, float]:
    """Seconds from the start of the process until it was ready, and until the first event arrived."""
    async with here.field([handler(template_path=STAMPED)]) as field:
        stamp = time.monotonic_ns()
        await field.fill(1, Sent=str(stamp))
        began, began_at = time.monotonic_ns(), time.time()
        async with field.worker() as worker:
            await until(lambda: field.came(1), [worker], "the first event")
            ready = _READY.search(worker.said())
            arrived = stamp + (await here.endpoint.travelled())[0]
            await worker.stop()
        if ready is None:
            raise BenchError("worker", "a worker delivered without a record that it is ready")
    return datetime.fromisoformat(ready[1]).timestamp() - began_at, (arrived - began) / 1e9
