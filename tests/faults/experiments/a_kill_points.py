"""A worker is killed with SIGKILL at each named point of an entry's way; another one goes on."""

import time

from tests.faults.checker import Verdict
from tests.faults.crew import ended
from tests.faults.experiments import experiment
from tests.faults.lab import IN_FLIGHT, Lab
from tests.faults.sink import Key
from tests.waiting import eventually

EVENTS = 50
SIGKILLED = -9


def _killed_at(
    failpoint: str, what: str, end: str = "ok", *, most_duplicates: int = IN_FLIGHT, smoke: bool = True
) -> None:
    @experiment(f"killed {what}", smoke=smoke, anywhere=True)
    async def run(lab: Lab) -> Verdict:
        place, sink = await lab.place(), await lab.sink()
        load, crew = lab.load(place.server), await lab.crew(place.url, sink, tls=place.tls)
        await load.publish(range(EVENTS), end=end)
        victim = await crew.start(failpoint=failpoint)
        assert await ended(victim, 20) == SIGKILLED, crew.log
        died = time.monotonic()
        await crew.drain()
        verdict = await lab.verdict(
            place.server,
            sink,
            load,
            most_duplicates=most_duplicates,
            recovery=time.monotonic() - died,
            most_recovery=36,
        )
        assert verdict.account["accepted"] == EVENTS, verdict
        assert verdict.dead == verdict.account.get("dead", 0) == (EVENTS if end == "dead" else 0), verdict
        return verdict


_killed_at("read", "after reading", most_duplicates=0, smoke=False)
_killed_at("claimed", "after the claim", most_duplicates=0)
_killed_at("sending:5", "before sending", smoke=False)
_killed_at("replied:5", "after the 2xx, before it is noted")
_killed_at("settled:5", "after it is noted and acknowledged", smoke=False)
_killed_at("stored:5", "after the retry is stored", "retry")
_killed_at("buried:5", "after the dead letter is written", "dead")


@experiment("killed between the request and its reply", anywhere=True)
async def while_sending(lab: Lab) -> Verdict:
    place, sink = await lab.place(), await lab.sink()
    load, crew = lab.load(place.server), await lab.crew(place.url, sink, tls=place.tls)
    sink.slow_path = "/one"
    await load.publish(range(EVENTS))
    victim = await crew.start()
    await eventually(lambda: sink.arrivals, 20, "a request is under way")
    victim.kill()
    assert await ended(victim, 5) == SIGKILLED
    died = time.monotonic()
    sink.released.set()
    await crew.drain()
    return await lab.verdict(
        place.server, sink, load, most_duplicates=IN_FLIGHT, recovery=time.monotonic() - died, most_recovery=36
    )


@experiment("killed between two handlers of an event", smoke=True, anywhere=True)
async def between_two_handlers(lab: Lab) -> Verdict:
    """The first handler's `d` and receipt are written, the entry is not acknowledged: there the worker dies. Who had
    finished is not fired again for the slow one."""
    place, sink = await lab.place(), await lab.sink()
    load, crew = lab.load(place.server), await lab.crew(place.url, sink, tls=place.tls)
    sink.slow_path = "/two"
    await load.publish(range(EVENTS), type_="Pair")
    victim = await crew.start(failpoint="receipted:5")
    assert await ended(victim, 20) == SIGKILLED, crew.log
    died = time.monotonic()
    finished = [seq for seq in range(EVENTS) if sink.delivered[Key(seq, "/one")]]
    sink.released.set()
    await crew.drain()
    again = [seq for seq in finished if sink.delivered[Key(seq, "/one")] > 1]
    verdict = await lab.verdict(
        place.server, sink, load, most_duplicates=IN_FLIGHT, recovery=time.monotonic() - died, most_recovery=36,
        notes=f"{len(finished)} had finished, {len(again)} were sent again",
    )  # fmt: skip
    assert len(finished) >= 5, verdict
    assert len(again) <= len(finished) - 5, verdict
    assert verdict.account["accepted"] == 2 * EVENTS, verdict
    return verdict
