"""What the door bears: large and slow bodies, many at once, a stream that is full, and its own end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp

from streamhooks.ingest.door import AT_ONCE, IngestDoor
from streamhooks.observe.figures import Figures
from streamhooks.observe.problems import write_log
from streamhooks.store.connection import ask
from tests.flow.rig import STREAM, Rig
from tests.ingest.asking import ANY_PORT, BEARER, JSON, LINES, RECORDS, TOKEN, Door, door, opened, stored
from tests.waiting import eventually

ONE = b'{"type": "T", "meta": {}}'
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


# Large.


async def test_a_body_that_is_too_large_is_refused_before_it_has_come(rig: Rig) -> None:
    async with door(rig) as ours:
        answer = await ours.raw(HEAD + b"Content-Length: 1048577\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 413 ")
    said = b"the body is larger than 1,048,576 bytes (ingest.max_body_bytes): send less at once"
    assert b'{"error":{"kind":"too_large","message":"' + said in answer
    assert b"Connection: close" in answer


async def test_a_body_that_grows_too_large_is_refused(rig: Rig) -> None:
    async with door(rig, ingest={"max_body_bytes": 2048}) as ours:
        chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
        answer = await ours.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert (await ours.post(b" " * 2000 + ONE)).status == 202


async def test_a_request_holds_at_most_a_thousand_events(rig: Rig) -> None:
    said = (413, "too_many", "the body holds more than 1000 events: send fewer at once")
    async with door(rig) as ours:
        for body, type in ((ONE + b"\n", LINES), (b"5\n", LINES)):
            assert (await ours.post(body * 1001, type)).refusal == said
        assert (await ours.post(json.dumps([5] * 1001))).refusal == said
        assert len((await ours.post((ONE + b"\n") * 1000, LINES)).ids) == 1000
    assert len(await stored(rig)) == 1000


# Slow.


async def test_a_body_that_does_not_come_is_not_waited_for(rig: Rig) -> None:
    async with door(rig, ingest={"body_timeout": 0.1}) as ours:
        for framing in (b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"):
            answer = await ours.raw(HEAD + framing)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b'"the body has not come within 0.1 s (ingest.body_timeout)"' in answer
            assert b"Connection: close" in answer


async def test_a_body_that_breaks_off_is_nobodys_fault_but_the_senders(rig: Rig) -> None:
    async with door(rig) as ours:
        for framing in (b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"):
            async with ours.connected() as (_, writer):
                writer.write(HEAD + framing)
                await writer.drain()
        answer = await ours.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n")
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
        assert (await ours.post(ONE)).status == 202
    assert rig.records.of("ingest_failed") == []


@asynccontextmanager
async def alone(rig: Rig, **limits: Any) -> AsyncIterator[Door]:
    """A door without a worker, and with limits that no setting has."""
    settings = rig.loaded(rig.handler(), ingest=ANY_PORT).settings
    async with IngestDoor(settings, Figures(write_log), asyncio.Event(), **limits), opened(rig) as ours:
        yield ours


async def test_a_connection_that_says_nothing_whole_is_closed(rig: Rig) -> None:
    async with alone(rig, idle=0.1) as ours:
        assert await ours.raw(b"") == b""
        assert await ours.raw(b"POST /v1/ev") == b""
        assert (await ours.raw(HEAD + b"Content-Length: 25\r\n\r\n" + ONE + b"POST /v1")).startswith(b"HTTP/1.1 202 ")


async def test_there_are_only_so_many_connections(rig: Rig) -> None:
    async with alone(rig, most_connections=2) as ours:
        async with ours.connected(), ours.connected():
            assert await ours.raw(b"") == b""

        async def taken() -> bool:
            return b"202" in await ours.raw(HEAD + b"Connection: close\r\nContent-Length: 25\r\n\r\n" + ONE)

        await eventually(taken)


async def test_only_so_many_bodies_are_read_at_once(rig: Rig) -> None:
    async with door(rig) as ours, AsyncExitStack() as stack:
        held = [await stack.enter_async_context(ours.connected()) for _ in range(AT_ONCE)]
        for _, writer in held:
            writer.write(HEAD + b"Content-Length: 25\r\n\r\n{")

        async def busy() -> bool:
            answered = await ours.post(ONE)
            if answered.status == 202:
                return False
            assert answered.refusal == (429, "busy", f"{AT_ONCE} requests are under way: try again in a moment")
            assert answered.headers["Retry-After"] == "1"
            return True

        await eventually(busy)
        for reader, writer in held:
            writer.write(ONE[1:])
            assert (await reader.readline()).startswith(b"HTTP/1.1 202 ")


# Expect.


EXPECT = b"Expect: 100-continue\r\n"


async def test_who_waits_for_100_continue_is_told_to_go_on(rig: Rig) -> None:
    async with door(rig) as ours:
        answer = await ours.raw(HEAD + EXPECT + b"Connection: close\r\nContent-Length: 25\r\n\r\n" + ONE)
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 ")
        old = HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + EXPECT + b"Content-Length: 25\r\n\r\n" + ONE
        assert (await ours.raw(old)).startswith(b"HTTP/1.0 202 ")
    assert len(await stored(rig)) == 2


async def test_who_waits_for_100_continue_is_refused_before_he_sends(rig: Rig) -> None:
    rest = b"Content-Length: 25\r\n\r\n"
    good = b"Authorization: " + BEARER["Authorization"].encode() + b"\r\n"
    async with door(rig, ingest={"token": TOKEN}) as ours:
        for sent, status in (
            (HEAD + EXPECT + rest, b"401"),
            (HEAD.replace(b"json", b"xml") + good + EXPECT + rest, b"415"),
            (HEAD + good + EXPECT + rest.replace(b"25", b"9999999"), b"413"),
            (HEAD + good + b"Expect: tea\r\n" + rest, b"417"),
            (HEAD.replace(b"/v1/events", b"/nothing") + EXPECT + rest, b"401"),
        ):
            answer = await ours.raw(sent, until=b"\r\n\r\n")
            if b"/nothing" not in sent:
                assert answer.startswith(b"HTTP/1.1 " + status), answer
    assert await stored(rig) == []


# Full.


async def test_a_stream_that_is_full_takes_nothing_until_it_is_shorter(rig: Rig) -> None:
    limits = {"max_stream_entries": 12}
    async with door(rig, ingest=limits, stream={"retention": {"entries": 10}}) as ours:
        assert len((await ours.post(json.dumps([json.loads(ONE)] * 13))).ids) == 13
        answered = await ours.post(ONE)
        said = "the stream has 13 entries, more than ingest.max_stream_entries (12): "
        said += "try again when the workers have caught up"
        assert answered.refusal == (429, "stream_full", said)
        assert answered.headers["Retry-After"] == "5"
        assert (await ours.post("[]")).ids == []
        await ask(rig.redis, "XTRIM", STREAM, "MAXLEN", 12)
        assert (await ours.post(ONE)).status == 202


# The end.


async def refused(ours: Door) -> bool:
    try:
        async with ours.connected():
            return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was in the queue of the socket that closed
        return False


async def test_when_the_worker_stops_the_door_closes_first_and_finishes_what_is_under_way(rig: Rig) -> None:
    loaded = rig.loaded(rig.handler(on=["Nothing"]), ingest=ANY_PORT)
    async with (
        rig.running(loaded) as worker,
        opened(rig) as ours,
        ours.connected() as (reader, writer),
        ours.connected() as (idle, _),
    ):
        writer.write(HEAD + EXPECT + b"Content-Length: 25\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        worker.stopping.set()
        await eventually(lambda: refused(ours))
        writer.write(ONE)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 202 ")
        assert b"Connection: close" in answer
        assert await idle.read() == b""
    assert len(await stored(rig)) == 1
    assert rig.records.of("ingest_drain_timeout") == []


async def test_a_body_that_never_comes_holds_the_stop_no_longer_than_the_drain(rig: Rig) -> None:
    loaded = rig.loaded(rig.handler(on=["Nothing"]), ingest=ANY_PORT, worker={"drain_timeout": 0.2})
    async with rig.running(loaded) as worker, opened(rig) as ours, ours.connected() as (reader, writer):
        writer.write(HEAD + EXPECT + b"Content-Length: 25\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        worker.stopping.set()
        assert await reader.read() == b""
    [told] = rig.records.of("ingest_drain_timeout")
    assert (told["left"], told["effect"]) == (1, "these requests are not answered")


# Figures.


async def test_metrics_count_events_and_requests(rig: Rig) -> None:
    async with door(rig, admin={"listen": "127.0.0.1:0"}) as ours:
        await ours.post(b"[" + ONE + b"," + ONE + b', {"type": ""}]', path=RECORDS)
        await ours.post(b"[" + ONE + b", 5]", JSON)
        await ours.post(ONE, "text/plain")
        admin = rig.records.of("admin_listens")[-1]["address"]
        async with aiohttp.ClientSession() as session, session.get(f"http://{admin}/metrics") as reply:
            page = await reply.text()
    assert 'streamhooks_ingested_total{result="taken"} 2.0' in page
    assert 'streamhooks_ingested_total{result="skipped"} 1.0' in page
    assert 'streamhooks_ingested_total{result="refused"} 2.0' in page
    for status in ("202", "400", "415"):
        assert f'streamhooks_ingest_requests_total{{status="{status}"}} 1.0' in page
