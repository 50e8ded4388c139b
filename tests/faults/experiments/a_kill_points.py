"""A worker is killed with SIGKILL at each named point of an entry's way; another one goes on."""

import time

from tests.faults.checker import Verdict
from tests.faults.crew import ended
from tests.faults.experiments import experiment
from tests.faults.lab import IN_FLIGHT, Lab

EVENTS = 50
SIGKILLED = -9


def _killed_at(failpoint: str, what: str, end: str = "ok", *, most_duplicates: int = IN_FLIGHT) -> None:
    @experiment(f"killed {what}", smoke=True)
    async def run(lab: Lab) -> Verdict:
        server, sink = await lab.server(), await lab.sink()
        load, crew = lab.load(server), await lab.crew(server.url, sink)
        await load.publish(range(EVENTS), end=end)
        victim = await crew.start(failpoint=failpoint)
        assert await ended(victim, 20) == SIGKILLED, crew.log
        died = time.monotonic()
        await crew.drain()
        return await lab.verdict(
            server, sink, load, most_duplicates=most_duplicates, recovery=time.monotonic() - died, most_recovery=36
        )


_killed_at("read", "after reading", most_duplicates=0)
_killed_at("claimed", "after the claim", most_duplicates=0)
_killed_at("sending:5", "before sending")
_killed_at("replied:5", "after the 2xx, before it is noted")
_killed_at("settled:5", "after it is noted and acknowledged")
_killed_at("stored:5", "after the retry is stored", "retry")
_killed_at("buried:5", "after the dead letter is written", "dead")
