"""`/api/v1/handlers`: listed, shown, paused and resumed, with every worker taking notice."""

from streamhooks.store.pauses import Pauses
from tests.admin.asking import door
from tests.flow.rig import Rig
from tests.waiting import eventually


async def test_handlers_are_listed_with_what_they_listen_to_and_never_with_what_is_secret(rig: Rig) -> None:
    handler = rig.handler(
        "security",
        on=["AuthFailure", "Key*"],
        target_path=f"{rig.endpoint.url}/secret-of-the-path?token=secret-of-the-query",
        header_map={"Authorization": "secret-of-the-header"},
        event_timeout=10,
        sign={"secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]},
    )
    async with door(rig, handler, rig.handler("other")) as ours:
        found = (await ours.got("/api/v1/handlers"))["handlers"]
        shown = await ours.got("/api/v1/handlers/security")
    assert [one["id"] for one in found] == ["security", "other"]
    assert found[0] == {
        "id": "security", "state": "active", "configured": True, "kind": None, "why": None, "since": None,
        "until": None, "held": 0, "on": ["AuthFailure", "Key*"], "method": "POST", "target": rig.endpoint.url,
        "event_timeout": 10.0, "signed": True,
    }  # fmt: skip
    assert shown.items() >= found[0].items()
    assert shown["types"] == ["AuthFailure", "KeyExpired"]
    assert shown["template"]["name"] == "default_webhook.json"
    assert shown["template"]["escape"] == "json"
    assert "{{" in shown["template"]["source"]
    for told in (str(found), str(shown)):
        assert "secret-of" not in told
        assert "MfKQ9" not in told


async def test_a_pause_stores_what_comes_and_a_resume_delivers_it(rig: Rig) -> None:
    async with door(rig) as ours:
        assert await ours.done("/api/v1/handlers/h/pause", {"why": "maintenance", "for": "1h"}) == {
            "id": "h", "paused": True, "was_paused": False,
        }  # fmt: skip
        again = await ours.done("/api/v1/handlers/h/pause", {"why": "maintenance", "for": "1h"})
        assert again["was_paused"] is True
        await eventually(lambda: ours.worker.lanes["h"].standing.why == "maintenance")
        await rig.publish("abc")
        await eventually(rig.stored)
        (told,) = (await ours.got("/api/v1/handlers"))["handlers"]
        assert (told["state"], told["kind"], told["why"], told["held"]) == ("paused", "operator", "maintenance", 1)
        assert 0 <= told["until"] - told["since"] - 3_600_000 < 10_000
        resumed = await ours.done("/api/v1/handlers/h/resume", {"rate": "50/s"})
        assert resumed == {"id": "h", "resumed": True, "held": 1}
        await eventually(lambda: rig.arrived == ["abc"])


async def test_a_pause_and_a_resume_are_for_every_partition(rig: Rig) -> None:
    async with door(rig, stream={"partitions": 3}) as ours:
        await ours.done("/api/v1/handlers/h/pause")
        rooms = [Pauses(rig.redis, partition.keys) for partition in ours.worker.partitions]
        assert [[*await room.notes()] for room in rooms] == [["h"]] * 3
        await ours.done("/api/v1/handlers/h/resume")
        assert {note.state for room in rooms for note in (await room.notes()).values()} <= {"resuming"}


async def test_what_is_noted_of_a_handler_that_is_gone_can_be_resumed(rig: Rig) -> None:
    async with door(rig) as ours:
        await Pauses(rig.redis, rig.keys).pause("old", "operator", "")
        old = (await ours.got("/api/v1/handlers"))["handlers"][1]
        assert (old["id"], old["configured"], old["state"], "on" in old) == ("old", False, "paused", False)
        assert (await ours.done("/api/v1/handlers/old/resume"))["resumed"] is True


async def test_an_unknown_handler_is_said_to_be_so(rig: Rig) -> None:
    said = (404, "no_such_handler", "there is no handler of this id; the configuration has h")
    async with door(rig) as ours:
        assert (await ours.get("/api/v1/handlers/nobody")).refusal == said
        assert (await ours.post("/api/v1/handlers/nobody/pause")).refusal == said
        assert (await ours.post("/api/v1/handlers/nobody/resume")).refusal == said
        assert (await ours.post("/api/v1/handlers/%3Cscript%3E/pause")).refusal == said


async def test_who_is_not_paused_cannot_be_resumed(rig: Rig) -> None:
    async with door(rig) as ours:
        answered = await ours.post("/api/v1/handlers/h/resume")
        assert answered.refusal == (409, "not_paused", "h is not paused, and nothing is held of it")


REFUSED = [
    ("pause", {"for": "soon"}, 'for must be a duration from 1s to 366d, such as "30m" or "1h"'),
    ("pause", {"for": "400d"}, 'for must be a duration from 1s to 366d, such as "30m" or "1h"'),
    ("pause", {"why": "x" * 201}, "why is longer than 200 characters"),
    ("pause", {"why": "a\nb"}, "why is one line of text without control characters"),
    ("resume", {"rate": "quick"}, 'rate must be a rate such as "10/s", "30/m" or "500/h", or empty for none'),
]


async def test_what_a_pause_and_a_resume_cannot_mean(rig: Rig) -> None:
    async with door(rig) as ours:
        for action, body, said in REFUSED:
            answered = await ours.post(f"/api/v1/handlers/h/{action}", body)
            assert answered.refusal == (400, "bad_request", said)
