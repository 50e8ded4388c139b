"""A tour of streamhooks, to be read first and in order: what happens to an event, from XADD to its end.

`rig` starts real workers in this process, between a real server and an endpoint that answers as it is told;
`rig.settled(...)` waits until nothing is left to do, and then checks the account: every event has exactly one end.
"""

import shlex

import msgspec

from streamhooks.store.connection import ask
from streamhooks.store.dead import DeadLetters
from tests.flow.rig import Rig
from tests.servers import Answer
from tests.waiting import eventually


async def test_an_event_becomes_the_webhook_that_the_gateways_own_handler_object_describes(rig: Rig) -> None:
    handler = {
        "handler_name": "eh_web_hook_handler",
        "handler_meta": {
            "method": "POST",
            "target_path": f"{rig.endpoint.url}/post.php?dir=tyk-event-test",
            "template_path": "templates/default_webhook.json",
            "header_map": {"X-Tyk-Test-Header": "Tyk v1.BANANA"},
            "event_timeout": 10,
        },
    }
    async with rig.working(event_handlers={"events": {"AuthFailure": [handler]}}):
        command = 'XADD gateway:events * type AuthFailure message "Auth Failure" path /widgets origin 10.0.0.1 key abc'
        await ask(rig.redis, *shlex.split(command))
        (request,) = await rig.endpoint.wait_for(1)
        await rig.settled(delivered=1)
    assert (request.method, request.path) == ("POST", "/post.php?dir=tyk-event-test")
    assert request.headers["x-tyk-test-header"] == "Tyk v1.BANANA"
    assert request.headers["content-type"] == "application/json"
    assert msgspec.json.decode(request.body) == {
        "event": "AuthFailure",
        "message": "Auth Failure",
        "path": "/widgets",
        "origin": "10.0.0.1",
        "key": "abc",
    }


async def test_an_identical_event_is_held_back_inside_its_cool_down_and_not_after_it(rig: Rig) -> None:
    async with rig.working(rig.handler(event_timeout=1)):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await rig.publish("abc")
        await rig.publish("another")
        await rig.settled(delivered=2, suppressed=1)
        assert sorted(rig.arrived) == ["abc", "another"]

        delivered_at = max(int(mark.split("|")[-1]) for mark in (await rig.cool_downs()).values())

        async def is_over() -> bool:
            return await rig.now() > delivered_at + 1000

        await eventually(is_over)
        await rig.publish("abc")
        await rig.settled(delivered=3, suppressed=1)
    assert sorted(rig.arrived) == ["abc", "abc", "another"]


async def test_a_failed_delivery_is_tried_again_with_the_same_webhook_id(rig: Rig) -> None:
    rig.endpoint.script(503, 500, 200)
    async with rig.working(rig.handler()):
        await rig.publish("abc")
        await rig.settled(delivered=1)
    assert len(rig.endpoint.received) == 3
    assert len({(request.headers["webhook-id"], request.body) for request in rig.endpoint.received}) == 1


async def test_what_cannot_be_delivered_is_kept_as_a_dead_letter(rig: Rig) -> None:
    rig.endpoint.script(Answer(500, b"out of order"))
    async with rig.working(rig.handler()):
        entry = await rig.publish("abc")
        await rig.settled(dead=1)
    assert len(rig.endpoint.received) == 3, "the first attempt, and one after each of the two delays"
    (letter,) = await rig.letters()
    assert (letter.origin, letter.handler, letter.reason, letter.attempt) == (entry, "h", "exhausted", 3)
    assert (letter.status, letter.answer) == (500, b"out of order")
    assert 0 < letter.first < letter.last


async def test_a_dead_letter_can_be_replayed_and_keeps_its_webhook_id(rig: Rig) -> None:
    rig.endpoint.script(422, 200)
    async with rig.working(rig.handler(event_timeout=10)):
        await rig.publish("abc")
        await rig.settled(dead=1)
        dead = DeadLetters(rig.redis, rig.keys)
        (letter,) = [letter async for letter in dead.letters()]
        assert letter.record.reason == "permanent_status"
        assert await dead.replay([letter])
        await rig.settled(delivered=1)
    first, second = rig.endpoint.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)


async def test_one_event_fires_every_handler_that_wants_it_each_with_an_id_of_its_own(rig: Rig) -> None:
    async with rig.working(
        rig.handler("chat", on=["AuthFailure", "KeyExpired"]),
        rig.handler("audit", on=["*"], method="PUT"),
        rig.handler("quota", on=["Quota*"]),
    ):
        await rig.publish("abc")
        await rig.settled(delivered=2)
    received = sorted(rig.endpoint.received, key=lambda request: request.path)
    assert [(request.method, request.path) for request in received] == [("PUT", "/audit"), ("POST", "/chat")]
    assert len({request.headers["webhook-id"] for request in received}) == 2


async def test_a_worker_that_is_gone_loses_nothing(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"), 200)
    async with rig.doomed(rig.handler()):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
    async with rig.working(rig.handler()):
        await rig.settled(delivered=1)
    first, second = rig.endpoint.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"], "so the receiver can tell"
