"""`explain` of what is on its way: held, parked, due, pending, waiting, not read; each made by a real worker."""

from streamhooks.flow.story.words import moment
from streamhooks.store.connection import ask
from streamhooks.store.pauses import Pauses
from tests.doors.command import command
from tests.flow.explaining import explained
from tests.flow.rig import GROUP, STREAM, Rig
from tests.flow.test_pausing import counted
from tests.flow.test_recovery import make_group
from tests.servers import Answer
from tests.waiting import eventually


async def test_paused_is_held_since_and_until(rig: Rig) -> None:
    await Pauses(rig.redis, rig.keys).pause("h", "operator", "maintenance", 3600)
    note = (await Pauses(rig.redis, rig.keys).notes())["h"]
    async with rig.working(rig.handler()):
        entry = await rig.publish("abc")
        await eventually(lambda: counted(rig, 1))
        told = await explained(rig, entry, rig.handler())
    assert told.happened[2] == "h: stored without an attempt, until its handler is resumed: handler paused"
    assert told["now"] == [
        f"h  held: its handler is paused since {moment(note.since)}, until {moment(note.until)} (maintenance)"
    ]
    assert told["what to do"][:2] == ["let the handler go on", "streamhooks handlers resume h"]


async def test_parked_until_its_next_attempt(rig: Rig) -> None:
    rig.endpoint.script(503)
    handler = rig.handler(retry={"delays": [600], "jitter": 0})
    async with rig.working(handler):
        entry = await rig.publish("abc")
        (record,) = (await eventually(rig.stored)).values()
        told = await explained(rig, entry, handler)
    until = moment(record.last + 600_000)
    assert told["now"][0].startswith(f"h  stored (status 503): attempt 2 is due at {until}, in ")
    assert told["what to do"] == [
        "it is tried by itself; try the endpoint now", "streamhooks fire --handler h",
    ]  # fmt: skip


async def test_what_an_open_breaker_holds_up(rig: Rig) -> None:
    rig.endpoint.script(503)
    handler = rig.handler(breaker={"consecutive": 1, "open": 600}, retry={"delays": [600]}, concurrency=1)
    async with rig.working(handler):
        await rig.publish("first")
        await eventually(rig.stored)
        entry = await rig.publish("second")
        await eventually(lambda: two_stored(rig))
        told = await explained(rig, entry, handler)
    assert told.happened[2].startswith("h: stored without an attempt, again in 1")
    assert told.happened[2].endswith(": breaker open")
    assert told["now"][0].startswith("h  stored (breaker open): attempt 1 is due at ")


async def two_stored(rig: Rig) -> bool:
    return len(await rig.stored()) == 2


async def test_a_retry_that_is_due_while_no_worker_runs(rig: Rig) -> None:
    rig.endpoint.script(503)
    handler = rig.handler(retry={"delays": [600]})
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await eventually(rig.stored)
    await rig.due_now()
    told = await explained(rig, entry, handler)
    assert told["now"] == ["h  due since 1970-01-01T00:00:00.000Z (status 503): no worker is running"]
    assert told["what to do"][:2] == ["start a worker", "streamhooks serve"]


async def test_pending_at_a_worker_that_sends_it(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(), worker={"lease": 60}) as worker:
        entry = await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        told = await explained(rig, entry, rig.handler(), worker={"lease": 60})
        rig.endpoint.release()
    assert told["now"][0].startswith(f"h  pending at {worker.consumer}, handed out once, last kept alive at 2")
    assert "not been heard of" not in told["now"][0]
    assert told["what to do"] == ["it goes on by itself; watch it", "streamhooks status --watch"]


async def test_pending_at_a_dead_worker_says_who_takes_it_over_and_how_to_hurry(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.doomed(rig.handler()) as worker:
        entry = await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        dead = worker.consumer
    await eventually(lambda: silent(rig, dead))
    told = await explained(rig, entry, rig.handler())
    assert told["now"][0].startswith(f"h  pending at {dead}, handed out once, last kept alive at 2")
    assert "; that worker has not been heard of for " in told["now"][0]
    assert ": any other takes it over within the lease (1s); no worker is running" in told["now"][0]
    claim = ["do not wait for the lease", f"streamhooks pending claim {entry}"]
    assert told["what to do"] == ["start a worker", "streamhooks serve", *claim]
    ran = await command(*claim[1].split()[1:], "--redis-url", rig.url)
    assert ran.code == 0
    told = await explained(rig, entry, rig.handler())
    assert told["now"][0].startswith("h  given up by its worker, handed out once: any worker takes it over within 5s")


async def silent(rig: Rig, consumer: str) -> bool:
    """The worker is gone for longer than a live one may be silent."""
    found = await ask(rig.redis, "XINFO CONSUMERS", STREAM, GROUP)
    return any(one["name"].decode() == consumer and one["idle"] > 2100 for one in found)


async def test_a_duplicate_waits_for_the_end_of_the_other_ones_request(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    handler = rig.handler(event_timeout=60)
    async with rig.working(handler, worker={"lease": 60}):
        first = await rig.publish("same")
        await rig.endpoint.wait_for(1)
        second = await rig.publish("same")
        await eventually(lambda: two_pending(rig))
        told = await explained(rig, second, handler, worker={"lease": 60})
        assert f"; it waits for the end of the same request of {first}, which is under way" in told["now"][0]
        rig.endpoint.release()
        await rig.settled(delivered=1, suppressed=1)


async def two_pending(rig: Rig) -> bool:
    return await rig.pending() == 2


async def test_waiting_to_be_read(rig: Rig) -> None:
    first, second = await rig.publish_many(2)
    told = await explained(rig, first, rig.handler())
    assert told["now"] == ["h  waiting to be read: no worker has ever read this stream"]
    await make_group(rig)
    told = await explained(rig, second, rig.handler())
    assert told["now"] == ["h  waiting to be read: 1 entry is before it; no worker is running"]
    assert told["what to do"] == ["start a worker", "streamhooks serve"]
