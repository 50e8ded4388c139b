"""What `ask` holds beyond the laws of `send`, which the tests of hostile endpoints and of deadlines try on both."""

import asyncio
import gc
import time
from pathlib import Path
from typing import cast

import pytest
from aiohttp.streams import StreamReader
from msgspec.structs import replace

from streamhooks.handlers.handler import Route, Tls
from streamhooks.model import Failure, Reply
from streamhooks.secret import Secret
from streamhooks.sender import Sender
from streamhooks.sender.pool import KEEP_ALIVE, Link
from tests.sender.certificates import Authority
from tests.sender.endpoints import in_two
from tests.sender.hostile import (
    LOCAL,
    Act,
    Behaviour,
    Hostile,
    answering,
    hanging,
    hostile,
    local_handler,
    request_to,
    resetting,
)
from tests.sender.proxy import proxy
from tests.sender.ways import Ear, Line, Way, line
from tests.waiting import eventually

HEAD = b"HTTP/1.1 200 OK\r\n"
OK = HEAD + b"Content-Length: 2\r\n\r\nok"
UNASKED = b"HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n"


def links(one: Line) -> list[Link]:
    """The connections that are kept."""
    destinations = [place for pool in one.sender._routes._pools.values() for place in pool._destinations.values()]
    return [link for destination in destinations for link in destination.kept]


def waited_for(one: Line) -> int:
    return len(one.sender._deadlines._until)


