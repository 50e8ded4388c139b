"""Every reason for which an event becomes a dead letter, made by a real worker; and what the letter says of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, get_args

import pytest
from msgspec import Struct
from msgspec.structs import replace

from streamhooks import wire
from streamhooks.flow.worker import Worker
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Route
from streamhooks.model import DeadReason
from streamhooks.store.connection import ask
from streamhooks.store.record import ANSWER_BYTES, WHY_CHARACTERS, Record
from tests.doors.command import command
from tests.flow.rig import GROUP, Rig
from tests.flow.test_recovery import hand_out, make_group
from tests.servers import Answer
from tests.waiting import eventually

Make: TypeAlias = Callable[[Rig], Awaitable[None]]


class Case(Struct, frozen=True):
    """What brings one event to this end."""

    make: Make
    attempts: int
    status: int
    why: str
    """How it begins."""
    handler: str = "h"
    answer: bytes = b""


BUSY = Answer(503, body=b"busy" * 1000)
WAITS = {"delays": [60]}


@asynccontextmanager
async def one_event(rig: Rig, key: str = "abc", **handler: Any) -> AsyncIterator[Worker]:
    async with rig.working(rig.handler(**handler)) as worker:
        await rig.publish(key)
        yield worker
        await rig.settled(dead=1)


async def undecodable(rig: Rig) -> None:
    async with rig.working(rig.handler()):
        await rig.add({"d": "[1]"})
        await rig.settled(dead=1)


async def template(rig: Rig) -> None:
    body = rig.template("fails.json", '{{ if eq .Meta.Key "abc" }}{{ fail "not this one" }}{{ end }}{}')
    async with one_event(rig, template_path=body):
        pass


async def exhausted(rig: Rig) -> None:
    rig.endpoint.script(BUSY)
    async with one_event(rig):
        pass


async def expired(rig: Rig) -> None:
    rig.endpoint.script(BUSY)
    async with one_event(rig, retry={"delays": [0.05, 60], "max_age": 30}):
        pass


async def permanent_status(rig: Rig) -> None:
    rig.endpoint.script(Answer(404, body=b"who?"))
    async with one_event(rig, retry={"permanent_statuses": [404]}):
        pass


async def gone(rig: Rig) -> None:
    rig.endpoint.script(Answer(410, body=b"moved out"))
    async with one_event(rig):
        pass


async def destination_denied(rig: Rig) -> None:
    loaded = rig.loaded(rig.handler())
    # Behind a name that has changed its address since the configuration was read.
    closed = tuple(replace(handler, route=Route()) for handler in loaded.handlers)
    async with rig.running(replace(loaded, handlers=closed)):
        await rig.publish("abc")
        await rig.settled(dead=1)
    assert not rig.endpoint.received


async def crash_loop(rig: Rig) -> None:
    await make_group(rig)
    await hand_out(rig, [await rig.publish("abc")], 5)
    async with rig.working(rig.handler()):
        await rig.settled(dead=1)


async def overflow(rig: Rig) -> None:
    rig.endpoint.script(BUSY)
    async with rig.working(rig.handler(retry=WAITS), worker={"max_parked": 1}):
        await rig.publish("abc")
        await eventually(rig.stored)
        await rig.publish("abc")
        await eventually(rig.letters)
        rig.endpoint.script(200)
        await rig.due_now()
        await rig.settled(delivered=1, dead=1)


async def handler_removed(rig: Rig) -> None:
    rig.endpoint.script(BUSY)
    async with one_event(rig, retry=WAITS) as worker:
        await eventually(rig.stored)
        worker.lanes.replace(Catalogue(()))
        await rig.due_now()


CASES = {
    "undecodable": Case(undecodable, 0, 0, "d: ", handler=""),
    "template": Case(template, 0, 0, "template: fails.json:1:"),
    "exhausted": Case(exhausted, 3, 503, "status 503; attempt 3 was the last one", answer=BUSY.body),
    "expired": Case(expired, 2, 503, "status 503; the next attempt would come after 30 s", answer=BUSY.body),
    "permanent_status": Case(permanent_status, 1, 404, "status 404", answer=b"who?"),
    "gone": Case(gone, 1, 410, "status 410", answer=b"moved out"),
    "destination_denied": Case(destination_denied, 1, 0, "127.0.0.1 is not allowed: loopback"),
    "crash_loop": Case(crash_loop, 0, 0, "handed out 5 times and never finished", handler=""),
    "overflow": Case(overflow, 1, 503, "status 503", answer=BUSY.body),
    "handler_removed": Case(handler_removed, 1, 0, "no handler h in the configuration any more"),
}


def test_every_reason_has_its_case() -> None:
    assert set(CASES) == set(get_args(DeadReason))


@pytest.mark.parametrize("reason", CASES)
async def test_each_reason_leaves_a_letter_that_says_what_happened(rig: Rig, reason: str) -> None:
    case = CASES[reason]
    await case.make(rig)
    (letter,) = await rig.letters()
    assert (letter.reason, letter.handler) == (reason, case.handler)
    assert letter.why.startswith(case.why)
    assert letter.why
    assert (letter.status, letter.answer) == (case.status, case.answer[:ANSWER_BYTES])
    assert 0 < letter.first <= letter.last
    if case.handler:
        assert letter.attempt == case.attempts
        assert wire.unpack_event(letter.event).meta["Key"] == "abc"
        assert letter.owner == f"{letter.origin}|h"
    else:
        assert letter.raw_length > 0
    await said_of_it(rig, reason, case, letter)


async def said_of_it(rig: Rig, reason: str, case: Case, letter: Record) -> None:
    ran = await command("dead", "list", "--json", "--redis-url", rig.url)
    (told,) = ran.json
    assert (told["reason"], told["event"], told["handler"]) == (reason, letter.origin, case.handler)
    assert (told["attempts"], told["status"], told["why"]) == (case.attempts, case.status, letter.why)
    assert told["replayable"] == bool(case.handler)


async def test_a_retry_that_crash_loops_keeps_its_event_and_can_be_replayed(rig: Rig) -> None:
    rig.endpoint.script(BUSY, 200)
    handler = rig.handler(retry=WAITS, event_timeout=10)
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await eventually(rig.stored)
    await rig.due_now()
    await ask(rig.redis, "EVAL", WAKE, 4, rig.keys.parked, rig.keys.parked_data, rig.keys.retry, rig.keys.totals)
    await ask(rig.redis, "XREADGROUP", "GROUP", GROUP, "gone", "STREAMS", rig.keys.retry, ">")
    ((carrier, _),) = await ask(rig.redis, "XRANGE", rig.keys.retry, "-", "+")
    await rig.redis.xclaim(rig.keys.retry, GROUP, "gone", 0, [carrier], idle=10**6, retrycount=5, justid=True)
    async with rig.working(handler):
        await rig.settled(dead=1)
        (letter,) = await rig.letters()
        assert (letter.reason, letter.handler, letter.origin, letter.attempt) == ("crash_loop", "h", entry, 1)
        ran = await command("dead", "replay", entry, "--redis-url", rig.url)
        assert (ran.code, ran.out, ran.err) == (0, "1 replayed\n", "")
        await rig.settled(delivered=1)
    assert len({request.headers["webhook-id"] for request in rig.endpoint.received}) == 1


WAKE = """
redis.call('XADD', KEYS[3], '*', unpack(cmsgpack.unpack(redis.call('HVALS', KEYS[2])[1])))
return redis.call('DEL', KEYS[1], KEYS[2])
"""
"""What lua/wake.lua does with one record that is due, without a worker to take it up."""


async def test_a_crash_looping_entry_that_no_record_was_made_of_is_fired_again_from_history(rig: Rig) -> None:
    await crash_loop(rig)
    (letter,) = await rig.letters()
    ((id, _),) = await ask(rig.redis, "XRANGE", rig.keys.dead, "-", "+")
    ran = await command("dead", "replay", "--redis-url", rig.url)
    assert (ran.code, ran.out) == (1, "0 replayed\n")
    assert ran.err == (
        f"{id.decode()} cannot be replayed: its entry was never looked into; streamhooks replay {letter.origin} "
        "fires the entry again while the stream keeps it\n"
    )
    async with rig.working(rig.handler()):
        ran = await command("replay", letter.origin, "--config", rig.written(rig.handler()))
        assert ran.code == 0
        await rig.settled(dead=1, delivered=1)


async def test_a_template_that_fails_with_a_text_as_long_as_an_event_leaves_a_short_letter(rig: Rig) -> None:
    body = rig.template("fails.json", "{{ fail .Meta.Message }}")
    async with rig.working(rig.handler(template_path=body)):
        await rig.add({"type": "AuthFailure", "message": "x" * 100_000})
        await rig.settled(dead=1)
    (letter,) = await rig.letters()
    assert len(letter.why) == WHY_CHARACTERS


async def test_a_key_that_a_template_fails_with_is_masked_where_the_letter_is_shown(rig: Rig) -> None:
    body = rig.template("fails.json", "{{ fail .Meta.Key }}")
    async with rig.working(rig.handler(template_path=body)):
        await rig.publish("5d8e1c0fa2b7")
        await rig.settled(dead=1)
    for words in (["list", "--json"], ["show"], ["show", "--json"]):
        ran = await command("dead", *words, "--redis-url", rig.url)
        assert "5d8e***" in ran.out
        assert "1c0fa2b7" not in ran.out
    revealed = await command("dead", "show", "--reveal", "--json", "--redis-url", rig.url)
    assert revealed.json[0]["why"].endswith("error calling fail: 5d8e***"), "it was masked before it was stored"
    assert revealed.json[0]["event_content"]["meta"]["Key"] == "5d8e1c0fa2b7"
