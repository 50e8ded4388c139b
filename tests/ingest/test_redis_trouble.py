"""Redis that is away, refuses, or fails midway: the sender is told exactly what was taken."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from streamhooks.ingest.door import IngestDoor
from streamhooks.observe.figures import Figures
from streamhooks.observe.problems import write_log
from streamhooks.secret import Secret
from streamhooks.settings import Redis as RedisSettings
from streamhooks.store.adding import add
from streamhooks.store.connection import ask, connect
from tests.flow.rig import Rig
from tests.flow.test_redis_trouble import full
from tests.ingest.asking import ANY_PORT, door, opened, stored

ONE = '{"type": "T", "meta": {}}'


async def test_while_redis_is_away_the_door_is_open_and_says_so_once_in_the_log(rig: Rig, tmp_path: Path) -> None:
    loaded = rig.loaded(rig.handler(), redis={"url": f"unix://{tmp_path / 'later.sock'}"}, ingest=ANY_PORT)

    async def work() -> None:
        async with rig.running(loaded):
            raise AssertionError("there is no Redis")

    task = asyncio.create_task(work())
    async with opened(rig) as ours:
        for _ in range(3):
            answered = await ours.post(ONE)
            assert answered.refusal == (503, "redis_away", "Redis does not answer: nothing was taken, try again")
            assert answered.headers["Retry-After"] == "5"
        assert (await ours.post("{}")).status == 400
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(rig.records.of("ingest_stopped")) == 1


async def test_a_redis_that_takes_no_writes_takes_all_of_a_request_or_nothing(rig: Rig) -> None:
    many = json.dumps([json.loads(ONE)] * 50)
    async with door(rig) as ours:
        async with full(rig):
            answered = await ours.post(many)
            assert answered.refusal == (503, "redis_refuses", "Redis takes no writes: nothing was taken, try again")
        assert await stored(rig) == []
        assert len((await ours.post(many)).ids) == 50
    assert [len(rig.records.of(event)) for event in ("ingest_stopped", "ingest_goes_on")] == [1, 1]


@asynccontextmanager
async def losing(rig: Rig, path: Path, mark: bytes) -> AsyncIterator[str]:
    """A way to Redis that passes on the command which holds this mark, and then loses the connection; its URL."""

    relays: list[asyncio.Task[None]] = []
    lost = asyncio.Event()

    async def up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen = b""
        while piece := await reader.read(65536):
            seen = seen[-len(mark) :] + piece
            if mark in seen:
                lost.set()
            writer.write(piece)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_unix_connection(rig.url.removeprefix("unix://"))
        sending = asyncio.create_task(up(reader, ours))
        try:
            while piece := await theirs.read(65536):
                if lost.is_set():
                    lost.clear()
                    return
                writer.write(piece)
        finally:
            sending.cancel()
            for each in (ours, writer):
                each.transport.abort()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relays.append(asyncio.create_task(relay(reader, writer)))

    async with await asyncio.start_unix_server(connected, path):
        yield f"unix://{path}"
        for task in relays:
            task.cancel()
        await asyncio.gather(*relays, return_exceptions=True)


async def test_where_redis_fails_midway_what_was_taken_is_named(rig: Rig, tmp_path: Path) -> None:
    """A hundred events go in one call; here the answer to the second call of three is lost."""
    events = [{"type": "T", "meta": {"n": number, "mark": "M1" if number == 150 else ""}} for number in range(300)]
    async with losing(rig, tmp_path / "way.sock", b'"M1"') as url:
        loaded = rig.loaded(rig.handler(on=["Nothing"]), ingest=ANY_PORT)
        settings = replace(loaded.settings, redis=replace(loaded.settings.redis, url=Secret(url)))
        async with IngestDoor(settings, Figures(write_log), asyncio.Event()), opened(rig) as ours:
            answered = await ours.post(json.dumps(events))
            said = "Redis does not answer: 100 of 300 events were taken; send again what is neither taken nor unknown"
            assert answered.refusal == (503, "redis_away", said)
            rest = [event for number, event in enumerate(events) if number >= 200]
            assert len((await ours.post(json.dumps(rest))).ids) == 100
    found = await stored(rig)
    assert [event.meta["n"] for event in found] == list(range(300))
    assert answered.json["taken"] == [{"index": number, "id": found[number].id} for number in range(100)]
    assert answered.json["unknown"] == list(range(100, 200))


async def test_what_was_added_before_a_failure_is_told_and_what_nobody_can_say_too(rig: Rig, tmp_path: Path) -> None:
    await ask(rig.redis, "SET", "broken", "no stream", "EX", 60)
    events = [("a", b"1"), ("broken", b"2"), ("a", b"3"), ("broken", b"4"), ("c", b"5")]
    added = await add(rig.redis, events)
    assert sorted(added.ids) == [0, 2]
    assert added.unknown == ()
    assert added.failed
    assert added.failed.kind == "redis"
    assert [await rig.redis.xlen(name) for name in ("a", "c")] == [2, 0]
    unreachable = connect(RedisSettings(url=Secret(f"unix://{tmp_path / 'nowhere.sock'}")))
    lost = await add(unreachable, events)
    assert (lost.ids, lost.unknown) == ({}, (0, 2))
    assert lost.failed
    assert lost.failed.kind == "away"
    await unreachable.aclose()
