"""`explain` of what has ended: delivered, suppressed, filtered, dead, replayed; each made by a real worker."""

import pytest

from streamhooks.delivery.request import webhook_id
from streamhooks.store.connection import ask
from tests.doors.command import command
from tests.flow import test_dead_reasons as reasons
from tests.flow.explaining import blurred, explained, total
from tests.flow.rig import STREAM, Config, Rig
from tests.servers import Answer
from tests.waiting import eventually

# Delivered.


@pytest.mark.parametrize(
    ("mode", "happened", "now", "known"),
    [
        (
            "problems",
            [],
            "h  acknowledged, no problem recorded: delivered at the first attempt",
            ["worker.journal is problems: a delivery at the first attempt is not noted; all notes each one"],
        ),
        ("all", ["read by WORKER", "h: attempt 1 was answered 200 after MS delivered"], "h  delivered at ", []),
        (
            "off",
            [],
            "h  acknowledged; how it ended is not recorded, worker.journal is off",
            ["worker.journal is off: attempts and suppressions are not noted"],
        ),
    ],
)
async def test_delivered_at_the_first_attempt(
    rig: Rig, mode: str, happened: list[str], now: str, known: list[str]
) -> None:
    handler = rig.handler()
    async with rig.working(handler, worker={"journal": mode}) as worker:
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        told = await explained(rig, entry, handler, worker={"journal": mode})
    steps = [line.replace(worker.consumer, "WORKER") for line in blurred(told.happened)]
    assert steps == [f"added to {STREAM}", *happened]
    assert told["handlers"] == ["h  fires: it is for *", f"webhook-id {webhook_id(entry, 0, 'h')}"]
    assert told["now"][0].startswith(now)
    assert told["what to do"] == ["deliver it again", f"streamhooks replay {entry} --handler h"]
    assert told["to be known"] == known


async def test_delivered_as_the_cool_down_says_where_no_note_does(rig: Rig) -> None:
    handler = rig.handler(event_timeout=60)
    async with rig.working(handler, worker={"journal": "off"}):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        told = await explained(rig, entry, handler, worker={"journal": "off"})
    assert told["now"][0].endswith(", as its cool-down says")
    assert told["now"][0].startswith("h  delivered at ")
    assert told["handlers"][-1].startswith("cool-down: this event was delivered at ")
    assert "; equal events are suppressed until " in told["handlers"][-1]


async def test_delivered_after_a_retry(rig: Rig) -> None:
    rig.endpoint.script(Answer(503, b"over\nloaded, says abc-12345"), 200)
    async with rig.working(rig.handler()) as worker:
        entry = await rig.publish("abc-12345")
        await rig.settled(delivered=1)
        told = await explained(rig, entry, rig.handler())
    assert blurred(told.happened) == [
        f"added to {STREAM}",
        f"read by {worker.consumer}",
        r'h: attempt 1 was answered 503 after MS "over\nloaded, says abc-***"; stored, again in 100ms',
        "h: attempt 2 was answered 200 after MS delivered",
    ]
    assert told["now"][0].startswith("h  delivered at ")
    assert told["now"][0].endswith(", attempt 2")
    assert "to be known" not in told.blocks


async def test_a_delivery_that_the_journal_does_not_reach_back_to(rig: Rig) -> None:
    rig.endpoint.script(200, 422)
    never = {"consecutive": 1_000_000, "min_calls": 1_000_000}
    async with rig.working(rig.handler(breaker=never), worker={"journal_entries": 1}):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        await rig.publish_many(200)
        await rig.settled(delivered=1, dead=200)
        told = await explained(rig, entry, rig.handler())
    assert told["now"] == ["h  acknowledged; how it ended is not recorded, for the journal does not reach back so far"]
    assert told["to be known"][0].startswith("the journal begins at ")


# Suppressed and filtered.


