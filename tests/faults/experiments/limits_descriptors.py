"""A worker that runs out of file descriptors waits for some: nothing is lost, and no endpoint is blamed."""

import aiohttp

from tests.faults.checker import Verdict
from tests.faults.experiments import experiment
from tests.faults.gauges import Pulse
from tests.faults.lab import Lab
from tests.faults.stand import stand

EVENTS = 300
DESCRIPTORS = 64
SLOTS = 128
"""Twice as many as there are descriptors, each of which would be a connection."""


@experiment("no file descriptors left", smoke=True, needs=("prlimit",))
async def _exhausted(lab: Lab) -> Verdict:
    at = await stand(lab, one={"concurrency": SLOTS, "retry": {"delays": [0.2]}}, in_flight=2 * SLOTS)
    at.sink.delay = 0.3
    events = lab.scaled(EVENTS)
    await at.load.publish(range(events))
    worker = await at.worker(prefix=("prlimit", f"--nofile={DESCRIPTORS}", "--"))
    await at.have_ended(events)
    await at.stop(worker)
    local = sum(at.sink.arrivals.values())
    assert not await at.letters(), "an endpoint was blamed for our own want of means"
    return await at.verdict(notes=f"{local} requests")
