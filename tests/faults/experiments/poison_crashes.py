"""An event that kills every worker which takes it up: after `max_deliveries` it is dead, and nobody else with it."""

from tests.faults.checker import Verdict
from tests.faults.crew import ended
from tests.faults.experiments import experiment
from tests.faults.lab import IN_FLIGHT, Lab
from tests.faults.stand import stand

GOOD = 60
MAX_DELIVERIES = 4
SIGKILLED = -9


@experiment("an event that kills each worker that takes it", smoke=True)
async def _crash_loop(lab: Lab) -> Verdict:
    at = await stand(lab, max_deliveries=MAX_DELIVERIES)
    good = lab.scaled(GOOD)
    killer = good // 2
    await at.load.publish(range(good))
    crashes = 0
    while not await at.total("dead"):
        worker = await at.crew.start("--until-idle", failpoint=f"sending={at.load.acknowledged[killer]}|one")
        code = await ended(worker, 30)
        crashes += code == SIGKILLED
        assert code in (0, SIGKILLED), at.crew.log
        assert crashes <= MAX_DELIVERIES, f"{crashes} workers died of one event"
    await at.drain()
    (letter,) = await at.letters()
    assert (letter.reason, letter.origin) == ("crash_loop", at.load.acknowledged[killer])
    return await at.verdict(
        most_duplicates=crashes * IN_FLIGHT, notes=f"{crashes} workers died of it, then it was dead"
    )
