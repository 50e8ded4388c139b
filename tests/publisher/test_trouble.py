"""Redis away, full, closed to us, slow: what a publisher does then, and what it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from streamhooks import Publisher
from streamhooks.errors import PublishError
from streamhooks.partitioning import stream_names, stream_of
from streamhooks.store.connection import ask
from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.publisher.reading import STREAM, numbers
from tests.waiting import eventually


async def failed(call: Any) -> PublishError:
    with pytest.raises(PublishError) as raised:
        await call
    return raised.value


def unpublished(error: PublishError) -> list[int]:
    """The `n` of each event that the error gives back."""
    return [msgspec.json.decode(data)["meta"]["n"] for data in error.unpublished]


async def test_a_redis_that_is_not_there_is_told_with_the_event(server: Server) -> None:
    await server.kill()
    async with Publisher(server.url, patience=0) as publisher:
        error = await failed(publisher.publish("X", {"n": 1}))
    assert (error.kind, error.place, error.ids) == ("away", f"redis://127.0.0.1:{server.port}/0", (None,))
    assert error.message.startswith("1 event was not published: Redis cannot be reached (")
    assert error.message.endswith("): start it, or name another server")
    assert unpublished(error) == [1]


async def test_a_restart_while_events_are_published_loses_none(server: Server) -> None:
    async with Publisher(server.url) as publisher, asyncio.TaskGroup() as group:
        ids: list[str] = []

        async def publish() -> None:
            for begin in range(0, 20_000, 500):
                ids.extend(await publisher.publish_many({"type": "X", "meta": {"n": begin + n}} for n in range(500)))

        task = group.create_task(publish())
        await eventually(lambda: len(ids) >= 2000)
        await server.kill()
        assert not task.done()
        await server.start()
    async with server.client() as redis:
        found = await numbers(redis)
        stored = {id.decode() for id, _ in await ask(redis, "XRANGE", STREAM, "-", "+")}
    # The batch under way when it was killed may be there twice, and no other.
    assert set(found) == set(range(20_000))
    assert len(found) <= 20_000 + 1000
    assert len(ids) == 20_000
    assert set(ids) <= stored


async def test_what_was_put_while_redis_was_away_is_published_when_it_is_back(server: Server) -> None:
    async with Publisher(server.url) as publisher:
        await server.kill()
        for n in range(100):
            await publisher.put("X", {"n": n})
        error = await failed(publisher.flush(patience=0))
        assert error.message.startswith("100 events were not published yet: Redis ")
        assert error.message.endswith("; they are kept and tried further")
        await server.start()
        await publisher.flush()
        async with server.client() as redis:
            assert await numbers(redis) == list(range(100))


async def test_a_lost_answer_is_a_possible_duplicate_and_never_a_loss(server: Server) -> None:
    async with Proxy(server.port) as proxy, Publisher(proxy.url) as publisher, server.client() as redis:
        proxy.cut_reply_to(b"XADD")
        id = await publisher.publish("X", {"n": 1})
        assert proxy.cuts == 1
        assert await numbers(redis) == [1, 1]
        entries = await ask(redis, "XRANGE", STREAM, "-", "+")
        assert id == entries[1][0].decode()


async def test_who_does_not_try_again_hears_that_the_event_may_be_there(server: Server) -> None:
    async with Proxy(server.port) as proxy, Publisher(proxy.url, patience=0) as publisher, server.client() as redis:
        proxy.cut_reply_to(b"XADD")
        error = await failed(publisher.publish("X", {"n": 1}))
        assert error.message.endswith("; 1 may be in the stream nonetheless, for no answer came")
        assert await numbers(redis) == [1]


async def test_a_redis_without_memory_is_told_and_works_again_when_it_has_some(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url) as publisher:
        await redis.config_set("maxmemory", 1)
        try:
            error = await failed(publisher.publish("X", {"n": 1}, patience=0))
            await publisher.put("X", {"n": 2})
            waiting = asyncio.create_task(publisher.publish("X", {"n": 3}))
            await failed(publisher.flush(patience=0.2))
        finally:
            await redis.config_set("maxmemory", 0)
        assert error.kind == "refusing"
        assert error.message.startswith("1 event was not published: Redis takes no writes (")
        assert error.message.endswith("): give it memory, disk or its primary back")
        await waiting
        await publisher.flush()
        assert await numbers(redis) == [2, 3]


async def test_a_replica_takes_no_writes(server: Server, replica: Server) -> None:
    async with Publisher(replica.url, patience=0) as publisher:
        error = await failed(publisher.publish("X", {"n": 1}))
        assert error.kind == "refusing"
        assert "can't write against a read only replica" in error.message
        await replica.promote()
        await publisher.publish("X", {"n": 2})
    async with replica.client() as redis:
        assert await numbers(redis) == [2]


@pytest_asyncio.fixture
async def locked(redis: Redis, redis_url: str) -> AsyncIterator[str]:
    """The URL of a user who has a password and may read only."""
    await ask(redis, "ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "+hello", "+auth")
    yield redis_url.replace("unix://", "unix://reader@")
    await ask(redis, "ACL", "DELUSER", "reader")


async def test_a_wrong_password_is_told_at_once_and_by_nobody_repeated(locked: str) -> None:
    async with Publisher(locked, password="geheim") as publisher:
        error = await failed(publisher.publish("X", {"n": 1}))
    assert error.kind == "denied"
    assert "lets us not publish (" in error.message
    assert "): look at user and password, and allow them XADD" in error.message
    assert "geheim" not in str(error)


async def test_a_user_who_may_not_add_is_told_so(locked: str) -> None:
    async with Publisher(f"{locked}?password=secret") as publisher:
        error = await failed(publisher.publish("X", {"n": 1}))
    assert (error.kind, unpublished(error)) == ("denied", [1])
    assert "NOPERM" in error.message or "no permissions" in error.message


async def test_who_publishes_needs_no_permission_but_the_one_to_add(redis: Redis, redis_url: str) -> None:
    await ask(redis, "ACL", "SETUSER", "gateway", "on", ">secret", "~gateway:events*", "+xadd", "+wait")
    try:
        async with Publisher(redis_url.replace("unix://", "unix://gateway@"), password="secret") as publisher:
            await publisher.publish("X", {"n": 1})
            assert (await failed(publisher.publish("X", {"n": 2}, replicas=1))).kind == "replicas"
    finally:
        await ask(redis, "ACL", "DELUSER", "gateway")
    assert await numbers(redis) == [1, 2]


async def test_a_key_that_is_no_stream_fails_only_the_events_that_go_there(redis: Redis, redis_url: str) -> None:
    await redis.set("many:1", "text", ex=60)
    events = [{"type": f"T{n}", "meta": {"n": n}} for n in range(20)]
    async with Publisher(redis_url, stream="many", partitions=2) as publisher:
        error = await failed(publisher.publish_many(events))
    assert error.kind == "redis"
    assert "WRONGTYPE" in error.message or "wrong kind of value" in error.message
    missing = [n for n, id in enumerate(error.ids) if id is None]
    assert 0 < len(missing) < 20
    assert unpublished(error) == missing
    assert error.message.startswith(f"{len(missing)} of 20 events were not published: Redis refused a command (")
    entries: Any = await redis.xrange("many:0")
    assert [id.decode() for id, _ in entries] == [id for id in error.ids if id]


async def test_a_full_buffer_makes_who_puts_wait_and_tells_who_will_not(server: Server) -> None:
    await server.kill()
    async with Publisher(server.url, buffer_bytes=1000) as publisher:
        fitted = 0
        with suppress(PublishError):
            for n in range(10):
                publisher.put_nowait("X", {"n": n})
                fitted += 1
        assert 2 <= fitted < 10
        await failed(publisher.flush(patience=0))
        for call in (publisher.put("X", {"n": 9}, patience=0.05), publisher.publish("X", {"n": 9}, patience=0.05)):
            error = await failed(call)
            assert (error.kind, unpublished(error)) == ("full", [9])
            assert f"the buffer has no room, {fitted} events wait in it: Redis " in error.message
        waiting = asyncio.create_task(publisher.put("X", {"n": fitted}))
        await server.start()
        await waiting
    async with server.client() as redis:
        assert await numbers(redis) == list(range(fitted + 1))


async def test_a_call_larger_than_the_buffer_goes_through_it_in_parts(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url, buffer_bytes=2000) as publisher:
        ids = await publisher.publish_many({"type": "X", "meta": {"n": n}} for n in range(100))
    assert await numbers(redis) == list(range(100))
    assert len(set(ids)) == 100


async def test_closing_gives_back_what_cannot_be_published(server: Server) -> None:
    await server.kill()
    publisher = Publisher(server.url)
    await publisher.open()
    for n in range(3):
        await publisher.put("X", {"n": n})
    waiting = asyncio.create_task(publisher.publish("X", {"n": 3}))
    await asyncio.sleep(0)
    error = await failed(publisher.close(patience=0.1))
    assert (error.kind, unpublished(error), error.ids) == ("away", [0, 1, 2], (None, None, None))
    assert error.message.startswith("3 events were not published before the end: Redis ")
    # Whoever waits has its own event in its own error.
    assert unpublished(await failed(waiting)) == [3]


async def test_leaving_with_a_wrong_password_does_not_wait_for_a_better_one(locked: str) -> None:
    publisher = Publisher(locked, password="geheim")
    await publisher.open()
    await publisher.put("X", {"n": 1})
    error = await asyncio.wait_for(failed(publisher.close()), 10)
    assert (error.kind, unpublished(error)) == ("denied", [1])


async def test_whoever_waits_no_longer_has_nothing_published_behind_its_back(server: Server) -> None:
    await server.kill()
    async with Publisher(server.url) as publisher:
        waiting = asyncio.create_task(publisher.publish("X", {"n": 1}))
        await asyncio.sleep(0)
        await failed(publisher.flush(patience=0.1))
        waiting.cancel()
        await asyncio.wait([waiting])
        await server.start()
        await publisher.publish("X", {"n": 2})
    async with server.client() as redis:
        assert await numbers(redis) == [2]


async def test_a_redis_that_hangs_is_given_up_and_the_event_may_be_there(server: Server) -> None:
    async with Publisher(server.url, patience=0) as publisher:
        await publisher.publish("X", {"n": 1})
        server.freeze()
        try:
            error = await failed(publisher.publish("X", {"n": 2}))
        finally:
            server.thaw()
    assert error.kind == "away"
    assert "1 may be in the stream nonetheless" in error.message


async def test_events_that_enough_replicas_have_are_published(server: Server, replica: Server) -> None:
    async with Publisher(server.url) as publisher:
        await publisher.publish("X", {"n": 1}, replicas=1)
        await publisher.publish_many([{"type": "X", "meta": {"n": 2}}] * 3, replicas=1)
        await publisher.publish("X", {"n": 3})
        async with replica.client() as redis:
            assert (await numbers(redis))[:4] == [1, 2, 2, 2]


async def test_too_few_replicas_are_told_with_the_ids_that_are_in_the_stream(server: Server, replica: Server) -> None:
    async with Publisher(server.url, replica_timeout=0.05) as publisher, server.client() as redis:
        error = await failed(publisher.publish_many([{"type": "X", "meta": {"n": n}} for n in range(2)], replicas=2))
        entries: Any = await redis.xrange(STREAM)
        assert error.kind == "replicas"
        assert error.message == (
            "2 events were published, but only 1 of 2 replicas said in time that they have what was; "
            "do not publish again, look at the replicas"
        )
        assert list(error.ids) == [id.decode() for id, _ in entries]
        assert error.unpublished == ()
        replica.freeze()
        try:
            error = await failed(publisher.publish("X", {"n": 2}, replicas=1))
        finally:
            replica.thaw()
        assert "only 0 of 1 replicas said in time" in error.message


async def test_one_partition_that_takes_nothing_holds_the_others_up_no_longer_than_a_moment(
    redis: Redis, redis_url: str
) -> None:
    await redis.set("many:1", "text", ex=60)
    streams = stream_names("many", 2)
    types = [f"T{n}" for n in range(20)]
    bad = next(type_ for type_ in types if stream_of(type_, "", streams) == "many:1")
    good = next(type_ for type_ in types if stream_of(type_, "", streams) == "many:0")
    async with Publisher(redis_url, stream="many", partitions=2) as publisher:
        await failed(publisher.publish(bad, {"n": 1}))
        await publisher.put(good, {"n": 2})
        await publisher.flush()
        await publisher.put(bad, {"n": 3})
        flushing = asyncio.create_task(failed(publisher.flush()))
        await asyncio.sleep(0)
        await publisher.publish(good, {"n": 4})
        error = await flushing
        assert "not published yet: Redis refused a command (" in error.message
        await redis.delete("many:1")
        await publisher.flush(patience=5)
    assert await redis.xlen("many:0") == 2
    assert await redis.xlen("many:1") == 1
