"""The log: each problem is one record, and it has what it takes to act."""

import asyncio
import logging
import os
import signal
from typing import Any

import msgspec
from msgspec.structs import replace

from streamhooks.delivery.request import webhook_id
from streamhooks.errors import StoreError
from streamhooks.files import Loaded
from streamhooks.flow.health import Outages
from streamhooks.handlers.handler import Route
from streamhooks.store.connection import ask
from tests.flow.rig import GROUP, STREAM, Records, Rig
from tests.servers import Answer
from tests.waiting import eventually


def problems(rig: Rig) -> list[dict[str, Any]]:
    """Every record but those of start and stop, without its time."""
    told = [record for record in rig.records.all if record["level"] not in ("info", "debug")]
    return [{name: value for name, value in record.items() if name not in ("timestamp", "ms")} for record in told]


async def test_a_destination_that_is_not_allowed_is_one_record(rig: Rig) -> None:
    loaded = rig.loaded(rig.handler())
    closed = tuple(replace(handler, route=Route()) for handler in loaded.handlers)
    async with rig.running(replace(loaded, handlers=closed)):
        entry = await rig.publish("abc")
        await rig.settled(dead=1)
    (record,) = problems(rig)
    assert record.pop("why").startswith("127.0.0.1 is not allowed: loopback")
    assert record == {
        "event": "dead_letter", "level": "error", "handler": "h", "entry": entry, "type": "AuthFailure",
        "webhook_id": webhook_id(entry, 0, "h"), "attempts": 1, "reason": "destination_denied", "failure": "blocked",
    }  # fmt: skip


async def test_a_retry_is_one_record(rig: Rig) -> None:
    rig.endpoint.script(503, 200)
    async with rig.working(rig.handler()):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
    (record,) = problems(rig)
    assert record == {
        "event": "retry_stored", "level": "warning", "handler": "h", "entry": entry, "type": "AuthFailure",
        "webhook_id": webhook_id(entry, 0, "h"), "attempt": 1, "why": "status 503", "again_in_seconds": 0.1,
        "status": 503,
    }  # fmt: skip


async def test_an_entry_that_is_no_event_is_one_record(rig: Rig) -> None:
    async with rig.working(rig.handler()):
        entry = await rig.add({"d": b"[]"})
        await rig.settled(dead=1)
    (record,) = problems(rig)
    assert (record["event"], record["reason"], record["entry"]) == ("dead_letter", "undecodable", entry)
    assert record["why"]


async def test_a_crash_looping_entry_is_one_record(rig: Rig) -> None:
    await rig.redis.xgroup_create(STREAM, GROUP, "0", mkstream=True)
    entry = await rig.publish("abc")
    await ask(rig.redis, "XREADGROUP", "GROUP", GROUP, "gone", "STREAMS", STREAM, ">")
    await ask(rig.redis, "XCLAIM", STREAM, GROUP, "gone", 0, entry, "RETRYCOUNT", 5, "IDLE", 60_000)
    async with rig.working(rig.handler()):
        await rig.settled(dead=1)
    (record,) = problems(rig)
    assert (record["event"], record["reason"], record["entry"]) == ("dead_letter", "crash_loop", entry)
    assert record["why"].startswith("handed out 5 times")


async def test_a_crash_looping_retry_is_one_record_that_names_event_and_handler(rig: Rig) -> None:
    rig.endpoint.script(503)
    async with rig.working(rig.handler(retry={"delays": [60]})):
        entry = await rig.publish("abc")
        await eventually(lambda: bool(rig.records.of("retry_stored")))
    (record,) = (await rig.stored()).values()
    words = [*record.words(), "first", record.first, "last", record.last]
    carrier = (await ask(rig.redis, "XADD", rig.keys.retry, "*", *words)).decode()
    await ask(rig.redis, "DEL", rig.keys.parked, rig.keys.parked_data)
    await ask(rig.redis, "XREADGROUP", "GROUP", GROUP, "gone", "STREAMS", rig.keys.retry, ">")
    await ask(rig.redis, "XCLAIM", rig.keys.retry, GROUP, "gone", 0, carrier, "RETRYCOUNT", 5, "IDLE", 60_000)
    async with rig.working(rig.handler(retry={"delays": [60]})):
        (dead,) = await eventually(lambda: rig.records.of("dead_letter"))
    assert (dead["entry"], dead["handler"], dead["type"]) == (entry, "h", "AuthFailure")
    assert (dead["reason"], dead["attempts"], dead["webhook_id"]) == ("crash_loop", 1, webhook_id(entry, 0, "h"))
    assert [record["event"] for record in problems(rig)] == ["retry_stored", "dead_letter"]


