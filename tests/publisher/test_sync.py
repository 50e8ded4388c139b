"""`streamhooks.sync.Publisher`: the same without asyncio, from threads and from processes that end or fork."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from streamhooks.errors import PublishError
from streamhooks.model import Event
from streamhooks.sync import Publisher
from tests.faults.server import Server
from tests.publisher.reading import STREAM, numbers, published
from tests.publisher.test_trouble import unpublished
from tests.waiting import eventually


def failed(call: Callable[..., Any], *args: Any, **kwargs: Any) -> PublishError:
    with pytest.raises(PublishError) as raised:
        call(*args, **kwargs)
    return raised.value


async def test_one_line_publishes_an_event_and_gives_the_id_of_its_entry(redis: Redis, redis_url: str) -> None:
    with Publisher(redis_url) as publisher:
        id = publisher.publish("AuthFailure", {"Message": "Auth Failure"}, ts="t", api_id="payments")
    assert await published(redis) == [Event(id, "AuthFailure", {"Message": "Auth Failure"}, "t", "payments")]


async def test_many_are_published_in_order_with_their_ids(redis: Redis, redis_url: str) -> None:
    with Publisher(redis_url) as publisher:
        ids = publisher.publish_many({"type": "X", "meta": {"n": n}} for n in range(2500))
        assert publisher.publish_many([]) == []
    assert [event.id for event in await published(redis)] == ids
    assert await numbers(redis) == list(range(2500))


async def test_what_is_put_is_published_in_the_background_and_leaving_waits_for_it(
    redis: Redis, redis_url: str
) -> None:
    with Publisher(redis_url) as publisher:
        publisher.put("X", {"n": 0})
        publisher.flush()
        assert await numbers(redis) == [0]
        for n in range(1, 3000):
            publisher.put("X", {"n": n})
        publisher.put_nowait("X", {"n": 3000})
    assert await numbers(redis) == list(range(3001))


async def test_threads_share_a_publisher(redis: Redis, redis_url: str) -> None:
    def work(publisher: Publisher, thread: int) -> None:
        for n in range(100):
            publisher.publish("X", {"n": 1000 * thread + n})
            publisher.put("X", {"n": 1000 * thread + 500 + n})

    with Publisher(redis_url) as publisher:
        threads = [threading.Thread(target=work, args=(publisher, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = await numbers(redis)
    assert sorted(found) == sorted(
        1000 * thread + part + n for thread in range(8) for part in (0, 500) for n in range(100)
    )


async def test_a_bad_event_is_refused_and_nothing_is_published(redis: Redis, redis_url: str) -> None:
    with Publisher(redis_url) as publisher:
        assert str(failed(publisher.publish_many, [{"type": "X"}, {"type": 1}])) == (
            "events[1].type: is a number: a type is a string; nothing was published"
        )
        assert failed(publisher.put, "", {}).kind == "bad_type"
    assert await published(redis) == []


async def test_a_restart_while_events_are_published_loses_none(server: Server) -> None:
    ids: list[str] = []

    def publish() -> None:
        with Publisher(server.url) as publisher:
            for begin in range(0, 20_000, 500):
                ids.extend(publisher.publish_many({"type": "X", "meta": {"n": begin + n}} for n in range(500)))
                publisher.put("X", {"n": -1 - begin})

    task = asyncio.create_task(asyncio.to_thread(publish))
    await eventually(lambda: len(ids) >= 2000)
    await server.kill()
    await server.start()
    await task
    async with server.client() as redis:
        assert set(await numbers(redis)) == {*range(20_000), *range(-1, -20_000, -500)}
    assert len(ids) == 20_000


def test_a_redis_that_is_not_there_is_told_with_the_event() -> None:
    with Publisher("redis://127.0.0.1:1/0") as publisher:
        began = time.monotonic()
        error = failed(publisher.publish, "X", {"n": 1}, patience=0.2)
        assert time.monotonic() - began >= 0.2
    assert (error.kind, error.place, error.ids, unpublished(error)) == ("away", "redis://127.0.0.1:1/0", (None,), [1])
    assert error.message.startswith("1 event was not published: Redis cannot be reached (")


def test_a_full_buffer_makes_who_puts_wait_and_tells_who_will_not() -> None:
    publisher = Publisher("redis://127.0.0.1:1/0", buffer_bytes=600)
    publisher.put("X", {"n": 0})
    publisher.put("X", {"n": 1})
    began = time.monotonic()
    assert "the buffer has no room, 2 events wait in it" in failed(publisher.put_nowait, "X", {"n": 2}).message
    assert time.monotonic() - began < 1
    assert failed(publisher.put, "X", {"n": 2}, patience=0.2).kind == "full"
    assert time.monotonic() - began >= 0.2
    assert "; they are kept and tried further" in failed(publisher.flush, patience=0).message
    error = failed(publisher.close, patience=0.1)
    assert (error.kind, unpublished(error)) == ("away", [0, 1])
    publisher.close()


def test_who_is_closed_says_so(redis_url: str) -> None:
    publisher = Publisher(redis_url)
    publisher.close()
    for call in (publisher.publish, publisher.put, publisher.put_nowait):
        error = failed(call, "X")
        assert (error.kind, error.message) == ("closed", "this publisher was closed: make a new one")


async def test_too_few_replicas_are_told_with_the_ids_that_are_in_the_stream(server: Server, replica: Server) -> None:
    with Publisher(server.url, replica_timeout=0.05) as publisher:
        publisher.publish("X", {"n": 1}, replicas=1)
        error = failed(publisher.publish, "X", {"n": 2}, replicas=2)
    async with server.client() as redis:
        found = await published(redis)
    assert (error.kind, error.ids) == ("replicas", (found[1].id,))
    assert "only 1 of 2 replicas" in error.message


AT_EXIT = """
import sys
from streamhooks.sync import Publisher
publisher = Publisher(sys.argv[1], patience=float(sys.argv[2]))
for n in range(2000):
    publisher.put("X", {"n": n})
"""


def python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    # Python 3.12 and later warn of a fork beside a thread, which is the case that is tried here.
    words = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *args]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=30)


async def test_a_process_that_ends_publishes_what_was_put(redis: Redis, redis_url: str) -> None:
    ended = await asyncio.to_thread(python, AT_EXIT, redis_url, "10")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert await numbers(redis) == list(range(2000))


def test_a_process_that_ends_without_redis_says_what_it_could_not_publish() -> None:
    ended = python(AT_EXIT, "redis://127.0.0.1:1/0", "0.1")
    assert "2000 events were not published before the end: Redis cannot be reached" in ended.stderr


FORKS = """
import os, sys
from streamhooks.sync import Publisher
publisher = Publisher(sys.argv[1])
publisher.put("X", {"n": 1})
publisher.publish("X", {"n": 2})
child = os.fork()
publisher.put("X", {"n": 3 if child else 4})
publisher.publish("X", {"n": 5 if child else 6})
if child:
    os.waitpid(child, 0)
"""


async def test_a_forked_child_publishes_its_own_and_not_what_its_parent_had_put(redis: Redis, redis_url: str) -> None:
    ended = await asyncio.to_thread(python, FORKS, redis_url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(await numbers(redis)) == [1, 2, 3, 4, 5, 6]
    assert await redis.xlen(STREAM) == 6
