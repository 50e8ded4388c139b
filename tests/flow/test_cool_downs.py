"""The cool-down that loses nothing: what each state in Redis means to an event that meets it."""

import pytest

from streamhooks.flow.worker import Worker
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.store.connection import ask
from streamhooks.store.dead import DeadLetters
from tests.flow.rig import Rig
from tests.servers import Answer
from tests.waiting import eventually

WINDOW = 10
OWN = "1-1|h"
OTHER = "5-5|h"


def waiting(worker: Worker) -> int:
    """Events behind another's claim."""
    return sum(len(line.intake.waiting) for line in worker.lines)


@pytest.mark.parametrize(
    ("state", "owner", "age", "end", "sent"),
    [
        pytest.param("c", OWN, 0, "delivered", 1, id="own claim: send"),
        pytest.param("r", OWN, 0, "delivered", 1, id="own stored record: send"),
        pytest.param("d", OWN, 0, "delivered", 0, id="own delivery: finish without sending"),
        pytest.param("x", OWN, 0, "delivered", 1, id="own dead letter: send"),
        pytest.param("d", OTHER, 1, "suppressed", 0, id="another's delivery, inside"),
        pytest.param("x", OTHER, 1, "suppressed", 0, id="another's dead letter, inside"),
        pytest.param("d", OTHER, WINDOW + 1, "delivered", 1, id="another's delivery, older"),
        pytest.param("x", OTHER, WINDOW + 1, "delivered", 1, id="another's dead letter, older"),
        pytest.param("r", OTHER, 1, "suppressed", 0, id="another's stored record, inside"),
        pytest.param("r", OTHER, WINDOW + 1, "suppressed", 0, id="another's stored record, whatever its age"),
    ],
)
async def test_an_event_that_meets_a_mark_ends_as_the_table_says(
    rig: Rig, state: str, owner: str, age: float, end: str, sent: int
) -> None:
    loaded = rig.loaded(rig.handler(event_timeout=WINDOW))
    stamp = await rig.now() - int(age * 1000)
    await rig.redis.set(rig.cool_key(loaded, "abc"), f"{state}|{owner}|{stamp}", px=60_000)
    await rig.publish("abc", id="1-1")
    async with rig.running(loaded):
        await rig.settled(**{end: 1})
    assert len(rig.endpoint.received) == sent


async def test_a_duplicate_that_meets_a_live_claim_waits_and_is_suppressed_once_the_first_is_delivered(
    rig: Rig,
) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(event_timeout=WINDOW)) as worker:
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await rig.publish("abc")
        await eventually(lambda: waiting(worker) == 1)
        assert await rig.pending() == 2
        assert await rig.totals() == {}
        rig.endpoint.release()
        await rig.settled(delivered=1, suppressed=1)
    assert len(rig.endpoint.received) == 1


async def test_a_duplicate_in_the_same_read_is_suppressed_too(rig: Rig) -> None:
    for _ in range(5):
        await rig.publish("abc")
    async with rig.working(rig.handler(event_timeout=WINDOW)):
        await rig.settled(delivered=1, suppressed=4)
    assert rig.arrived == ["abc"]


async def test_a_duplicate_of_a_request_that_failed_is_suppressed_for_that_one_is_stored(rig: Rig) -> None:
    rig.endpoint.script(Answer(503, then="hang"), 200)
    async with rig.working(rig.handler(event_timeout=WINDOW)) as worker:
        first = await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await rig.publish("abc")
        await eventually(lambda: waiting(worker) == 1)
        rig.endpoint.release()
        await rig.settled(delivered=1, suppressed=1)
    assert [r.headers["webhook-id"].split("_")[1] for r in rig.endpoint.received] == [first, first]


