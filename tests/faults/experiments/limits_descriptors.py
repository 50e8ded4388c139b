"""A worker that runs out of file descriptors waits for some: nothing is lost, and no endpoint is blamed."""

from tests.faults.checker import Verdict
from tests.faults.experiments import experiment
from tests.faults.gauges import Pulse
from tests.faults.lab import Lab
from tests.faults.stand import stand

EVENTS = 150
DESCRIPTORS = 64
SLOTS = 96
"""More than there are descriptors; each would be a connection."""
SLOW = 0.3


@experiment("no file descriptors left", needs=("prlimit",))
async def _exhausted(lab: Lab) -> Verdict:
    # One retry: an endpoint that is blamed twice for what it never saw makes a dead letter.
    at = await stand(lab, one={"concurrency": SLOTS, "retry": {"delays": [0.2]}}, in_flight=2 * SLOTS)
    at.sink.delay = SLOW
    events = lab.scaled(EVENTS)
    await at.load.publish(range(events))
    worker = await at.worker(prefix=("prlimit", f"--nofile={DESCRIPTORS}", "--"))
    async with Pulse(at.admin) as pulse:
        await at.have_ended(events)
    waited = await at.metric('streamhooks_attempts_total{handler="one",result="local"}')
    await at.stop(worker)
    assert waited > 0, "there were descriptors enough"
    assert not pulse.failed, f"{pulse.failed} probes were not answered"
    assert not await at.letters(), "an endpoint was blamed for our own want of means"
    return await at.verdict(
        notes=f"{waited:.0f} requests waited for a descriptor; /livez answered {pulse.asked} times, "
        f"within {1000 * pulse.longest:.0f} ms"
    )
