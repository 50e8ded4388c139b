"""What an endpoint can do to us, and what we make of it: a value, in time, with little memory."""

import asyncio
import time

import pytest

from streamhooks.model import Failure, Reply
from streamhooks.sender import Sender
from tests.sender.endpoints import BOMB, ENDPOINTS, TO_METADATA, HostileEndpoint, in_two, redirecting_to_itself
from tests.sender.hostile import (
    Act,
    Behaviour,
    Hostile,
    answering,
    hanging,
    hostile,
    judged,
    local_handler,
    pouring,
    request_to,
    send_to,
)
from tests.sender.inside import connects

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
async def test_an_event_for_a_hostile_endpoint_ends_as_it_should(endpoint: HostileEndpoint) -> None:
    async with hostile(endpoint.behaviour) as server:
        answer = await send_to(server, endpoint.method, timeout=0.5)
    outcome = judged(answer)
    assert endpoint.expects(outcome), outcome
    assert answer.elapsed < 3.0
    assert isinstance(answer, Reply) or "400" not in answer.message


async def test_more_answers_than_anybody_asked_for_are_cut_off_long_before_the_timeout() -> None:
    flood = pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
    async with hostile(flood) as server:
        answer = await send_to(server, timeout=30.0)
        assert server.bytes_taken < 16 * 1024 * 1024
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.elapsed < 10) == ("protocol", True)


async def test_a_body_that_breaks_after_the_headers_holds_nobody_up() -> None:
    head = b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
    async with hostile(in_two(head, b"zz\r\n")) as server:
        answer = await send_to(server, timeout=30.0)
    assert isinstance(answer, Reply)
    assert (answer.status, answer.head, answer.elapsed < 10) == (503, b"ok", True)


async def test_of_two_gigabytes_at_most_64_kib_are_read_and_2_kib_kept() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n"
    async with hostile(pouring(head, b"x" * 4096)) as server:
        answer = await send_to(server, timeout=5.0)
        taken = server.bytes_taken
    assert isinstance(answer, Reply)
    assert answer.head == b"x" * 2048
    assert taken < 16 * 1024 * 1024  # the buffers of both kernels' sides, not the answer


async def test_a_body_that_stops_after_what_is_read_of_it_is_not_waited_for() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000
    async with hostile(hanging(long)) as server:
        answer = await send_to(server, timeout=30.0)
    assert isinstance(answer, Reply)
    assert (answer.head, answer.elapsed < 10) == (b"x" * 2048, True)


async def test_a_compressed_bomb_is_not_unpacked() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
    async with hostile(answering(head + BOMB)) as server:
        answer = await send_to(server)
    assert isinstance(answer, Reply)
    assert answer.head == BOMB[:2048]


@pytest.mark.parametrize("behaviour", [answering(TO_METADATA), redirecting_to_itself(302)])
async def test_a_redirect_is_an_answer_and_no_step_of_it_is_taken(behaviour: Behaviour) -> None:
    async with hostile(behaviour) as server:
        with connects() as attempts:
            answer = await send_to(server)
        assert (server.connections, len(server.requests)) == (1, 1)
    assert attempts == ["127.0.0.1"]
    assert isinstance(answer, Reply)
    assert answer.headers["location"].startswith("http://")


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