async def test_a_duplicate_is_delivered_once_more_if_the_first_ones_worker_dies(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"), 200)
    handler = rig.handler(event_timeout=WINDOW)
    async with rig.doomed(handler):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        async with rig.working(handler):  # either of the two reads the duplicate, and lets it wait
            await rig.publish("abc")

            async def both_are_pending() -> bool:
                return await rig.pending() == 2

            await eventually(both_are_pending)
    async with rig.working(handler):
        await rig.settled(delivered=1, suppressed=1)
    assert len(rig.endpoint.received) == 2, "the one whose answer the dead worker never saw, and one more"


async def test_a_duplicate_is_delivered_when_a_claim_ends_without_a_word(rig: Rig) -> None:
    """As after the death of a worker whose own entry is lost: the duplicate was never given up for a mere claim."""
    loaded = rig.loaded(rig.handler(event_timeout=WINDOW))
    await rig.redis.set(rig.cool_key(loaded, "abc"), f"c|{OTHER}|{await rig.now()}", px=600)
    async with rig.running(loaded) as worker:
        await rig.publish("abc")
        await eventually(lambda: waiting(worker) == 1)
        assert not rig.endpoint.received
        await rig.settled(delivered=1)
    assert rig.arrived == ["abc"]


async def test_more_waiting_duplicates_than_a_thousand_are_stored_and_none_is_lost(rig: Rig) -> None:
    loaded = rig.loaded(rig.handler(event_timeout=WINDOW), worker={"lease": 2})
    key = rig.cool_key(loaded, "abc")
    await rig.redis.set(key, f"c|{OTHER}|{await rig.now()}", px=30_000)
    async with rig.redis.pipeline(transaction=False) as pipeline:
        for _ in range(1003):
            pipeline.xadd(
                "gateway:events", {"type": "AuthFailure", "message": "Auth Failure", "path": "/w", "key": "abc"}
            )
        await pipeline.execute()
    async with rig.running(loaded):
        stored = await eventually(rig.stored)
        assert {(record.attempt, record.why) for record in stored.values()} == {(1, "waits for another delivery")}
        assert (await rig.cool_downs()).popitem()[1].startswith(f"c|{OTHER}"), "the key is not touched"
        await rig.redis.delete(key)
        await rig.settled(delivered=1, suppressed=1002)
    assert rig.arrived == ["abc"]


async def test_a_waiting_duplicate_whose_handler_is_removed_is_a_dead_letter(rig: Rig) -> None:
    loaded = rig.loaded(rig.handler(event_timeout=WINDOW))
    key = rig.cool_key(loaded, "abc")
    await rig.redis.set(key, f"c|{OTHER}|{await rig.now()}", px=30_000)
    async with rig.running(loaded) as worker:
        await rig.publish("abc")
        await eventually(lambda: waiting(worker) == 1)
        worker.lanes.replace(Catalogue(()))
        await rig.redis.delete(key)
        await rig.settled(dead=1)
    assert [letter.reason for letter in await rig.letters()] == ["handler_removed"]


async def test_handlers_have_cool_downs_of_their_own(rig: Rig) -> None:
    async with rig.working(rig.handler("a", event_timeout=WINDOW), rig.handler("b", event_timeout=WINDOW)):
        await rig.publish("abc")
        await rig.publish("abc")
        await rig.settled(delivered=2, suppressed=2)
    assert sorted(request.path for request in rig.endpoint.received) == ["/a", "/b"]


async def test_without_an_event_timeout_every_event_is_sent(rig: Rig) -> None:
    async with rig.working(rig.handler()):
        for _ in range(3):
            await rig.publish("abc")
        await rig.settled(delivered=3)
        assert await rig.cool_downs() == {}


async def test_a_duplicate_of_a_dead_letter_is_suppressed_and_its_replay_is_not(rig: Rig) -> None:
    rig.endpoint.script(422, 200)
    async with rig.working(rig.handler(event_timeout=WINDOW)):
        await rig.publish("abc")
        await rig.settled(dead=1)
        await rig.publish("abc")
        await rig.settled(dead=1, suppressed=1)
        dead = DeadLetters(rig.redis, rig.keys)
        (letter,) = [letter async for letter in dead.letters()]
        assert await dead.replay([letter])
        assert not await dead.replay([letter]), "a letter is replayed once"
        await rig.settled(delivered=1, suppressed=1)
        await rig.publish("abc")
        await rig.settled(delivered=1, suppressed=2)
    assert len(rig.endpoint.received) == 2


async def test_every_mark_has_an_end(rig: Rig) -> None:
    rig.endpoint.script(200, 422)
    async with rig.working(rig.handler(event_timeout=WINDOW, concurrency=1)):
        await rig.publish_many(2)
        await rig.settled(delivered=1, dead=1)
        for name in await rig.cool_downs():
            assert 0 < await ask(rig.redis, "PTTL", f"{rig.keys.tag}:cool:{name}") <= WINDOW * 1000
