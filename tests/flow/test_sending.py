"""Sending: slots, slow endpoints, full lanes, breakers, and what a retry keeps."""

import asyncio
import gc

import pytest

from streamhooks.flow.carrier import Carrier, Job
from streamhooks.flow.worker import Worker
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.store.record import Record
from tests.flow.rig import Rig
from tests.servers import Answer, Endpoint
from tests.waiting import eventually


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_bodyless_method_carries_no_body(rig: Rig, method: str) -> None:
    async with rig.working(rig.handler(method=method)):
        await rig.publish("abc")
        await rig.settled(delivered=1)
    (request,) = rig.endpoint.received
    assert (request.method, request.body) == (method, b"")
    assert not {"content-type", "transfer-encoding"} & request.headers.keys()
    assert request.headers.get("content-length", "0") == "0"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_other_methods_carry_the_rendered_body(rig: Rig, method: str) -> None:
    async with rig.working(rig.handler(method=method)):
        await rig.publish("abc")
        await rig.settled(delivered=1)
    assert (rig.endpoint.received[0].method, rig.arrived) == (method, ["abc"])


async def test_a_handler_never_has_more_requests_under_way_than_slots(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(concurrency=3)) as worker:
        await rig.publish_many(20)
        await eventually(lambda: rig.endpoint.at_once == 3 and worker.room.active == 20)
        rig.endpoint.release()
        await rig.settled(delivered=20)
    assert rig.endpoint.most_at_once == 3
    assert sorted(rig.arrived) == sorted(f"k{number}" for number in range(20))


async def test_a_slow_endpoint_does_not_hold_up_another_handler(rig: Rig) -> None:
    async with Endpoint() as slow:
        slow.script(Answer(then="hang"))
        async with rig.working(
            rig.handler("slow", target_path=slow.url, concurrency=2), rig.handler("quick"), worker={"in_flight": 256}
        ):
            await rig.publish_many(30)
            await rig.endpoint.wait_for(30)
            assert len(slow.received) == 2
            slow.release()
            await rig.settled(delivered=60)


async def test_a_job_that_waits_for_a_place_goes_on_where_the_breaker_has_emptied_the_lane_meanwhile(rig: Rig) -> None:
    rig.endpoint.script(Answer(status=503, then="hang"))
    await rig.publish_many(3)
    breaker = {"consecutive": 1, "open": 60}
    handler = rig.handler(concurrency=1, breaker=breaker, retry={"delays": [60]})
    async with rig.working(handler, worker={"in_flight": 4}, stream={"start": "0"}) as worker:
        await eventually(lambda: rig.endpoint.at_once == 1 and worker.room.active == 3)
        rig.endpoint.release()

        async def all_stored() -> bool:
            return len(await rig.stored()) == 3

        await eventually(all_stored, saying="one was sent, one was queued, and one waited for its place in the queue")
    whys = sorted(record.why for record in (await rig.stored()).values())
    assert whys == ["breaker open", "breaker open", "status 503"]


async def _stored(rig: Rig, count: int) -> bool:
    return len(await rig.stored()) == count


async def test_a_full_and_stalled_lane_defers_and_everything_is_delivered_in_the_end(rig: Rig) -> None:
    async with Endpoint() as dead:
        dead.script(Answer(then="hang"))
        stalled = rig.handler("stalled", on=["AuthFailure"], target_path=dead.url, concurrency=1)
        async with rig.working(stalled, rig.handler("quick", on=["KeyExpired"]), worker={"in_flight": 8}):
            await rig.publish_many(20)
            await rig.publish("other", "KeyExpired")
            await rig.endpoint.wait_for(1)  # behind twenty events for an endpoint that does not answer
            saying = "one is being sent, and a quarter of in_flight is queued"
            await eventually(lambda: _stored(rig, 17), saying=saying)
            stored = await rig.stored()
            assert {(record.attempt, record.why) for record in stored.values()} == {(1, "handler full")}
            dead.release()
            dead.script(200)
            await rig.due_now()
            await rig.settled(delivered=21)
        assert len(dead.received) == 20, "a deferral is no attempt"


async def test_a_burst_to_a_quick_endpoint_never_takes_the_long_way(rig: Rig) -> None:
    async with rig.working(rig.handler(concurrency=2), worker={"in_flight": 8}) as worker:
        await rig.publish_many(200)
        await rig.settled(delivered=200)
        assert worker.figures.of("h").outcomes == {"delivered": 200}


async def test_an_open_breaker_stores_events_without_an_attempt_and_delivers_after_it_closes(rig: Rig) -> None:
    rig.endpoint.script(500)
    policy = {"consecutive": 3, "open": 0.5, "open_cap": 0.5}
    async with rig.working(rig.handler(breaker=policy, retry={"delays": [0.05] * 20})) as worker:
        await rig.publish_many(3)
        lane = worker.lanes["h"]
        await eventually(lambda: lane.breaker_state == 2)
        held = await rig.publish("held")

        async def is_stored() -> bool:
            record = (await rig.stored()).get(f"{held}|h")
            return record is not None and (record.attempt, record.why) == (1, "breaker open")

        await eventually(is_stored)
        assert "held" not in rig.arrived
        rig.endpoint.script(200)
        await rig.settled(delivered=4)
        assert lane.breaker_state == 0
    assert rig.arrived.count("held") == 1