async def test_suppressed_names_the_event_that_stands_for_it_and_what_became_of_that(rig: Rig) -> None:
    handler = rig.handler(event_timeout=60)
    async with rig.working(handler):
        first = await rig.publish("same")
        await rig.settled(delivered=1)
        second = await rig.publish("same")
        await rig.settled(delivered=1, suppressed=1)
        told = await explained(rig, second, handler)
    assert told.happened[2].startswith(
        f"h: suppressed by the cool-down: a duplicate of {first}, which was delivered at 2"
    )
    assert told["handlers"][2].startswith(f"cool-down: event {first} was delivered at ")
    assert told["now"][0].startswith("h  suppressed at ")
    assert told["what to do"] == [
        "that is what event_timeout is for; deliver it all the same",
        f"streamhooks replay {second} --handler h --force",
    ]


@pytest.mark.parametrize(
    ("status", "ending"), [(503, "is stored for an attempt at 2"), (422, "is a dead letter (permanent_status)")]
)
async def test_suppressed_by_what_was_not_delivered_says_so(rig: Rig, status: int, ending: str) -> None:
    rig.endpoint.script(status)
    handler = rig.handler(event_timeout=60, retry={"delays": [60], "permanent_statuses": [422]})
    async with rig.working(handler):
        first = await rig.publish("same")
        await eventually(lambda: rig.stored() if status == 503 else rig.letters())
        second = await rig.publish("same")
        await eventually(lambda: total(rig, "suppressed"))
        told = await explained(rig, second, handler)
    assert told.happened[2].startswith(f"h: suppressed by the cool-down: a duplicate of {first}, which {ending}")


FILTERS: dict[str, tuple[Config, str, str]] = {
    "type": ({"on": ["KeyExpired", "Breaker*"]}, "it is for KeyExpired, Breaker*, and the event is AuthFailure", ""),
    "api": ({"apis": ["pay", "bill"]}, "it is for the API bill, pay, and this is of none", "apis"),
    "org": ({"orgs": ["acme"]}, "it is for the organisation acme, and this is of none", "orgs"),
    "when": (
        {"when": "{{ .Meta.Key }}"}, 'its condition (when) renders "5d8e***"; only "true" fires', "when",
    ),
}  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS)
async def test_filtered_says_by_what(rig: Rig, filters: str) -> None:
    others, why, member = FILTERS[filters]
    handler = rig.handler(**others)
    async with rig.working(handler):
        entry = await rig.publish("5d8e1c0fa2b7")
        await rig.settled(unmatched=1)
        told = await explained(rig, entry, handler)
    assert told["handlers"] == [f"h  does not fire: {why}"]
    assert told["now"] == ["acknowledged: no handler of the configuration wants it"]
    advice = ["add or widen a handler, then fire it from history", f"streamhooks replay {entry}"]
    if member:
        advice += [f"if h should have fired: widen its {member}, then fire it from history"]
        advice += [f"streamhooks replay {entry} --handler h"]
    assert told["what to do"] == advice


async def test_an_unmatched_event_is_told_of_by_its_note_where_everything_is_noted(rig: Rig) -> None:
    handler = rig.handler(on=["KeyExpired"])
    async with rig.working(handler, worker={"journal": "all"}):
        entry = await rig.publish("abc")
        await rig.settled(unmatched=1)
        told = await explained(rig, entry, handler, worker={"journal": "all"})
    assert told.happened[2] == "no handler wanted it; acknowledged without a delivery"
    assert told["now"][0].endswith(": no handler wanted it")


# Dead.

WAYS_OUT = {
    "template": "mend the template (streamhooks render --handler h shows what it makes), then replay the dead letter",
    "gone": "when the endpoint is back, or the handler calls another, resume the handler and replay the dead letter",
    "destination_denied": "open the address by allow_cidrs if it is meant, then replay the dead letter",
    "handler_removed": "put the handler back into the configuration, then replay the dead letter",
}


