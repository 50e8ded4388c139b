"""`/api/v1/replay`: past events fired again."""

from streamhooks.delivery.request import webhook_id
from streamhooks.handlers.catalogue import Catalogue
from tests.admin.asking import door
from tests.flow.rig import Rig
from tests.waiting import eventually


async def test_a_past_event_is_fired_again_with_a_webhook_id_of_its_own(rig: Rig) -> None:
    async with door(rig) as ours:
        entry = await rig.publish("abc")
        await rig.publish("other")
        await rig.settled(delivered=2)
        told = await ours.done("/api/v1/replay", {"ids": [entry]})
        await rig.settled(delivered=3)
    assert (told["replayed"], told["events"], told["up_to"], told["more"]) == (1, 1, entry, False)
    assert rig.arrived[2] == "abc"
    assert rig.endpoint.received[2].headers["webhook-id"] == webhook_id(entry, 0, "h", told["run"])


async def test_a_dry_run_counts_and_fires_nothing(rig: Rig) -> None:
    async with door(rig, rig.handler("a"), rig.handler("b", on=["KeyExpired"])) as ours:
        await rig.publish("one")
        await rig.publish("two", "KeyExpired")
        await rig.settled(delivered=3)
        told = await ours.done("/api/v1/replay", {"since": "1h", "dry_run": True})
        assert (told["matching"], told["events"], told["replayed"], told["run"]) == (3, 2, 0, "")
        told = await ours.done("/api/v1/replay", {"type": "Key*", "handler": "b"})
        assert told["replayed"] == 1
        await rig.settled(delivered=4)


async def test_a_replay_is_capped_at_whole_events_and_goes_on_behind_up_to(rig: Rig) -> None:
    async with door(rig, rig.handler("a"), rig.handler("b")) as ours:
        ids = await rig.publish_many(3)
        await rig.settled(delivered=6)
        first = await ours.done("/api/v1/replay", {"all": True, "limit": 3})
        assert (first["replayed"], first["up_to"], first["more"]) == (2, ids[0], True)
        rest = await ours.done("/api/v1/replay", {"since": ids[1], "limit": 4})
        assert (rest["replayed"], rest["up_to"], rest["more"]) == (4, ids[2], False)
        await rig.settled(delivered=12)


async def test_what_is_left_out_is_told(rig: Rig) -> None:
    async with door(rig, rig.handler(on=["AuthFailure"])) as ours:
        await rig.publish("one", "KeyExpired")
        await rig.add({"d": b"no event"})
        await rig.settled(unmatched=1, dead=1)
        told = await ours.done("/api/v1/replay", {"ids": ["1-0"], "all": True})
        assert told["missing"] == ["1-0"]
        told = await ours.done("/api/v1/replay", {"all": True})
    assert told["left_out"] == {"not_acknowledged": 0, "undecodable": 1, "unmatched": 1}
    assert told["replayed"] == 0


async def test_history_has_no_reasons(rig: Rig) -> None:
    async with door(rig) as ours:
        answered = await ours.post("/api/v1/replay", {"reason": "gone"})
        said = "the body cannot be used: Object contains unknown field `reason`"
        assert answered.refusal == (400, "bad_request", said)


async def test_an_unknown_handler_is_said_to_be_so(rig: Rig) -> None:
    async with door(rig) as ours:
        answered = await ours.post("/api/v1/replay", {"handler": "nobody"})
        said = "there is no handler of this id; the configuration has h"
        assert answered.refusal == (404, "no_such_handler", said)


async def test_a_handler_of_the_configuration_in_force_is_fired(rig: Rig) -> None:
    """After a reload the handlers are those of the new configuration."""
    async with door(rig, rig.handler("old")) as ours:
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        ours.worker.lanes.replace(Catalogue(rig.loaded(rig.handler("new")).handlers))
        assert [one["id"] for one in (await ours.got("/api/v1/handlers"))["handlers"]] == ["new"]
        await ours.done("/api/v1/replay", {"ids": [entry]})
        await eventually(lambda: [request.path for request in rig.endpoint.received] == ["/old", "/new"])
        await rig.settled(delivered=2)
