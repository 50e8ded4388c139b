"""Three workers under load, and a kill -9 of one of them every half a second or so."""

import asyncio
import signal
import time

from tests.faults.checker import Verdict
from tests.faults.crew import DRAIN, ended, terminate
from tests.faults.experiments import experiment
from tests.faults.lab import IN_FLIGHT, Lab

WORKERS = 3
KILLS = 10
EVENTS = 2500
PER_SECOND = 350
DRAINED = 36.0


@experiment("three workers killed at random", smoke=True, anywhere=True)
async def killed_at_random(lab: Lab) -> Verdict:
    place, sink = await lab.place(), await lab.sink(0.002)
    load, crew = lab.load(place.server), await lab.crew(place.url, sink, tls=place.tls)
    workers = [await crew.start() for _ in range(WORKERS)]
    await crew.ready(WORKERS)
    kills, events = lab.scaled(KILLS), lab.scaled(EVENTS)
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(load.stream(range(events - 500), per_second=PER_SECOND))
        gateways.create_task(load.stream(range(events - 500, events), per_second=PER_SECOND / 8, end="retry"))
        for _ in range(kills):
            await asyncio.sleep(lab.rng.uniform(0.3, 0.9))
            number = lab.rng.randrange(WORKERS)
            workers[number].kill()
            await workers[number].wait()
            workers[number] = await crew.start()
    stopped = time.monotonic()
    for worker in workers:
        terminate(worker)
    for worker in workers:
        # One that was started a moment ago may not have come so far as to handle the signal.
        assert await ended(worker, DRAIN) in (0, -signal.SIGTERM), crew.log
    await crew.drain(60)
    verdict = await lab.verdict(
        place.server, sink, load, most_duplicates=IN_FLIGHT * kills, recovery=time.monotonic() - stopped,
        most_recovery=DRAINED, notes=f"{kills} kills",
    )  # fmt: skip
    assert len(load.acknowledged) == verdict.account["accepted"] == events, verdict
    assert verdict.dead == 0, verdict
    return verdict
