"""What an endpoint can do to us, and what we make of it: a value, in time, with little memory."""

import asyncio
import gzip
import time

import pytest

from streamhooks.model import Failure, Reply
from streamhooks.sender import Sender
from tests.sender.hostile import (
    Act,
    Behaviour,
    Hostile,
    answering,
    dripping,
    hanging,
    hostile,
    local_handler,
    pouring,
    request_to,
    resetting,
    send_to,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(hanging(), id="accepts and never answers"),
        pytest.param(hanging(b"HTTP/1.1 200 OK\r\nContent-"), id="stops inside the headers"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\nX-A: aaaa", 0.02), id="drips the headers"),
        pytest.param(pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="says 100 Continue for ever"),
    ],
)
async def test_an_answer_that_does_not_come_is_a_timeout_after_the_handlers_timeout(behaviour: Behaviour) -> None:
    async with hostile(behaviour) as server:
        answer = await send_to(server, timeout=0.4)
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.message) == ("timeout", "no whole answer within the timeout")
    assert 0.3 < answer.elapsed < 2.0


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(resetting(unread=True), id="reset before the request is read"),
        pytest.param(resetting(), id="reset before the answer"),
        pytest.param(resetting(b"HTTP/1.1 200 OK\r\nContent-Le"), id="reset inside the headers"),
        pytest.param(answering(b""), id="closed without an answer"),
    ],
)
async def test_a_connection_lost_before_the_headers_are_whole_is_a_connect_failure(behaviour: Behaviour) -> None:
    async with hostile(behaviour) as server:
        answer = await send_to(server)
    assert isinstance(answer, Failure)
    assert answer.kind == "connect"


@pytest.mark.parametrize(
    "answer_bytes",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2p1\r\n", id="another protocol's banner"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n", id="four digits of status"),
        pytest.param(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", id="status 999"),
        pytest.param(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", id="status 101"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(5000)) + b"\r\n", id="5000 headers"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10_000_000 + b"\r\n\r\n", id="a header of 10 MB"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="two framings at once",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n", id="a chunk that is none"
        ),
    ],
)
async def test_a_malformed_answer_is_a_protocol_failure_and_never_a_status(answer_bytes: bytes) -> None:
    async with hostile(answering(answer_bytes)) as server:
        answer = await send_to(server, timeout=5.0)
    assert isinstance(answer, Failure)
    assert answer.kind == "protocol"
    assert "400" not in answer.message


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"), id="short body"),
        pytest.param(resetting(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"), id="reset in the body"),
        pytest.param(hanging(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"), id="body that hangs"),
    ],
)
async def test_a_2xx_whose_body_is_cut_is_an_answer_with_what_came(behaviour: Behaviour) -> None:
    async with hostile(behaviour) as server:
        answer = await send_to(server, timeout=0.4)
    assert isinstance(answer, Reply)
    assert answer.status == 200
    assert answer.head in (b"ok", b"")


async def test_of_two_gigabytes_at_most_64_kib_are_read_and_2_kib_kept() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n"
    async with hostile(pouring(head, b"x" * 4096)) as server:
        answer = await send_to(server, timeout=5.0)
        taken = server.bytes_taken
    assert isinstance(answer, Reply)
    assert answer.head == b"x" * 2048
    assert taken < 16 * 1024 * 1024  # the buffers of both kernels' sides, not the answer


async def test_a_compressed_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with hostile(answering(head + bomb)) as server:
        answer = await send_to(server)
    assert isinstance(answer, Reply)
    assert answer.head == bomb[:2048]


async def test_a_redirect_is_an_answer_and_is_never_followed() -> None:
    to_metadata = b"HTTP/1.1 307 Go\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"
    async with hostile(answering(to_metadata)) as server:
        answer = await send_to(server)
        assert server.connections == 1
    assert isinstance(answer, Reply)
    assert (answer.status, answer.headers["location"]) == (307, "http://169.254.169.254/latest")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
async def test_a_request_on_a_kept_connection_that_drops_is_not_sent_again(method: str) -> None:
    def drops_the_second(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            writer.write(OK)
            await server.read_request(reader)

        return act

    async with hostile(drops_the_second) as server, Sender() as sender:
        request = request_to(f"http://127.0.0.1:{server.port}/in", method)
        first = await sender.send(request, local_handler())
        second = await sender.send(request, local_handler())
        assert (len(server.requests), server.connections) == (2, 1)
    assert isinstance(first, Reply)
    assert isinstance(second, Failure)
    assert second.kind == "connect"


async def test_a_connection_whose_answer_was_read_whole_is_used_again() -> None:
    async with hostile(answering(OK, OK, OK)) as server, Sender() as sender:
        for _ in range(3):
            answer = await sender.send(request_to(f"http://127.0.0.1:{server.port}/in"), local_handler())
            assert isinstance(answer, Reply)
        assert (len(server.requests), server.connections) == (3, 1)


async def test_a_connection_with_an_unread_rest_is_not_used_again() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000
    async with hostile(answering(long, long)) as server, Sender() as sender:
        for _ in range(2):
            answer = await sender.send(request_to(f"http://127.0.0.1:{server.port}/in"), local_handler())
            assert isinstance(answer, Reply)
        assert server.connections == 2


async def test_a_cancelled_request_passes_the_cancellation_on() -> None:
    async with hostile(hanging()) as server, Sender() as sender:
        request = request_to(f"http://127.0.0.1:{server.port}/in")
        task = asyncio.create_task(sender.send(request, local_handler(timeout=30.0)))
        await server.saw(requests=1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_many_requests_to_a_hanging_endpoint_do_not_delay_another() -> None:
    async with hostile(hanging()) as slow, hostile(answering(OK)) as quick, Sender() as sender:
        to_slow = request_to(f"http://127.0.0.1:{slow.port}/in")
        hung = [asyncio.create_task(sender.send(to_slow, local_handler(timeout=2.0))) for _ in range(150)]
        await slow.saw(connections=150)
        started = time.monotonic()
        answer = await sender.send(request_to(f"http://127.0.0.1:{quick.port}/in"), local_handler(timeout=2.0))
        assert isinstance(answer, Reply)
        assert time.monotonic() - started < 1.0
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)


async def test_header_bytes_that_are_no_utf_8_are_made_storable() -> None:
    async with hostile(answering(b"HTTP/1.1 503 No\r\nX-Odd: a\xffb\r\nContent-Length: 0\r\n\r\n")) as server:
        answer = await send_to(server)
    assert isinstance(answer, Reply)
    assert answer.headers["x-odd"] == "a\ufffdb"