async def _stored_attempt(rig: Rig, owner: str, attempt: int) -> Record:
    """The record of an owner, once it waits for this attempt."""

    async def found() -> Record | None:
        await rig.wake()
        record = (await rig.stored()).get(owner)
        return record if record is not None and record.attempt == attempt else None

    record = await eventually(found, saying=f"{owner} waits for attempt {attempt}")
    assert record is not None
    return record


async def test_a_retry_keeps_its_webhook_id_its_first_time_and_its_fingerprint(rig: Rig) -> None:
    """Also where the template has changed meanwhile: the cool-down is that of the first attempt."""
    rig.endpoint.script(503, 503, 200)
    name = rig.template("body.json", '{"key": "{{.Meta.Key}}", "old": true}')
    handler = rig.handler(template_path=name, event_timeout=10, retry={"delays": [60, 60]})
    async with rig.working(handler) as worker:
        entry = await rig.publish("abc")
        first = await _stored_attempt(rig, f"{entry}|h", 2)
        cool_downs = list(await rig.cool_downs())
        rig.template("body.json", '{"key": "{{.Meta.Key}}", "new": true}')
        worker.lanes.replace(Catalogue(rig.loaded(handler).handlers))
        await rig.due_now()
        second = await _stored_attempt(rig, f"{entry}|h", 3)
        await rig.due_now()
        await rig.settled(delivered=1)
        assert (second.fingerprint, second.first, second.origin) == (first.fingerprint, first.first, entry)
        assert list(await rig.cool_downs()) == cool_downs == [f"h:{first.fingerprint}"]
        assert [mark.split("|")[0] for mark in (await rig.cool_downs()).values()] == ["d"]
    assert len({request.headers["webhook-id"] for request in rig.endpoint.received}) == 1
    assert [b"new" in body for body in rig.endpoint.bodies] == [False, True, True]


async def test_a_retry_whose_handler_is_gone_is_a_dead_letter(rig: Rig) -> None:
    rig.endpoint.script(503)
    async with rig.working(rig.handler(retry={"delays": [60]}), rig.handler("other", on=["KeyExpired"])) as worker:
        entry = await rig.publish("abc")
        await _stored_attempt(rig, f"{entry}|h", 2)
        worker.lanes.replace(Catalogue(rig.loaded(rig.handler("other", on=["KeyExpired"])).handlers))
        await rig.due_now()
        await rig.settled(dead=1)
    (letter,) = await rig.letters()
    assert (letter.reason, letter.handler, letter.origin) == ("handler_removed", "h", entry)
    assert len(rig.endpoint.received) == 1


async def test_what_cannot_be_stored_for_want_of_room_is_a_dead_letter(rig: Rig) -> None:
    rig.endpoint.script(503)
    async with rig.working(rig.handler(retry={"delays": [60]}), worker={"max_parked": 2}):
        await rig.publish_many(5)

        async def three_are_dead() -> bool:
            return (await rig.totals()).get("dead") == 3

        await eventually(three_are_dead)
        rig.endpoint.script(200)
        await rig.due_now()
        await rig.settled(delivered=2, dead=3)
    assert {letter.reason for letter in await rig.letters()} == {"overflow"}


async def test_a_reload_while_delivering_ends_the_old_by_the_old_and_sends_the_new_by_the_new(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(concurrency=1)) as worker:
        await rig.publish_many(4, "old")
        await eventually(lambda: rig.endpoint.at_once == 1 and worker.room.active == 4)
        _reload(rig, worker, "/new")
        await rig.publish_many(2, "new")
        await rig.endpoint.wait_for(2)
        rig.endpoint.release()
        await rig.settled(delivered=6)
    paths = {key: request.path for key, request in zip(rig.arrived, rig.endpoint.received, strict=True)}
    assert len(paths) == 6, "each once"
    assert {path for key, path in paths.items() if key.startswith("old")} == {"/h"}
    assert {path for key, path in paths.items() if key.startswith("new")} == {"/new"}


async def test_a_stop_after_a_reload_sends_nothing_more_that_was_queued_before_it(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(concurrency=1), worker={"lease": 60}) as worker:
        await rig.publish_many(4, "old")
        await eventually(lambda: rig.endpoint.at_once == 1 and worker.room.active == 4)
        _reload(rig, worker, "/new")
        releasing = asyncio.create_task(_release_when_one_is_left(rig, worker))
    await releasing
    assert len(rig.endpoint.received) == 1
    async with rig.working(rig.handler()):
        await rig.settled(delivered=4)
    assert sorted(rig.arrived) == ["old0", "old1", "old2", "old3"]


async def _release_when_one_is_left(rig: Rig, worker: Worker) -> None:
    await eventually(lambda: worker.stopping.is_set() and worker.room.active == 1)
    rig.endpoint.release()


def _reload(rig: Rig, worker: Worker, path: str) -> None:
    fresh = rig.loaded(rig.handler(target_path=rig.endpoint.url + path, concurrency=1))
    worker.lanes.replace(Catalogue(fresh.handlers))


async def test_what_an_event_leaves_is_freed_without_the_collector(rig: Rig) -> None:
    """A circle for each event would grow for minutes, because `serve` has the collector look rarely."""
    async with rig.working(rig.handler()):
        gc.collect()
        gc.disable()
        try:
            await rig.publish_many(50)
            await rig.settled(delivered=50)
            left = [thing for thing in gc.get_objects() if isinstance(thing, Job | Carrier)]
        finally:
            gc.enable()
    assert left == []