@pytest.mark.parametrize("reason", reasons.CASES)
async def test_dead_by_each_reason_says_why_and_how_to_replay(rig: Rig, reason: str) -> None:
    case = reasons.CASES[reason]
    await case.make(rig)
    (letter,) = await rig.letters()
    ((id, _),) = await ask(rig.redis, "XRANGE", rig.keys.dead, "-", "+")
    configured = () if reason == "handler_removed" else (rig.handler(),)
    told = await explained(rig, letter.origin, rig.handler("other", on=["Never"]), *configured)
    (place,) = [line for line in told["now"] if "dead letter" in line]
    made = {0: "", 1: " after 1 attempt"}.get(case.attempts, f" after {case.attempts} attempts")
    assert place.startswith(f"{case.handler:<5}  dead letter {id.decode()} since ".lstrip())
    assert f", reason {reason}{made}: {case.why}" in place
    assert any(f"dead letter, reason {reason}" in line for line in told.happened)
    if reason == "undecodable":
        assert told["what to do"] == [
            "mend what publishes it; see what came", f"streamhooks dead show {id.decode()} --reveal",
        ]  # fmt: skip
    elif not case.handler:
        assert told["what to do"][1] == f"streamhooks replay {letter.origin}"
    else:
        assert f"streamhooks dead replay {id.decode()}" in told["what to do"]
        assert WAYS_OUT.get(reason, told["what to do"][0]) in told["what to do"]


async def test_a_dead_letter_is_told_of_without_a_journal_by_its_own_id_and_by_its_webhook_id(rig: Rig) -> None:
    rig.endpoint.script(Answer(422, b"no\x1b[2J"))
    async with rig.working(rig.handler(), worker={"journal": "off"}):
        entry = await rig.publish("abc")
        await rig.settled(dead=1)
    ((letter, _),) = await ask(rig.redis, "XRANGE", rig.keys.dead, "-", "+")
    for id in (entry, letter.decode(), webhook_id(entry, 0, "h")):
        told = await explained(rig, id, rig.handler(), worker={"journal": "off"})
        assert told.happened == [
            f"added to {STREAM}", r'h: attempt 1: status 422, "no\x1b[2J"; dead letter, reason permanent_status',
        ]  # fmt: skip


async def test_a_dead_letter_that_was_purged_and_one_that_was_replayed(rig: Rig) -> None:
    rig.endpoint.script(422, 422, 200)
    handler = rig.handler(concurrency=1)
    async with rig.working(handler):
        purged, replayed = await rig.publish_many(2)
        await rig.settled(dead=2)
        ran = await command("dead", "purge", purged, "--redis-url", rig.url)
        assert ran.out == "1 purged\n"
        told = await explained(rig, purged, handler)
        assert ", reason permanent_status, that was purged since then, or was too old to keep" in told["now"][0]
        assert told["what to do"] == ["fire it again from history", f"streamhooks replay {purged} --handler h"]
        letter = (await ask(rig.redis, "XRANGE", rig.keys.dead, "-", "+"))[0][0].decode()
        await command("dead", "replay", letter, "--redis-url", rig.url)
        await eventually(lambda: total(rig, "delivered"))
        told = await explained(rig, replayed, handler)
    assert blurred(told.happened)[2:] == [
        "h: attempt 1 was answered 422 after MS dead letter, reason permanent_status",
        f"h: replay of dead letter {letter}: attempt 1 was answered 200 after MS delivered",
    ]
    (place,) = told["now"]
    assert place.startswith("h  delivered at ")


async def test_a_replay_from_history_is_told_of_beside_the_event_itself(rig: Rig) -> None:
    handler = rig.handler()
    async with rig.working(handler, worker={"journal": "all"}):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        ran = await command("replay", entry, "--json", "--config", rig.written(handler))
        await rig.settled(delivered=2)
        run = ran.json["run"]
        told = await explained(rig, webhook_id(entry, 0, "h", run), handler, worker={"journal": "all"})
    assert f"h: replay {run}: attempt 1 was answered 200 after" in told.happened[-1]
    assert len(told["now"]) == 2
    assert told["now"][1].startswith(f"h  replay {run}: delivered at ")