async def test_a_handler_that_is_gone_is_paused_on_all_partitions_and_told_of_once(rig: Rig) -> None:
    rig.endpoint.script(410)
    async with rig.working(rig.handler(), stream={"partitions": 3}):
        await ask(rig.redis, "XADD", f"{STREAM}:1", "*", "type", "AuthFailure", "key", "abc")
        await eventually(lambda: rig.records.of("handler_paused"))
    assert sorted(record["event"] for record in problems(rig)) == ["dead_letter", "handler_paused"]


async def test_a_breaker_that_opens_says_why_and_for_how_long(rig: Rig) -> None:
    rig.endpoint.script(Answer(500), Answer(500), 200)
    policy = {"consecutive": 2, "open": 0.2, "open_cap": 0.2}
    async with rig.working(rig.handler(breaker=policy, concurrency=1, retry={"delays": [0.05] * 9, "jitter": 0})):
        await rig.publish_many(2)
        await rig.settled(delivered=2)
    (opened,) = rig.records.of("breaker_opened")
    assert (opened["handler"], opened["why"], opened["seconds"]) == ("h", "status 500", 0.2)
    assert opened["entry"]
    (closed,) = rig.records.of("breaker_closed")
    assert closed["handler"] == "h"


async def test_a_configuration_with_several_faults_is_refused_by_one_record_that_names_each(rig: Rig) -> None:
    def again(_held: object) -> Loaded:
        return rig.loaded(rig.handler(on=7), rig.handler("i", method="FETCH"))

    async with rig.running(rig.loaded(rig.handler()), again):
        os.kill(os.getpid(), signal.SIGHUP)
        (record,) = await eventually(lambda: rig.records.of("reload_refused"))
    assert len(record["faults"]) == 2, record["faults"]
    assert ["handlers[0].on" in record["faults"][0], "handlers[1].method" in record["faults"][1]] == [True, True]
    assert record["effect"] == "old one stays"


def test_an_error_of_redis_that_lasts_is_told_once_a_minute(records: Records) -> None:
    health = Outages().server()
    for _ in range(100):
        health.failed(StoreError("no_permission", "NOPERM this user has no permissions"))
    health.failed(StoreError("other", "ERR another"))
    told = [(record["event"], record["error"], record["not_told"]) for record in records.all]
    assert told == [
        ("redis_error", "NOPERM this user has no permissions", 0),
        ("redis_error", "ERR another", 0),
    ]


def test_a_password_that_is_refused_is_an_outage_and_told_as_what_it_is(records: Records) -> None:
    health = Outages().server()
    for _ in range(100):
        health.failed(StoreError("denied", "wrong user or password (WRONGPASS)"))
    assert health.away
    health.answered()
    assert [(record["event"], record.get("kind")) for record in records.all] == [
        ("redis_error", "denied"),
        ("redis_back", None),
    ]


def test_an_outage_of_several_servers_is_told_once(records: Records) -> None:
    outages = Outages()
    one, other = outages.server(), outages.server()
    for kind, begins, ends in (
        ("away", "redis_away", "redis_back"),
        ("refusing", "redis_refuses_writes", "redis_takes_writes_again"),
    ):
        for health in (one, other, one):
            health.failed(StoreError(kind, "no"))
        one.answered(writes=True)
        assert [outages.away, outages.refusing].count(True) == 1
        assert not records.of(ends)
        other.answered(writes=True)
        assert not outages.away
        assert not outages.refusing
        assert (len(records.of(begins)), len(records.of(ends))) == (1, 1)


def test_what_a_library_says_is_a_record_too(records: Records) -> None:
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "10.0.0.1")
    logging.getLogger("asyncio").debug("not this")
    (line,) = records.text.splitlines()
    told = msgspec.json.decode(line)
    del told["timestamp"]
    assert told == {
        "event": "library", "level": "error", "source": "aiohttp.server",
        "message": "Error handling request from 10.0.0.1",
    }  # fmt: skip


async def test_stopping_with_something_left_says_how_much(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(), worker={"drain_timeout": 0.1, "lease": 60}):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await asyncio.sleep(0)
    (record,) = problems(rig)
    assert (record["event"], record["left"]) == ("drain_timeout", 1)
