"""What gateways write, from XADD to the endpoint."""

import msgspec
import pytest

from tests.flow.rig import Rig

META = {"Message": "Auth Failure", "Path": "/w", "Origin": "10.0.0.1", "Key": "abc"}
PACKED = {"type": "AuthFailure", "meta": META, "api_id": "payments"}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"d": msgspec.json.encode(PACKED)}, id="packed-json"),
        pytest.param({"d": msgspec.msgpack.encode(PACKED)}, id="packed-msgpack"),
        pytest.param({"type": "AuthFailure", "api_id": "payments", "meta": msgspec.json.encode(META)}, id="split"),
        pytest.param(
            {"type": "AuthFailure", "api_id": "payments", "message": "Auth Failure", "path": "/w",
             "origin": "10.0.0.1", "key": "abc"},
            id="flat",
        ),
    ],
)  # fmt: skip
async def test_every_form_of_an_event_becomes_the_same_webhook(rig: Rig, fields: dict[str, bytes]) -> None:
    async with rig.working(rig.handler(header_map={"X-Team": "security"})):
        entry = await rig.add(fields)
        (request,) = await rig.endpoint.wait_for(1)
        await rig.settled(delivered=1)
    assert (request.method, request.path, request.headers["x-team"]) == ("POST", "/h", "security")
    assert request.headers["webhook-id"].startswith(f"evt_{entry}_0_")
    assert msgspec.json.decode(request.body) == {
        "event": "AuthFailure",
        "message": "Auth Failure",
        "path": "/w",
        "origin": "10.0.0.1",
        "key": "abc",
        "api_id": "payments",
    }


async def test_an_event_that_no_handler_wants_is_counted_as_unmatched(rig: Rig) -> None:
    async with rig.working(rig.handler(on=["AuthFailure"]), rig.handler("payments", apis=["payments"])):
        await rig.publish("a", "KeyExpired")
        await rig.publish("b")
        await rig.settled(delivered=1, unmatched=1)
    assert rig.arrived == ["b"]


async def test_without_any_handler_every_event_is_unmatched(rig: Rig) -> None:
    async with rig.working():
        await rig.publish_many(3)
        await rig.settled(unmatched=3)


async def test_a_handler_fires_only_where_its_condition_holds(rig: Rig) -> None:
    async with rig.working(rig.handler(when='{{ eq .Meta.Key "yes" }}')):
        await rig.publish("no")
        await rig.publish("yes")
        await rig.settled(delivered=1, unmatched=1)
    assert rig.arrived == ["yes"]


async def test_events_that_were_there_before_the_worker_are_delivered_in_batches(rig: Rig) -> None:
    await rig.publish_many(300)
    async with rig.working(rig.handler(), worker={"batch": 16, "in_flight": 32}):
        await rig.settled(delivered=300)
    assert sorted(rig.arrived) == sorted(f"k{number}" for number in range(300))


async def test_several_partitions_are_delivered_side_by_side(rig: Rig) -> None:
    async with rig.working(rig.handler(), stream={"partitions": 2}):
        for number in range(2):
            await rig.redis.xadd(f"gateway:events:{number}", {"type": "AuthFailure", "key": str(number)})
        received = await rig.endpoint.wait_for(2)
    assert sorted(request.headers["webhook-id"].split("_")[2] for request in received) == ["0", "1"]
    for number in range(2):
        totals = await rig.redis.hgetall(f"{{gateway:events:{number}}}:totals")
        assert totals == {b"accepted": b"1", b"delivered": b"1"}
