"""`/api/v1/explain/{id}`: the story of one event, by each id that a person may have, as `explain` tells it."""

import json
import re
from typing import Any

from streamhooks.delivery.request import webhook_id
from tests.admin.asking import ANY_PORT, Door, door
from tests.doors.command import command
from tests.flow.rig import STREAM, Rig
from tests.servers import Answer
from tests.waiting import eventually

ALL = {"journal": "all"}


async def story(ours: Door, id: str) -> Any:
    (one,) = (await ours.got(f"/api/v1/explain/{id}"))["stories"]
    return one


def timeless(document: Any) -> str:
    """The document without what the clock makes of it: how long the cool-down still lasts."""
    return re.sub(r", for \d[\w ]*", "", json.dumps(document))


async def test_the_api_and_the_command_give_the_same_document(rig: Rig) -> None:
    """Delivered after a retry, suppressed, dead and filtered; by the id of the entry, of the letter, of the webhook."""
    rig.endpoint.script(Answer(503, b"overloaded, says abc-12345"), 200, Answer(422, b"no such key"))
    handlers = (rig.handler(event_timeout=60), rig.handler("other", on=["KeyExpired"]))
    config = rig.written(*handlers, worker=ALL, admin=ANY_PORT)
    async with door(rig, *handlers, worker=ALL) as ours:
        ids = []
        for key, settled in (
            ("abc-12345", {"delivered": 1}),
            ("abc-12345", {"delivered": 1, "suppressed": 1}),
            ("refused", {"delivered": 1, "suppressed": 1, "dead": 1}),
        ):
            ids.append(await rig.publish(key))
            await rig.settled(**settled)
        (letter,) = (await ours.got("/api/v1/dead"))["letters"]
        for id in (*ids, letter["id"], webhook_id(ids[0], 0, "h")):
            told = await ours.got(f"/api/v1/explain/{id}")
            ran = await command("explain", id, "--event", "--json", "--config", config)
            assert (ran.code, timeless(ran.json)) == (0, timeless(told))
            assert told["stories"][0]["content"]["Message"] == "Auth Failure"


async def test_a_delivered_event_tells_its_attempts_and_who_did_not_want_it(rig: Rig) -> None:
    rig.endpoint.script(Answer(503, b"overloaded, says abc-12345"), 200)
    other = rig.handler("other", on=["KeyExpired"])
    async with door(rig, rig.handler(), other, worker=ALL) as ours:
        entry = await rig.publish("abc-12345")
        await rig.settled(delivered=1)
        told = await story(ours, entry)
        by_webhook = await story(ours, webhook_id(entry, 0, "h"))
    assert (told["id"], told["kept"]) == (entry, True)
    assert [(place["handler"], place["state"]) for place in told["now"]] == [("h", "delivered")]
    assert told["event"]["type"] == "AuthFailure"
    assert told["content"]["Key"] == "abc-***"
    assert [(step["what"], step["attempt"], step["status"]) for step in told["steps"]] == [
        ("added", 0, 0), ("read", 0, 0), ("attempt", 1, 503), ("attempt", 2, 200),
    ]  # fmt: skip
    assert told["steps"][2]["answer"] == "overloaded, says abc-***"
    assert [(part["handler"], part["verdict"]) for part in told["handlers"]] == [("h", "fires"), ("other", "type")]
    assert told["handlers"][0]["webhook_id"] == webhook_id(entry, 0, "h")
    assert by_webhook == told | {"handlers": told["handlers"][:1]}, "a webhook-id speaks of one handler"


async def test_a_dead_letter_is_told_of_by_its_own_id_too_and_what_to_do_about_it(rig: Rig) -> None:
    rig.endpoint.script(422)
    async with door(rig) as ours:
        entry = await rig.publish("abc")
        await rig.settled(dead=1)
        (letter,) = (await ours.got("/api/v1/dead"))["letters"]
        told = await story(ours, letter["id"])
    assert told["id"] == entry
    assert [(place["state"], place["letter"]) for place in told["now"]] == [("dead", letter["id"])]
    assert told["to_do"][0] == {
        "text": "when the endpoint takes it, replay the dead letter",
        "command": f"streamhooks dead replay {letter['id']}",
    }


async def test_what_waits_is_said_to_wait_and_what_is_held_to_be_held(rig: Rig) -> None:
    rig.endpoint.script(503)
    async with door(rig, rig.handler(retry={"delays": [60]})) as ours:
        entry = await rig.publish("abc")
        await eventually(rig.stored)
        assert [place["state"] for place in (await story(ours, entry))["now"]] == ["parked"]
        await ours.done("/api/v1/handlers/h/pause")
        await eventually(lambda: ours.worker.lanes["h"].standing.why)
        held = await rig.publish("def")
        await eventually(lambda: len_of(rig, 2))
        assert [place["state"] for place in (await story(ours, held))["now"]] == ["held"]


async def len_of(rig: Rig, count: int) -> bool:
    return len(await rig.stored()) == count


async def test_an_event_that_is_being_sent_is_pending(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with door(rig) as ours:
        entry = await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        told = await story(ours, entry)
        assert [(place["state"], place["worker"]) for place in told["now"]] == [("pending", ours.worker.consumer)]
        rig.endpoint.release()
        await rig.settled(delivered=1)


async def test_an_event_that_nobody_knows_is_said_to_be_unknown_and_why(rig: Rig) -> None:
    async with door(rig) as ours:
        newest = await rig.publish("abc")
        await rig.settled(delivered=1)
        for id, why in {
            "1-0": f"{STREAM} never had this entry, and none has ever gone from it",
            "evt_1-0_0_00000000": f"{STREAM} never had this entry, and none has ever gone from it",
            "9999999999999-0": f"{STREAM} has not given this id yet: its newest is {newest}",
            "evt_1-0_7_00000000": "the id is of partition 7, and stream.partitions is 1",
        }.items():
            said = f"nothing is known of this id: {why}"
            assert (await ours.get(f"/api/v1/explain/{id}")).refusal == (404, "no_such_event", said)


async def test_what_is_no_id_is_refused(rig: Rig) -> None:
    said = "this is no id: it looks like 1795428000000-0, or is a webhook-id"
    async with door(rig) as ours:
        for id in ["nothing", "1", "1-2-3", "%3Cscript%3E", "99999999999999999999-0"]:
            assert (await ours.get(f"/api/v1/explain/{id}")).refusal == (400, "bad_request", said)
