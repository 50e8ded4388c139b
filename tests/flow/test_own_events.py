"""streamhooks' own events: told to handlers that name them, once a minute, and never in a loop."""

from typing import Any

import msgspec

from streamhooks.store.connection import ask
from streamhooks.store.pauses import Pauses
from tests.flow.rig import STREAM, Config, Rig
from tests.servers import Answer, Endpoint
from tests.waiting import eventually

BODY = '{"type": "{{.Type}}", "about": "{{.Meta.Handler}}", "why": "{{.Meta.Reason}}", "said": "{{.Meta.Message}}"}'


def watcher(rig: Rig, *on: str, **others: Any) -> Config:
    """The handler that is told; it calls the rig's endpoint at /watch."""
    template = rig.template("own.json", BODY)
    return rig.handler("watch", on=list(on), template_path=template, **others)


def told(rig: Rig) -> list[dict[str, str]]:
    return [msgspec.json.decode(request.body) for request in rig.endpoint.received if request.path == "/watch"]


async def test_a_dead_letter_is_told_to_the_handler_that_names_it(rig: Rig) -> None:
    async with Endpoint() as broken:
        broken.script(422)
        bad = rig.handler("bad", on=["AuthFailure"], target_path=broken.url)
        async with rig.working(bad, watcher(rig, "StreamhooksDeadLetter")):
            await rig.publish("abc")
            await rig.endpoint.wait_for(1)
            await rig.settled(dead=1, delivered=1)
    assert told(rig) == [
        {"type": "StreamhooksDeadLetter", "about": "bad", "why": "status 422", "said": "dead letter of bad"}
    ]


async def test_at_most_one_a_minute_is_told_of_a_kind_and_handler_over_all_workers(rig: Rig) -> None:
    async with Endpoint() as broken:
        broken.script(422)
        handlers = [
            rig.handler("bad", on=["AuthFailure"], target_path=broken.url),
            rig.handler("worse", on=["KeyExpired"], target_path=broken.url),
            watcher(rig, "Streamhooks*"),
        ]
        async with rig.working(*handlers), rig.working(*handlers):
            await rig.publish_many(10)
            for number in range(3):
                await rig.publish(f"x{number}", "KeyExpired")
            await rig.settled(dead=13, delivered=2)
    assert sorted(one["about"] for one in told(rig)) == ["bad", "worse"]


async def test_a_star_stands_for_what_gateways_tell_and_not_for_our_own_events(rig: Rig) -> None:
    rig.endpoint.script(422)
    async with rig.working(rig.handler("all", on=["*"])):
        await rig.publish("abc")
        await rig.settled(dead=1)
        assert await ask(rig.redis, "XLEN", STREAM) == 1, "nobody wants it, so it was not added"


async def test_what_becomes_of_an_own_event_is_not_told_of(rig: Rig) -> None:
    """The watcher itself is broken: its dead letter about another's dead letter ends the matter."""
    rig.endpoint.script(422)
    async with rig.working(rig.handler("bad", on=["AuthFailure"]), watcher(rig, "Streamhooks*"), watcher2(rig)):
        await rig.publish("abc")
        await rig.settled(dead=3)
        assert await ask(rig.redis, "XLEN", STREAM) == 2


def watcher2(rig: Rig) -> Config:
    return rig.handler("watch-too", on=["StreamhooksDeadLetter"])


async def test_a_handler_is_never_told_of_itself(rig: Rig) -> None:
    rig.endpoint.script(422)
    async with rig.working(rig.handler("both", on=["AuthFailure", "StreamhooksDeadLetter"])):
        await rig.publish("abc")
        await rig.settled(dead=1)
        assert await ask(rig.redis, "XLEN", STREAM) == 1


async def test_an_entry_that_cannot_be_decoded_is_told_of(rig: Rig) -> None:
    async with rig.working(watcher(rig, "Streamhooks*")):
        await rig.add({"d": "no json"})
        await rig.settled(dead=1, delivered=1)
    assert told(rig)[0]["about"] == ""
    assert told(rig)[0]["said"] == "dead letter"


async def test_a_pause_after_410_and_its_end_are_told_of(rig: Rig) -> None:
    async with Endpoint() as gone:
        gone.script(410, 200)
        bad = rig.handler("bad", on=["AuthFailure"], target_path=gone.url)
        async with rig.working(bad, watcher(rig, "StreamhooksHandler*")):
            await rig.publish("first")
            await eventually(lambda: len(told(rig)) == 1)
            await eventually(lambda: Pauses(rig.redis, rig.keys).notes())
            await rig.publish("second")
            await eventually(lambda: Pauses(rig.redis, rig.keys).held())
            note = msgspec.json.decode(await ask(rig.redis, "HGET", rig.keys.handlers, "bad"))
            await ask(rig.redis, "HSET", rig.keys.handlers, "bad", msgspec.json.encode(note | {"until": 1}))
            await eventually(lambda: len(told(rig)) == 2)
    assert [one["type"] for one in told(rig)] == ["StreamhooksHandlerPaused", "StreamhooksHandlerResumed"]


async def test_a_breaker_that_opens_and_closes_is_told_of(rig: Rig) -> None:
    async with Endpoint() as flaky:
        flaky.script(503, 503, Answer(200))
        breaker = {"consecutive": 2, "open": 0.1, "open_cap": 0.1}
        bad = rig.handler("bad", on=["AuthFailure"], target_path=flaky.url, breaker=breaker, concurrency=1)
        async with rig.working(bad, watcher(rig, "StreamhooksBreaker*")):
            await rig.publish_many(3)
            await rig.settled(delivered=5)
    assert sorted(one["type"] for one in told(rig)) == ["StreamhooksBreakerClosed", "StreamhooksBreakerOpened"]


async def test_a_reader_that_had_stopped_is_told_of_when_redis_takes_writes_again(rig: Rig) -> None:
    async with rig.working(rig.handler("h", on=["AuthFailure"]), watcher(rig, "StreamhooksReaderStopped")):
        await ask(rig.redis, "CONFIG SET", "maxmemory", 1)
        try:
            # Where all that a worker writes at its start came first: its snapshot after ten seconds is the next.
            await eventually(lambda: rig.records.of("redis_refuses_writes"), 20, "a refused write is seen")
        finally:
            await ask(rig.redis, "CONFIG SET", "maxmemory", 0)
        await rig.endpoint.wait_for(1)
    assert told(rig)[0]["type"] == "StreamhooksReaderStopped"
    assert "maxmemory" in told(rig)[0]["why"]
