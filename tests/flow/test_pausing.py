"""Paused handlers: events are stored, nothing is sent, and a resume or a probe brings everything on its way again."""

import time

import msgspec
import pytest

from streamhooks.store.connection import ask
from streamhooks.store.pauses import HELD, Pauses
from tests.flow.rig import Rig
from tests.servers import Answer
from tests.waiting import eventually


async def change(rig: Rig, handler: str = "h", **members: object) -> None:
    """Sets members of a handler's note, as if time had passed."""
    note = msgspec.json.decode(await ask(rig.redis, "HGET", rig.keys.handlers, handler))
    await ask(rig.redis, "HSET", rig.keys.handlers, handler, msgspec.json.encode(note | members))


async def held(rig: Rig) -> int:
    return sum((await Pauses(rig.redis, rig.keys).held()).values())


async def test_a_paused_handlers_events_are_kept_and_delivered_when_it_is_resumed(rig: Rig) -> None:
    pauses = Pauses(rig.redis, rig.keys)
    await pauses.pause("h", "operator", "maintenance")
    async with rig.working(rig.handler()):
        await rig.publish_many(20)
        await eventually(lambda: held(rig), saying="the first event is held")
        await eventually(lambda: counted(rig, 20), saying="all are held")
        assert rig.endpoint.received == []
        assert {record.attempt for record in (await rig.stored()).values()} == {1}
        await pauses.resume("h", rate=1000)
        await rig.settled(delivered=20)
    assert sorted(rig.arrived) == sorted(f"k{number}" for number in range(20))


async def counted(rig: Rig, count: int) -> bool:
    return await held(rig) == count


async def test_a_worker_that_starts_knows_at_once_who_is_paused(rig: Rig) -> None:
    await rig.publish_many(5)
    await Pauses(rig.redis, rig.keys).pause("h", "operator", "")
    async with rig.working(rig.handler()):
        await eventually(lambda: counted(rig, 5))
    assert rig.endpoint.received == []


async def test_a_pause_reaches_a_worker_that_runs_and_other_handlers_go_on(rig: Rig) -> None:
    pauses = Pauses(rig.redis, rig.keys)
    async with rig.working(rig.handler("a", on=["AuthFailure"]), rig.handler("b")) as worker:
        await rig.publish("one")
        await rig.settled(delivered=2)
        await pauses.pause("a", "operator", "")
        await eventually(lambda: bool(worker.lanes["a"].standing.why))
        await rig.publish("two")
        await eventually(lambda: counted(rig, 1))
        assert [request.path for request in rig.endpoint.received].count("/b") == 2
        await pauses.resume("a", rate=1000)
        await rig.settled(delivered=4)


async def test_duplicates_of_a_held_event_are_suppressed_inside_its_cool_down(rig: Rig) -> None:
    pauses = Pauses(rig.redis, rig.keys)
    await pauses.pause("h", "operator", "")
    async with rig.working(rig.handler(event_timeout=60)):
        for _ in range(4):
            await rig.publish("same")
        await eventually(lambda: total(rig, "suppressed", 3))
        assert await held(rig) == 1
        assert [value[0] for value in (await rig.cool_downs()).values()] == ["r"]
        await pauses.resume("h", rate=1000)
        await rig.settled(delivered=1, suppressed=3)


async def total(rig: Rig, term: str, count: int) -> bool:
    return (await rig.totals()).get(term, 0) == count


async def test_410_dead_letters_the_event_and_pauses_the_handler_for_an_hour(rig: Rig) -> None:
    rig.endpoint.script(410)
    async with rig.working(rig.handler(concurrency=1)):
        await rig.publish_many(10)
        await eventually(lambda: counted(rig, 9), saying="the other nine are held")
        (letter,) = await rig.letters()
        assert (letter.reason, letter.status) == ("gone", 410)
        note = (await Pauses(rig.redis, rig.keys).notes())["h"]
        assert (note.state, note.kind, note.why) == ("paused", "gone", "status 410")
        assert note.until - note.since == 3_600_000
    assert len(rig.endpoint.received) == 1
    (said,) = rig.records.of("handler_paused")
    assert (said["handler"], said["seconds"]) == ("h", 3600.0)
    assert said["way_out"] == "streamhooks handlers resume h"


async def test_after_the_hour_one_probe_is_sent_and_its_success_resumes_the_handler(rig: Rig) -> None:
    rig.endpoint.script(410)
    async with rig.working(rig.handler()):
        await rig.publish("first")
        await eventually(lambda: total(rig, "dead", 1))
        await eventually(lambda: noted(rig), saying="the pause is noted")
        await rig.publish_many(5)
        await eventually(lambda: counted(rig, 5))
        rig.endpoint.script(Answer(then="hang"), 200)
        await change(rig, until=1)
        await rig.endpoint.wait_for(2)
        assert await held(rig) == 4, "one probe at a time"
        rig.endpoint.release()
        await eventually(lambda: bool(rig.records.of("handler_resumed")))
        await rig.settled(delivered=5, dead=1)
    assert sorted(rig.arrived[1:]) == sorted(f"k{number}" for number in range(5))


async def noted(rig: Rig) -> bool:
    return bool(await Pauses(rig.redis, rig.keys).notes())


async def test_a_probe_that_is_answered_410_pauses_for_another_hour(rig: Rig) -> None:
    rig.endpoint.script(410)
    async with rig.working(rig.handler()):
        await rig.publish("first")
        await eventually(lambda: noted(rig))
        await rig.publish("second")
        await eventually(lambda: counted(rig, 1))
        await change(rig, until=1)
        await eventually(lambda: total(rig, "dead", 2))
        await eventually(lambda: paused_for(rig, 3500))
    assert len(rig.endpoint.received) == 2


async def paused_for(rig: Rig, seconds: int) -> bool:
    note = (await Pauses(rig.redis, rig.keys).notes()).get("h")
    return note is not None and note.until - await rig.now() > seconds * 1000


@pytest.mark.parametrize(("paused", "ending"), [(3600_000, "delivered"), (0, "dead")])
async def test_the_time_while_paused_does_not_count_for_max_age(rig: Rig, paused: int, ending: str) -> None:
    """A retry that was held for an hour and has a maximum age of a minute is made; one that merely waited is not."""
    rig.endpoint.script(503, 503, 200)
    hour_ago = await rig.now() - 3600_000
    retry = {"delays": [30, 30, 30], "jitter": 0, "max_age": 60}
    async with rig.working(rig.handler(retry=retry)):
        await rig.publish("abc")
        await eventually(rig.stored)
        ((owner, record),) = (await rig.stored()).items()
        await rig.rewrite(owner, msgspec.structs.replace(record, first=hour_ago, paused=paused))
        await rig.due_now()
        await rig.endpoint.wait_for(2)
        if ending == "delivered":
            await eventually(rig.stored)
            await rig.due_now()
        await rig.settled(**{ending: 1})


async def test_a_job_that_waits_in_the_queue_is_held_when_the_endpoint_says_410(rig: Rig) -> None:
    rig.endpoint.script(Answer(410, then="hang"))
    async with rig.working(rig.handler(concurrency=1), worker={"in_flight": 64}) as worker:
        await rig.publish_many(10)
        await eventually(lambda: worker.room.active == 10)
        rig.endpoint.release()
        await eventually(lambda: counted(rig, 9))
    assert len(rig.endpoint.received) == 1


def test_the_score_of_a_held_record_is_exact() -> None:
    """A double holds whole numbers up to 2^53."""
    assert HELD + time.time() * 1000 < 2**53
