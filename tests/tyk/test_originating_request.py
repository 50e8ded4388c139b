"""OriginatingRequest holds the caller's credentials: nothing that we send, store or log has it, unless asked for."""

import pytest

from streamhooks import wire
from streamhooks.store.connection import ask
from tests.flow.rig import STREAM, Rig
from tests.waiting import eventually

SECRET = "R0VUIC8gSFRUUC8xLjENCkF1dGhvcml6YXRpb246IEJlYXJlciBhYmMNCg0K"
FIELDS = wire.encode("AuthFailure", {"Message": "m", "Key": "abc", "OriginatingRequest": SECRET}, api_id="a")
BODY = "{{.Meta.OriginatingRequest}}|{{.EventMetaData.OriginatingRequest}}|{{.Meta}}|{{toJson .Meta}}"


async def stored_text(rig: Rig) -> str:
    """Everything in streams and hashes of our own; the gateway's stream is not ours."""
    found = ""
    for name in [name async for name in rig.redis.scan_iter(count=1000)]:
        kind = await rig.redis.type(name)
        if kind == b"stream" and name != STREAM.encode():
            found += str(await rig.redis.xrange(name))
        elif kind == b"hash":
            found += str(await ask(rig.redis, "HGETALL", name))
    return found


@pytest.mark.parametrize("compat", ["", "tyk"])
async def test_it_is_in_no_body_no_retry_no_dead_letter_and_no_log(rig: Rig, compat: str) -> None:
    template = rig.template("body.txt", BODY)
    handler = rig.handler(event_timeout=60, compat=compat, retry={"delays": [30]}, template_path=template)
    rig.endpoint.script(503)
    async with rig.working(handler):
        await rig.add(FIELDS)
        await eventually(rig.stored)
        (stored,) = (await rig.stored()).values()
        assert SECRET.encode() not in stored.event
        await rig.due_now()
        await rig.wake()
        requests = await rig.endpoint.wait_for(2)
        await rig.settled(dead=1)
    (letter,) = await rig.letters()
    assert wire.unpack_event(letter.event).meta == {"Message": "m", "Key": "abc"}
    assert not [request for request in requests if SECRET.encode() in request.body]
    assert SECRET not in rig.records.text
    everything = await stored_text(rig)
    assert "Message" in everything
    assert SECRET not in everything


async def test_a_handler_that_asks_for_it_has_it_and_keeps_it_for_its_retries(rig: Rig) -> None:
    asking = rig.handler(
        expose_originating_request=True, retry={"delays": []}, template_path=rig.template("b.txt", BODY)
    )
    rig.endpoint.script(503)
    async with rig.working(asking):
        await rig.add(FIELDS)
        (request,) = await rig.endpoint.wait_for(1)
        await rig.settled(dead=1)
    assert request.body.decode().startswith(f"{SECRET}|{SECRET}|")
    (letter,) = await rig.letters()
    assert wire.unpack_event(letter.event).meta["OriginatingRequest"] == SECRET
    assert SECRET not in rig.records.text
