"""A request on a connection that stands: it is written at once, and whoever asked is called."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streamhooks.handlers.handler import Handler, Route
from streamhooks.model import Failure, Reply, Request
from streamhooks.secret import Secret
from streamhooks.sender import Sender
from tests.sender.hostile import Act, Behaviour, Hostile, answering, hostile, local_handler, request_to, resetting

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Told:
    """What whoever asked was told."""

    def __init__(self) -> None:
        self.all: list[Reply | Failure | Exception] = []
        self._some = asyncio.Event()

    def __call__(self, came: Reply | Failure | Exception) -> None:
        self.all.append(came)
        self._some.set()

    async def first(self) -> Reply | Failure | Exception:
        async with asyncio.timeout(5.0):
            await self._some.wait()
        return self.all[0]


def then(second: Behaviour) -> Behaviour:
    """The first request of a connection is answered, and on goes the other behaviour."""

    def behaviour(server: Hostile) -> Act:
        act_on = second(server)

        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if await server.read_request(reader):
                writer.write(OK)
                await act_on(reader, writer)

        return act

    return behaviour


@asynccontextmanager
async def standing(behaviour: Behaviour) -> AsyncIterator[tuple[Sender, Hostile, Request, Handler]]:
    """A connection to a server that answered once and now behaves so."""
    async with hostile(then(behaviour)) as server, Sender() as sender:
        request, handler = request_to(f"http://127.0.0.1:{server.port}/in"), local_handler()
        assert isinstance(await sender.send(request, handler), Reply)
        yield sender, server, request, handler


def silent(server: Hostile) -> Act:
    async def act(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await server.read_request(reader)
        await reader.read()

    return act


async def test_requests_follow_each_other_without_a_wait_or_a_new_connection() -> None:
    async with standing(answering(OK, OK, OK)) as (sender, server, request, handler):
        for _ in range(3):
            told = Told()
            assert sender.ask(request, handler, told)
            answer = await told.first()
            assert isinstance(answer, Reply)
            assert (answer.status, answer.head, answer.headers["content-length"]) == (200, b"ok", "2")
        assert (server.connections, len(server.requests)) == (1, 4)


@pytest.mark.parametrize(
    ("behaviour", "kind", "message"),
    [
        (silent, "timeout", "no whole answer within the timeout"),
        (answering(b""), "connect", "the connection was closed before an answer"),
        (resetting(), "connect", "connection reset by peer"),
        (answering(b"SSH-2.0\r\n"), "protocol", "the answer is no HTTP that can be read"),
        (answering(b"HTTP/1.1 600 Odd\r\n\r\n"), "protocol", "the answer has status 600, which is none"),
    ],
    ids=["silent", "closes", "resets", "speaks SSH", "has status 600"],
)
async def test_what_goes_wrong_is_told_once(behaviour: Behaviour, kind: str, message: str) -> None:
    async with standing(behaviour) as (sender, server, request, handler):
        told = Told()
        assert sender.ask(request, handler, told)
        answer = await told.first()
        assert isinstance(answer, Failure)
        assert (answer.kind, answer.message.partition(" (")[0]) == (kind, message)
        assert not sender.ask(request, handler, told), "it is closed"
        assert server.connections == 1
    assert len(told.all) == 1


async def test_without_a_connection_nothing_is_asked_and_nobody_told() -> None:
    async with hostile(answering(OK)) as server, Sender() as sender:
        told = Told()
        assert not sender.ask(request_to(f"http://127.0.0.1:{server.port}/in"), local_handler(), told)
        assert not sender.ask(request_to("ftp://127.0.0.1/"), local_handler(), told)
        assert (server.connections, told.all) == (0, [])


async def test_a_connection_of_another_route_is_none() -> None:
    async with standing(answering(OK)) as (sender, server, request, _):
        told = Told()
        elsewhere = local_handler(route=Route(allow_cidrs=("127.0.0.0/16",)))
        through = local_handler(route=Route(proxy=Secret("http://127.0.0.1:1")))
        assert not sender.ask(request, elsewhere, told)
        assert not sender.ask(request, through, told)
        assert (len(server.requests), told.all) == (1, [])


async def test_a_request_that_cannot_be_written_leaves_the_connection_to_the_next() -> None:
    async with standing(answering(OK)) as (sender, server, request, handler):
        told = Told()
        broken = request_to(request.url, headers=(("X", "a\r\nb: c"),))
        assert not sender.ask(broken, handler, told)
        assert sender.ask(request, handler, told)
        assert isinstance(await told.first(), Reply)
        assert (server.connections, len(server.requests)) == (1, 2)


async def test_nobody_is_told_of_what_a_stop_has_cut_off() -> None:
    told = Told()
    async with standing(silent) as (sender, server, request, handler):
        assert sender.ask(request, handler, told)
        await server.saw(requests=2)
    assert told.all == []


async def test_a_bug_of_whoever_is_told_costs_the_connection_and_nothing_else() -> None:
    met: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: met.append(context))

    def bug(_came: Reply | Failure | Exception) -> None:
        raise RuntimeError("a bug in judging")

    async with standing(answering(OK)) as (sender, server, request, handler):
        assert sender.ask(request, handler, bug)
        await server.saw(requests=2)
        assert isinstance(await sender.send(request, handler), Reply)
        assert server.connections == 2
    assert any("a bug in judging" in repr(context.get("exception")) for context in met)
