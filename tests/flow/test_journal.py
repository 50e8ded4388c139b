"""The journal: what is noted in each mode, and that a note tells only what was done."""

from typing import Any

import pytest
from msgspec.structs import asdict

from streamhooks.store.connection import ask
from streamhooks.store.journal import Journal, Written
from streamhooks.store.pauses import Pauses
from tests.flow.rig import Rig
from tests.servers import Answer
from tests.waiting import eventually


async def notes(rig: Rig) -> list[Written]:
    return [written async for written in Journal(rig.redis, rig.keys).notes()]


async def told(rig: Rig, *names: str) -> list[tuple[Any, ...]]:
    """These members of every note, oldest first."""
    return [tuple(asdict(written.note)[name] for name in names) for written in await notes(rig)]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("off", []),
        ("problems", [("retry", 1, 503), ("delivered", 2, 200)]),
        ("all", [("delivered", 1, 200), ("retry", 1, 503), ("delivered", 2, 200)]),
    ],
)
async def test_each_mode_notes_what_its_name_says(rig: Rig, mode: str, expected: list[tuple[Any, ...]]) -> None:
    rig.endpoint.script(200, 503, 200)
    async with rig.working(rig.handler(), worker={"journal": mode}):
        await rig.publish("first")
        await rig.settled(delivered=1)
        await rig.publish("second")
        await rig.settled(delivered=2)
        assert await told(rig, "what", "attempt", "status") == expected


async def test_a_note_tells_who_when_how_long_and_what_was_answered(rig: Rig) -> None:
    rig.endpoint.script(Answer(503, b"overloaded, says abc-12345", delay=0.05), 200)
    async with rig.working(rig.handler()) as worker:
        entry = await rig.publish("abc-12345")
        await rig.settled(delivered=1)
        written, _ = await notes(rig)
    note = written.note
    assert (note.entry, note.handler, note.type, note.worker) == (entry, "h", "AuthFailure", worker.consumer)
    assert (note.why, note.sent, note.again) == ("status 503", True, 0.1)
    assert note.answer == "overloaded, says abc-***", "the key is somebody's credential"
    assert 50 <= note.ms < 5000
    assert note.waited >= note.ms
    assert abs(written.at - await rig.now()) < 10_000


async def test_a_suppressed_duplicate_names_the_event_that_stands_for_it(rig: Rig) -> None:
    async with rig.working(rig.handler(event_timeout=60)):
        first = await rig.publish("same")
        await rig.settled(delivered=1)
        second = await rig.publish("same")
        await rig.settled(delivered=1, suppressed=1)
        assert await told(rig, "entry", "what", "by", "sent") == [(second, "suppressed", f"{first}|h", False)]


async def test_dead_letters_are_noted_with_their_reason_and_entries_without_handlers_too(rig: Rig) -> None:
    rig.endpoint.script(422)
    async with rig.working(rig.handler(on=["AuthFailure"]), worker={"journal": "all"}):
        await rig.publish("abc")
        await rig.add({"d": "no json"})
        await rig.publish("abc", "KeyExpired")
        await rig.settled(dead=2, unmatched=1)
        assert sorted(await told(rig, "what", "reason", "handler")) == [
            ("dead", "permanent_status", "h"),
            ("dead", "undecodable", ""),
            ("unmatched", "", ""),
        ]


async def test_what_is_held_and_what_overflows_is_noted_as_it_ended(rig: Rig) -> None:
    await Pauses(rig.redis, rig.keys).pause("h", "operator", "")
    async with rig.working(rig.handler(), worker={"max_parked": 1}):
        await rig.publish("first")
        await eventually(lambda: notes(rig))
        await rig.publish("second")
        await eventually(rig.letters)
        assert await told(rig, "what", "reason", "why", "again") == [
            ("retry", "", "handler paused", -1.0),
            ("dead", "overflow", "too many retries are stored already: worker.max_parked", -1.0),
        ]


async def test_the_journal_is_bounded_and_skips_what_is_not_its_own(rig: Rig) -> None:
    rig.endpoint.script(422)
    await ask(rig.redis, "XADD", rig.keys.journal, "*", "v", "2", "n", "{}")
    await ask(rig.redis, "XADD", rig.keys.journal, "*", "v", "1", "n", "no json")
    never = {"consecutive": 1_000_000, "min_calls": 1_000_000}
    async with rig.working(rig.handler(breaker=never), worker={"journal_entries": 50}):
        await rig.publish_many(300)
        await rig.settled(dead=300)
    found = await notes(rig)
    assert 50 <= len(found) < 250, "trimmed by whole nodes"
    assert all(written.note.what == "dead" for written in found)


async def test_what_follows_is_seen_as_it_happens(rig: Rig) -> None:
    rig.endpoint.script(422)
    journal = Journal(rig.redis, rig.keys)
    async with rig.working(rig.handler()):
        await rig.publish("before")
        await rig.settled(dead=1)
        at, nothing = await journal.after("$", 0.01)
        assert nothing == []
        entry = await rig.publish("after")
        at, (written,) = await journal.after(at, 5)
        assert (written.id, written.note.entry) == (at, entry)
