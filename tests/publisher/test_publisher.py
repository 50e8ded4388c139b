"""`streamhooks.Publisher`: one line from an asyncio program to the stream."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from streamhooks import Publisher
from streamhooks.connecting.address import FORMS
from streamhooks.errors import PublishError
from streamhooks.model import Event
from streamhooks.wire import check
from tests.publisher.reading import STREAM, numbers, published


async def test_one_line_publishes_an_event_and_gives_the_id_of_its_entry(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url) as publisher:
        id = await publisher.publish(
            "AuthFailure", {"Message": "Auth Failure"}, ts=1_795_428_000, api_id="payments", org_id="acme",
            source="edge-1", traceparent="00-ab-cd-01",
        )  # fmt: skip
    assert await published(redis) == [
        Event(
            id=id,
            type="AuthFailure",
            meta={"Message": "Auth Failure"},
            timestamp="2026-11-23T10:00:00.000Z",
            api_id="payments",
            org_id="acme",
            source="edge-1",
            traceparent="00-ab-cd-01",
        )
    ]


async def test_many_are_published_in_order_with_their_ids(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url) as publisher:
        ids = await publisher.publish_many({"type": "X", "meta": {"n": n}} for n in range(2500))
    found = await published(redis)
    assert [event.id for event in found] == ids
    assert [event.meta["n"] for event in found] == list(range(2500))


async def reads(redis: Redis) -> int:
    info: Any = await redis.info("stats")
    return int(info["total_reads_processed"])


async def test_many_cost_few_round_trips(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url) as publisher:
        await publisher.publish("X")
        before = await reads(redis)
        await publisher.publish_many({"type": "X", "meta": {"n": n}} for n in range(1000))
        after = await reads(redis)
    # 1,000 events are some 80 KiB, which the server reads in pieces of 16 KiB.
    assert after - before < 20
    assert await redis.xlen(STREAM) == 1001


async def test_what_many_tasks_publish_at_once_travels_together(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url) as publisher:
        await publisher.publish("X", {"n": -1})
        before = await reads(redis)
        await asyncio.gather(*(publisher.publish("X", {"n": n}) for n in range(500)))
        after = await reads(redis)
    assert after - before < 20
    assert await numbers(redis) == list(range(-1, 500))


async def test_what_is_put_is_published_in_the_background_with_the_time_of_the_call(
    redis: Redis, redis_url: str
) -> None:
    began = datetime.now(UTC)
    async with Publisher(redis_url) as publisher:
        for n in range(3):
            await publisher.put("X", {"n": n})
        publisher.put_nowait("X", {"n": 3}, ts="yesterday")
        await publisher.flush()
        assert await numbers(redis) == [0, 1, 2, 3]
    found = await published(redis)
    assert began <= datetime.fromisoformat(found[0].timestamp) <= datetime.now(UTC)
    assert found[3].timestamp == "yesterday"


async def test_leaving_publishes_what_was_put(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url) as publisher:
        for n in range(3000):
            await publisher.put("X", {"n": n})
    assert await numbers(redis) == list(range(3000))


async def test_a_publisher_is_opened_and_closed_by_hand_too(redis: Redis, redis_url: str) -> None:
    publisher = Publisher(redis_url)
    await publisher.open()
    await publisher.open()
    await publisher.put("X", {"n": 1})
    await publisher.close()
    await publisher.close()
    assert await numbers(redis) == [1]


async def test_nothing_to_publish_is_no_round_trip(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url) as publisher:
        assert await publisher.publish_many([]) == []
        await publisher.flush()


async def test_what_was_packed_by_somebody_else_goes_as_it_stands(redis: Redis, redis_url: str) -> None:
    data = b'{"Type": "X", "Meta": {"n": 1}}'
    async with Publisher(redis_url) as publisher:
        await publisher.publish_many([check(data, 1000)])
    entries: Any = await redis.xrange(STREAM)
    assert entries[0][1] == {b"d": data}


async def test_equal_events_meet_in_one_partition(redis: Redis, redis_url: str) -> None:
    events = [{"type": type, "meta": {"APIID": api}} for type in "ABCDE" for api in "xyz" for _ in range(2)]
    async with Publisher(redis_url, stream="many", partitions=4) as publisher:
        await publisher.publish_many(events)
    places: dict[tuple[str, str], set[int]] = {}
    for number in range(4):
        for event in await published(redis, f"many:{number}"):
            places.setdefault((event.type, event.api_id), set()).add(number)
    assert len(places) == 15
    assert {len(found) for found in places.values()} == {1}
    assert set.union(*places.values()) == {0, 1, 2, 3}


async def test_a_stream_of_any_name_is_written_to(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url, stream="{tür}:ereignisse") as publisher:
        await publisher.publish("X", {"n": 1})
    assert len(await published(redis, "{tür}:ereignisse")) == 1


FAULTS: dict[str, tuple[Any, str]] = {
    "no type": ({}, "events[1].type: is missing: every event has a type of 1 to 128 characters; nothing was published"),
    "no event": (7, "events[1]: is no event: give a dict of type, meta and the envelope"),
    "strange member": (
        {"typ": "X"},
        "events[1].typ: is no member of an event; those are api_id, meta, org_id, source, traceparent, ts, type",
    ),
    "not finite": (
        {"type": "X", "meta": {"a": [float("inf")]}},
        "events[1].meta.a[0]: is inf: JSON has no such number, leave it out; nothing was published",
    ),
    "surrogate": (
        {"type": "X", "source": "\ud800"},
        "events[1]: a string holds half a surrogate pair: it has no UTF-8, leave it out; nothing was published",
    ),
}


@pytest.mark.parametrize(("event", "said"), FAULTS.values(), ids=FAULTS.keys())
async def test_one_bad_event_of_many_is_named_and_nothing_is_published(
    event: Any, said: str, redis: Redis, redis_url: str
) -> None:
    async with Publisher(redis_url) as publisher:
        with pytest.raises(PublishError) as raised:
            await publisher.publish_many([{"type": "X"}, event])
    assert str(raised.value) == said
    assert await published(redis) == []


async def test_what_is_no_event_is_refused_before_it_is_sent_or_put(redis: Redis, redis_url: str) -> None:
    async with Publisher(redis_url, max_event_bytes=100) as publisher:
        for publish in (publisher.publish, publisher.put):
            with pytest.raises(PublishError) as raised:
                await publish("X", {"a": "x" * 100})
            assert raised.value.kind == "too_large"
        with pytest.raises(PublishError) as raised:
            publisher.put_nowait("", {})
        assert str(raised.value) == "type: has 0 characters: a type has 1 to 128"
    assert await published(redis) == []


NO_ADDRESS = "is no address that can be connected to: "
OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "url": (
        {"url": "http://user:secret@host"},
        f"http://host: {NO_ADDRESS}{FORMS}",
    ),
    "option of the url": (
        {"url": "redis://host?colour=red"},
        f"redis://host: {NO_ADDRESS}its options are client_name, db, password, username",
    ),
    "stream": ({"stream": ""}, "stream: is empty: name the stream that the workers read"),
    "partitions": ({"partitions": 0}, "partitions: is 0; it must be at least 1 and at most 1024"),
    "patience": ({"patience": -1}, "patience: is -1; it must be at least 0"),
    "buffer": ({"buffer_bytes": 0}, "buffer_bytes: is 0; it must be at least 1"),
}


@pytest.mark.parametrize(("options", "said"), OPTIONS.values(), ids=OPTIONS.keys())
def test_a_publisher_that_cannot_be_is_refused_at_once(options: dict[str, Any], said: str) -> None:
    with pytest.raises(PublishError) as raised:
        Publisher(**options)
    assert (raised.value.kind, str(raised.value)) == ("options", said)


def test_a_publisher_shows_where_it_publishes_and_no_password() -> None:
    shown = repr(Publisher("redis://user:secret@host:6379/1", password="geheim"))
    assert shown == "<Publisher redis://host:6379/1 gateway:events>"


async def test_who_is_not_open_says_so(redis_url: str) -> None:
    publisher = Publisher(redis_url)
    for call in (publisher.publish("X"), publisher.publish_many([{"type": "X"}]), publisher.put("X")):
        with pytest.raises(PublishError, match="is not open: use `async with Publisher") as raised:
            await call
        assert raised.value.kind == "closed"
    async with publisher:
        pass
    with pytest.raises(PublishError, match="is not open"):
        publisher.put_nowait("X")
