"""The tests' own servers do what other tests believe of them."""

import asyncio
import io

import aiohttp
import pytest
from redis.asyncio import Redis
from yarl import URL

from tests.servers import Answer, Endpoint, lasting_keys


async def test_an_endpoint_records_a_request_as_it_came(endpoint: Endpoint) -> None:
    body = b"\x00\xff" * 1_000_000
    url = URL(f"{endpoint.url}/a%20b?c=%2F", encoded=True)
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, data=io.BytesIO(body), headers={"X-Mixed": "v"}) as reply,
    ):
        assert reply.status == 200
    (received,) = await endpoint.wait_for(1)
    assert (received.method, received.path, received.body) == ("POST", "/a%20b?c=%2F", body)
    assert received.headers["x-mixed"] == "v"
    assert (b"X-Mixed", b"v") in received.raw_headers
    assert 0 < received.at <= asyncio.get_running_loop().time()


async def test_an_endpoint_answers_as_scripted_and_repeats_the_last_answer(endpoint: Endpoint) -> None:
    endpoint.script(503, Answer(429, b"slow down", {"Retry-After": "7"}), 204)
    seen = []
    async with aiohttp.ClientSession() as client:
        for _ in range(4):
            async with client.post(endpoint.url) as reply:
                seen.append((reply.status, await reply.read(), reply.headers.get("Retry-After")))
    assert seen == [(503, b"", None), (429, b"slow down", "7"), (204, b"", None), (204, b"", None)]


async def test_an_endpoint_that_hangs_answers_after_release_and_counts_what_is_under_way(endpoint: Endpoint) -> None:
    endpoint.script(Answer(then="hang"))
    async with aiohttp.ClientSession() as client, asyncio.TaskGroup() as group:
        replies = [group.create_task(client.post(endpoint.url)) for _ in range(3)]
        await endpoint.wait_for(3)
        assert endpoint.at_once == 3
        endpoint.release()
    assert [reply.result().status for reply in replies] == [200, 200, 200]
    assert (endpoint.at_once, endpoint.most_at_once) == (0, 3)


async def test_an_endpoint_can_be_late(endpoint: Endpoint) -> None:
    endpoint.script(Answer(delay=0.05))
    async with aiohttp.ClientSession() as client, client.post(endpoint.url):
        assert asyncio.get_running_loop().time() - endpoint.received[0].at >= 0.05


async def test_a_reset_reaches_the_client_as_one(endpoint: Endpoint) -> None:
    endpoint.script(Answer(then="reset"))
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientOSError, match="reset by peer"):
            await client.post(endpoint.url)


async def test_waiting_for_requests_that_do_not_come_says_how_many_did(endpoint: Endpoint) -> None:
    with pytest.raises(TimeoutError, match=r"^0 of 2 requests came within 0\.01 s$"):
        await endpoint.wait_for(2, timeout=0.01)


async def test_keys_that_would_stay_forever_are_found(redis: Redis) -> None:
    await redis.set("{gateway:events}:cool:h:1", "d|o|1", ex=60)
    await redis.hset("{gateway:events}:totals", "accepted", "1")
    await redis.xadd("gateway:events", {"d": "{}"})
    await redis.xadd("{gateway:events}:dead", {"v": "1"})
    assert await lasting_keys(redis) == []
    await redis.set("{gateway:events}:cool:h:2", "d|o|1")
    await redis.sadd("totals", "1")
    assert await lasting_keys(redis) == ["totals", "{gateway:events}:cool:h:2"]
    await redis.flushall()


async def test_each_test_begins_with_an_empty_server(redis: Redis) -> None:
    assert await redis.dbsize() == 0
