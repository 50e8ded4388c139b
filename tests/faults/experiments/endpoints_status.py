"""What an endpoint's status asks for: patience kept to the schedule, a pause, or a redirect that is not followed."""

import asyncio
import time
from email.utils import formatdate
from itertools import pairwise

from streamhooks.store.connection import ask
from tests.faults.checker import KEYS, Verdict
from tests.faults.crew import ended
from tests.faults.experiments import experiment
from tests.faults.hostile import PATH, Act, Call, HostileEndpoint, answering, at_first
from tests.faults.lab import Lab
from tests.faults.sink import Key
from tests.faults.stand import Stand, stand
from tests.waiting import eventually

EACH = 8
JITTER = 0.2
LOOK = 1.5
"""Seconds in which every worker looks who is paused. One that was answered 410 and did not look since holds for ten."""
MOST_ASKED = 3600.0
"""Seconds that an endpoint may ask for where the schedule says less."""


def _status(status: int, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} So", "Content-Length: 0", *lines, "", ""]).encode()


@experiment("a 500 three times, then a 200")
async def _recovers(lab: Lab) -> Verdict:
    delays = [0.4, 0.8, 1.2]
    at = await stand(
        lab,
        {"500": at_first(answering(_status(500)), 3)},
        hang={"retry": {"delays": delays, "jitter": JITTER}},
    )
    await at.load.publish(range(lab.scaled(40)), type_="Hang", end="500")
    await at.drain()
    late = 0.0
    for key, moments in at.endpoint.arrived.items():
        gaps = [after - before for before, after in pairwise(moments)]
        assert len(gaps) == len(delays), f"{key} came {len(moments)} times"
        for gap, delay in zip(gaps, delays, strict=True):
            assert gap >= delay * (1 - JITTER), f"{key} came after {gap:.2f} s, its schedule says {delay:g} s"
            late = max(late, gap - delay * (1 + JITTER))
    return await at.verdict(notes=f"no retry early, the latest {late:.2f} s after its time")


@experiment("Retry-After in every form", smoke=True)
async def _asked(lab: Lab) -> Verdict:
    """The forms that are kept, those that say nothing, and one that asks for thirty years."""
    delay = 0.5
    forms = {"3": 3.0, "soon": delay, "1e9": delay, "-1": delay, "0": delay}
    acts = {form: at_first(answering(_status(503, f"Retry-After: {form}"))) for form in forms}
    acts |= {
        "date": at_first(_in_three_seconds),
        "1000000000": at_first(answering(_status(429, "Retry-After: 1000000000"))),
    }
    at = await stand(lab, acts, hang={"retry": {"delays": [delay], "jitter": JITTER}})
    each = lab.scaled(EACH)
    for number, end in enumerate(acts):
        await at.load.publish(range(number * each, (number + 1) * each), type_="Hang", end=end)
    worker = await at.worker()
    await at.have_ended((len(acts) - 1) * each)
    clamped = await _skip_the_wait(at, each)
    await at.have_ended(len(acts) * each)
    await at.stop(worker)
    least = [*forms.values(), 2.0]  # a date has whole seconds only
    for key, (first, second, *more) in at.endpoint.arrived.items():
        asked = least[key.seq // each] if key.seq < len(least) * each else 0.0
        assert not more, f"{key} came more than twice"
        assert second - first >= asked * (1 - JITTER), f"{key} came after {second - first:.2f} s, not {asked:g} s"
    return await at.verdict(notes=f"thirty years became {clamped:.0f} s")


async def _in_three_seconds(call: Call) -> None:
    await call.say(_status(429, f"Retry-After: {formatdate(time.time() + 3, usegmt=True)}"))


async def _skip_the_wait(at: Stand, count: int) -> float:
    """Makes due what was asked to wait for long; seconds until then as they were stored."""
    owners = await ask(at.client, "ZRANGE", KEYS.parked, 0, -1)
    assert len(owners) == count, owners
    wait = max([float(await ask(at.client, "ZSCORE", KEYS.parked, owner)) for owner in owners]) / 1000 - time.time()
    assert MOST_ASKED - 60 < wait <= MOST_ASKED + 1, f"stored for {wait:.0f} s"
    await ask(at.client, "ZADD", KEYS.parked, *(word for owner in owners for word in (0, owner)))
    return wait


@experiment("410 Gone: paused, held, resumed", smoke=True)
async def _gone(lab: Lab) -> Verdict:
    is_gone = True

    async def gone(call: Call) -> None:
        await call.say(_status(410) if is_gone else _status(200))

    at = await stand(lab, {"ok": gone}, hang={"timeout": 5})
    events = lab.scaled(50)
    worker = await at.worker()
    await at.load.publish(range(events), type_="Hang")
    await eventually(lambda: _all_stored(at, events), 30, "all that is not dead is held")
    asked = len(at.sink.arrivals)
    await at.load.publish(range(events, 2 * events), type_="Hang")
    await eventually(lambda: _all_stored(at, 2 * events), 30, "later events are held, too")
    assert len(at.sink.arrivals) == asked, "a paused handler was called"
    await asyncio.sleep(LOOK)
    is_gone = False
    assert await ended(await at.crew.run("handlers", "resume", "hang", "--rate", "1000/s"), 20) == 0, at.crew.log
    await at.have_ended(2 * events)
    await at.stop(worker)
    reasons = {letter.reason for letter in await at.letters()}
    assert reasons == {"gone"}, reasons
    return await at.verdict(notes=f"{asked} asked before the pause was known, {2 * events - asked} held and delivered")


async def _all_stored(at: Stand, count: int) -> bool:
    return await at.total("dead") + await at.total("stored") == count


@experiment("redirects to a metadata address, to a neighbour and in a circle")
async def _redirects(lab: Lab) -> Verdict:
    at = await stand(lab, hang={"retry": {"delays": [0.2]}})
    neighbour = await lab.enter(HostileEndpoint(at.sink, {}))
    targets = ["http://169.254.169.254/latest/meta-data/", f"{neighbour.url}/stolen", f"{at.endpoint.url}{PATH}"]
    statuses = [301, 302, 303, 307, 308]
    acts: dict[str, Act] = {
        f"{status} {number}": answering(_status(status, f"Location: {target}"))
        for status in statuses
        for number, target in enumerate(targets)
    }
    at.endpoint.acts.update(acts)
    for number, end in enumerate(acts):
        await at.load.publish(range(number * 4, number * 4 + 4), type_="Hang", end=end)
    await at.drain()
    assert neighbour.connections == 0, "a redirect was followed"
    assert set(at.sink.arrivals.values()) == {2}, "each event has two attempts, and no hop more"
    dead = {Key(int(seq), PATH) for seq in range(len(acts) * 4)} - set(at.sink.delivered)
    return await at.verdict(notes=f"{len(dead)} dead, 0 connections elsewhere")
