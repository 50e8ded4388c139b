"""Two troubles at once: an endpoint's, and Redis's or a worker's."""

import asyncio
import time

from tests.faults.checker import Verdict
from tests.faults.experiments import experiment
from tests.faults.hostile import at_first, hanging
from tests.faults.lab import IN_FLIGHT, Lab
from tests.faults.stand import stand
from tests.ports import free_port
from tests.waiting import eventually

EVENTS = 24
AWAY = 1.5
"""Seconds that Redis is away: longer than the requests that hang meanwhile may take."""
RATE = 40
SLOW = 0.1
LIMITED = 120


@experiment("an endpoint that hangs while Redis restarts")
async def _both_away(lab: Lab) -> Verdict:
    """Outcomes are known while there is nobody to tell them to: they are kept, and nothing is sent again for it."""
    at = await stand(lab, {"slow": at_first(hanging)}, hang={"timeout": 1}, aof=True)
    events = lab.scaled(EVENTS)
    worker = await at.worker()
    await at.load.publish(range(events), type_="Hang", end="slow")
    await at.load.publish(range(events, 2 * events))
    await eventually(lambda: len(at.endpoint.arrived) >= 8, 10, "requests that hang")
    await at.server.kill()
    await asyncio.sleep(AWAY)
    await at.server.start()
    back = time.monotonic()
    before = len(at.sink.delivered)
    await eventually(lambda: len(at.sink.delivered) > before, 20, "deliveries again")
    recovery = time.monotonic() - back
    await at.have_ended(2 * events)
    await at.stop(worker)
    return await at.verdict(most_duplicates=IN_FLIGHT, recovery=recovery, most_recovery=5)


@experiment("a slow endpoint with a rate limit, two workers, one killed")
async def _limited(lab: Lab) -> Verdict:
    at = await stand(lab, one={"rate_limit": f"{RATE}/s"})
    at.sink.delay = SLOW
    events = lab.scaled(LIMITED)
    moments: list[float] = []
    at.sink.on_arrival = lambda _key: moments.append(time.monotonic())
    workers = [await at.worker(STREAMHOOKS_ADMIN__LISTEN=f"127.0.0.1:{free_port()}") for _ in range(2)]
    await at.load.publish(range(events))
    await eventually(lambda: len(moments) >= events // 3, 30, "a third of the events")
    workers[0].kill()
    await at.have_ended(events)
    await at.stop(workers[1])
    most = max(sum(first <= moment < first + 1 for moment in moments) for first in moments)
    # What a worker has reserved, a tenth of a second's worth, may be sent later than its turn.
    assert most <= RATE * 1.25 + 1, f"{most} requests in one second, {RATE} are allowed"
    return await at.verdict(most_duplicates=IN_FLIGHT, notes=f"at most {most} requests in a second of {RATE} allowed")