def ever(answer: bytes) -> Behaviour:
    """Every request is answered so."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await server.read_request(reader):
                writer.write(answer)

        return act

    return behaviour


@pytest.mark.parametrize(
    "behaviour",
    [
        hanging(OK),
        hanging(HEAD + b"Content-Length: 0\r\n\r\n"),
        hanging(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        in_two(HEAD + b"Content-Length: 2\r\n\r\n", b"ok"),
        in_two(HEAD + b"Content-Length: 2\r\n\r\no", b"k"),
        in_two(HEAD, b"Content-Length: 2\r\n\r\nok"),
        answering(HEAD + b"\r\nok"),
    ],
    ids=["whole", "without a body", "in chunks", "body later", "body in two", "head in two", "until it closes"],
)
async def test_an_answer_that_has_come_whole_is_told_at_once_and_once(behaviour: Behaviour) -> None:
    ear = Ear()
    async with line("ask", behaviour) as one:
        assert one.ask(ear)
        answer = await ear.answer()
        assert isinstance(answer, Reply)
        assert (answer.status, answer.head) in {(200, b"ok"), (200, b"")}
        assert ear.rest is None, "it needed a task"
        assert waited_for(one) == 0
    assert ear.times == 1


async def test_a_small_body_in_very_many_chunks_is_read_on() -> None:
    """Reading stops after some thousand chunks until somebody takes them."""
    body = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n"
    async with line("ask", hanging(body)) as one:
        answer = await one.send(timeout=30.0)
        assert isinstance(answer, Reply)
        assert (answer.head, answer.elapsed < 10) == (b"x" * 2048, True)
        assert len(links(one)) == 1, "it was read whole"


@pytest.mark.parametrize(
    "more",
    [UNASKED, UNASKED[:1], UNASKED[:20], UNASKED[:-2], UNASKED[:-4], b"?"],
    ids=["an answer", "a byte of one", "its first line", "its headers", "half a header", "garbage"],
)
async def test_what_follows_an_answer_is_never_the_answer_to_the_next_request(more: bytes, way: Way) -> None:
    async with line(way, ever(OK + more)) as one:
        for _ in range(2):
            told = await one.send()
            assert not isinstance(told, Reply) or told.status == 200, "the answer to another request"
        assert one.server.connections == 2


async def test_a_connection_that_said_something_before_it_was_asked_is_not_asked() -> None:
    async with line("ask", unasked) as one:
        one._go.set()
        # Long before what nobody has needed for a while is closed anyway.
        await eventually(lambda: not any(link.usable for link in links(one)), KEEP_ALIVE / 2, "what was said has come")
        assert not one.ask(Ear())
        assert one.server.requests == []


def unasked(_server: Hostile) -> Act:
    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UNASKED)
        await reader.read()

    return act


async def test_a_connection_that_was_closed_while_it_was_kept_is_not_asked() -> None:
    async with line("ask", answering()) as one:
        one._go.set()
        await eventually(lambda: not any(link.usable for link in links(one)), KEEP_ALIVE / 2, "the close was seen")
        assert not one.ask(Ear())
        assert one.server.requests == []


async def test_where_it_needs_waiting_or_cannot_be_sent_nothing_is_written() -> None:
    async with line("ask", ever(OK)) as one:
        missing = replace(LOCAL, tls=Tls(ca_file="/missing"))
        for refused in (
            {"secrets": (Secret("whsec_AAAA"),)},  # its file was changed to something that is none
            {"route": missing},
            {"route": Route(allow_cidrs=("127.0.0.0/8", "10.0.0.0/8"))},  # on which no connection stands
        ):
            assert not one.ask(Ear(), **refused), refused
        assert not one.sender.ask(request_to("ftp://127.0.0.1/"), local_handler(), Ear())
        assert one.server.requests == []
        assert waited_for(one) == 0
        ear = Ear()
        assert one.ask(ear), "the connection still stands"
        assert isinstance(await ear.answer(), Reply)


async def test_through_a_proxy_nothing_is_asked() -> None:
    async with hostile(ever(OK)) as server, proxy(server.port) as between, Sender() as sender:
        request = request_to("http://a.example/in")
        handler = local_handler(route=Route(proxy=Secret(between.url)))
        assert isinstance(await sender.send(request, handler), Reply)
        assert not sender.ask(request, handler, Ear())
        assert len(between.lines) == 1


async def test_a_bug_in_writing_leaves_nobody_waiting_and_no_connection() -> None:
    ear = Ear()
    async with line("ask", ever(OK)) as one:
        with pytest.raises(TypeError):
            one.ask(ear, body=cast("bytes", "none"))
        assert (links(one), waited_for(one)) == ([], 0)
        await one.server.saw(connections=1)
    assert ear.times == 0


async def test_requests_follow_each_other_on_one_tls_connection(tmp_path: Path) -> None:
    known = Authority(tmp_path, "known")
    route = replace(LOCAL, tls=known.ours)
    async with line("ask", ever(OK), tls=known.issue("127.0.0.1").serving(), route=route) as one:
        for _ in range(3):
            ear = Ear()
            assert one.ask(ear, timeout=5.0)
            assert isinstance(await ear.answer(), Reply)
        assert (one.server.connections, len(one.server.requests)) == (1, 3)


async def test_nothing_is_heard_once_the_sender_was_closed() -> None:
    ear = Ear()
    async with line("ask", hanging()) as one:
        assert one.ask(ear, timeout=0.2)
        await one.server.saw(requests=1)
        await one.sender.__aexit__(None, None, None)
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.sleep(0.4)  # past its time
    assert ear.times == 0


async def test_nothing_is_heard_where_the_sender_was_closed_in_the_moment_of_the_timeout() -> None:
    """One step of the event loop sees the time-out; in the next the sender is closed before anybody is called."""
    ear = Ear()
    async with line("ask", hanging()) as one:
        assert one.ask(ear, timeout=0.1)
        await one.server.saw(requests=1)
        time.sleep(0.2)  # noqa: ASYNC251  the event loop is to find it late
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await one.sender.__aexit__(None, None, None)
        for _ in range(5):
            await asyncio.sleep(0)
    assert ear.times == 0


async def test_a_thousand_requests_leave_one_connection_and_nothing_else() -> None:
    async with line("ask", ever(OK)) as one:
        gc.collect()
        gc.disable()
        try:
            for _ in range(1000):
                ear = Ear()
                assert one.ask(ear)
                assert isinstance(await ear.answer(), Reply)
            del ear
            left = [thing for thing in gc.get_objects() if isinstance(thing, Ear)]
            bodies = [thing for thing in gc.get_objects() if isinstance(thing, StreamReader)]
        finally:
            gc.enable()
        assert left == []
        assert len(bodies) <= 2, "of the last answer at most"
        assert (len(links(one)), waited_for(one), one.server.connections) == (1, 0, 1)


@pytest.mark.parametrize("behaviour", [hanging(), hanging(HEAD), resetting(), answering(b""), hanging(b"SSH-2.0\r\n")])
async def test_requests_that_fail_leave_nothing(behaviour: Behaviour) -> None:
    async with line("ask", behaviour, connections=10) as one:
        gc.collect()
        gc.disable()
        try:
            ears = [Ear() for _ in range(10)]
            assert all(one.ask(ear, timeout=0.3) for ear in ears)
            for ear in ears:
                assert isinstance(await ear.answer(), Failure)
            del ear, ears
            await eventually(lambda: not [thing for thing in gc.get_objects() if isinstance(thing, Ear)])
        finally:
            gc.enable()
        assert (links(one), waited_for(one)) == ([], 0)
