"""What the sender stands on in aiohttp, and when a connection is used again."""

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import BaseConnector, Connection

from streamhooks.errors import RequestError
from streamhooks.model import Reply
from streamhooks.sender import Sender
from streamhooks.sender.head import head_of
from streamhooks.sender.pool import KEEP_ALIVE, target_of
from tests.sender.hostile import Act, Behaviour, Hostile, answering, hostile, local_handler, request_to, send_to
from tests.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UNASKED = b"HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("what", "names"),
    [
        (BaseConnector.connect, ("req", "traces", "timeout")),
        (ResponseHandler.set_response_params, ()),
        (ResponseHandler.data_received, ("data",)),
        (ResponseHandler.connection_lost, ("exc",)),
        (ClientRequest.__init__, ("method", "url", "ssl", "proxy")),
        (Connection.close, ()),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_this_release_of_aiohttp_has_what_the_sender_stands_on(
    what: Callable[..., Any], names: tuple[str, ...]
) -> None:
    missing = set(names) - set(inspect.signature(what).parameters)
    said = f"aiohttp {aiohttp.__version__} changed {what.__qualname__} (no {missing})"
    assert not missing, f"{said}: look at streamhooks/sender/protocol.py"


async def test_requests_follow_each_other_on_one_connection() -> None:
    async with hostile(answering(OK, OK, OK)) as server, Sender() as sender:
        for _ in range(3):
            answer = await sender.send(request_to(f"http://127.0.0.1:{server.port}/in"), local_handler())
            assert isinstance(answer, Reply)
            assert (answer.status, answer.head) == (200, b"ok")
    assert (server.connections, len(server.requests)) == (1, 3)


async def test_head_requests_follow_each_other_on_one_connection_though_answers_tell_a_length() -> None:
    async with hostile(answering(*[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"] * 3)) as server, Sender() as sender:
        for _ in range(3):
            answer = await sender.send(request_to(f"http://127.0.0.1:{server.port}/in", "HEAD"), local_handler())
            assert isinstance(answer, Reply)
    assert (server.connections, len(server.requests)) == (1, 3)


async def test_an_endpoint_that_answers_before_it_was_asked_is_understood() -> None:
    def canned(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(OK)
            await server.read_request(reader)

        return act

    async with hostile(canned) as server:
        answer = await send_to(server)
    assert isinstance(answer, Reply)
    assert (answer.status, answer.head) == (200, b"ok")


@pytest.mark.parametrize("moment", ["with the answer", "while it waits"])
async def test_a_connection_that_said_something_unasked_is_not_used_again(moment: str) -> None:
    taken = asyncio.Event()
    behaviour = in_turn(taken, OK + UNASKED) if moment == "with the answer" else in_turn(taken, OK, UNASKED)
    async with hostile(behaviour) as server, Sender() as sender:
        for _ in range(2):
            answer = await sender.send(request_to(f"http://127.0.0.1:{server.port}/in"), local_handler())
            assert isinstance(answer, Reply)
            assert answer.status == 200, "the answer to another request"
            taken.set()
            # Long before what nobody has needed for a while is closed anyway.
            await eventually(partial(has_heard, sender), KEEP_ALIVE / 2, "what was said unasked has come")
    assert server.connections == 2


@pytest.mark.parametrize(
    "more",
    [UNASKED[:1], UNASKED[:20], UNASKED[:-2], UNASKED[:-4]],
    ids=["a byte", "the first line", "the headers", "half a header"],
)
async def test_a_connection_on_which_another_answer_has_begun_is_not_used_again(more: bytes) -> None:
    async with hostile(answering(OK + more, OK)) as server, Sender() as sender:
        for _ in range(2):
            answer = await sender.send(request_to(f"http://127.0.0.1:{server.port}/in"), local_handler())
            assert isinstance(answer, Reply)
            assert (answer.status, answer.head) == (200, b"ok")
    assert server.connections == 2


def in_turn(taken: asyncio.Event, answer: bytes, *unasked: bytes) -> Behaviour:
    """Answers the first request of a connection, and goes on once that was taken."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            writer.write(answer)
            await taken.wait()
            writer.writelines(unasked)
            await reader.read()

        return act

    return behaviour


def has_heard(sender: Sender) -> bool:
    """Whether every connection that is kept has heard something since its answer, and is not used for it."""
    destinations = [one for pool in sender._routes._pools.values() for one in pool._destinations.values()]
    return not any(link.usable for destination in destinations for link in destination.kept)


async def test_a_connection_whose_request_was_answered_before_it_was_written_is_not_used_again() -> None:
    def impatient(_server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()
            await asyncio.sleep(5)

        return act

    async with hostile(impatient) as server, Sender() as sender:
        request = request_to(f"http://127.0.0.1:{server.port}/in", body=b"x" * 50_000_000)
        for _ in range(2):
            answer = await sender.send(request, local_handler(timeout=5.0))
            assert isinstance(answer, Reply)
        assert server.connections == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
async def test_a_kept_connection_that_drops_the_next_request_gets_it_once(method: str) -> None:
    async with hostile(answering(OK)) as server, Sender() as sender:
        request = request_to(f"http://127.0.0.1:{server.port}/in", method)
        assert isinstance(await sender.send(request, local_handler()), Reply)
        again = await sender.send(request, local_handler())
        connections = server.connections
    # Either the close was seen in time, and a new connection was made, or the request went into it and is not repeated.
    assert isinstance(again, Reply) == (connections == 2)
    assert isinstance(again, Reply) or again.kind == "connect"


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b"])
def test_a_header_that_would_become_two_is_refused_before_anything_is_sent(value: str) -> None:
    with pytest.raises(RequestError, match="a header holds a line break: nothing is sent"):
        head_of("POST", "/ HTTP/1.1\r\nHost: a\r\n", (("X", value),), b"")


@pytest.mark.parametrize("text", ["ftp://127.0.0.1:21/", "//a/b", "http://", "http://a:99999/", "a", "http://a:b/", ""])
def test_what_is_no_url_that_can_be_called_is_none(text: str) -> None:
    assert target_of(text) is None


@pytest.mark.parametrize(
    ("text", "line", "host"),
    [
        ("http://a.example", "/", "a.example"),
        ("http://a.example:80/b?c=%20d#e", "/b?c=%20d", "a.example"),
        ("https://[::1]:8443/%2f", "/%2f", "[::1]:8443"),
        ("https://a.example./?", "/", "a.example"),
    ],
)
def test_a_url_goes_on_the_wire_as_it_stands(text: str, line: str, host: str) -> None:
    target = target_of(text)
    assert target
    assert (target.line, target.host) == (line, host)
