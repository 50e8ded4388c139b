"""One timer for all exchanges: each still ends at its own time, and what nobody needs is let go."""

import asyncio
import time

from streamhooks.model import Failure, Reply
from streamhooks.sender import Sender
from streamhooks.sender.pool import KEEP_ALIVE
from tests.sender.hostile import Act, Hostile, dripping, hanging, hostile, local_handler, request_to
from tests.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


async def ended(sender: Sender, server: Hostile, within: float) -> tuple[Reply | Failure, float]:
    """The answer, and seconds until it was given up."""
    begun = time.monotonic()
    answer = await sender.send(request_to(f"http://127.0.0.1:{server.port}/in"), local_handler(timeout=within))
    return answer, time.monotonic() - begun


async def test_requests_that_hang_together_end_each_at_its_own_time() -> None:
    ends: list[float] = []

    async def one(sender: Sender, server: Hostile, within: float) -> None:
        answer, took = await ended(sender, server, within)
        assert isinstance(answer, Failure)
        assert answer.kind == "timeout"
        assert took >= within
        ends.append(within)

    async with hostile(hanging()) as server, Sender() as sender:
        await asyncio.gather(*(one(sender, server, within) for within in (0.9, 0.3, 0.6)))
    assert ends == [0.3, 0.6, 0.9]


async def test_a_body_that_comes_too_slowly_ends_in_time_and_its_status_counts() -> None:
    async with hostile(dripping(b"x", 0.05, at_once=HEAD)) as server, Sender() as sender:
        answer, took = await ended(sender, server, 0.4)
    assert isinstance(answer, Reply)
    assert (answer.status, answer.head[:2]) == (200, b"xx")
    assert took < 3.0, "the body would have taken five seconds"


async def test_a_request_that_is_answered_in_time_leaves_nothing_behind_that_ends_the_next() -> None:
    def second_waits(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for wait in (0.0, 0.5):
                await server.read_request(reader)
                await asyncio.sleep(wait)
                writer.write(OK)

        return act

    async with hostile(second_waits) as server, Sender() as sender:
        first, _ = await ended(sender, server, 0.3)
        second, _ = await ended(sender, server, 5.0)
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert server.connections == 1


async def test_a_connection_that_nobody_needs_is_closed_before_the_server_would() -> None:
    """Also one whose answer came when the pool had looked for old ones and had found none."""
    closed: list[float] = []

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await server.read_request(reader)
            await asyncio.sleep(KEEP_ALIVE * 2.5 if b"slow" in request else 0)
            writer.write(OK)
            answered = time.monotonic()
            await reader.read()
            closed.append(time.monotonic() - answered)

        return act

    async with hostile(behaviour) as server, Sender() as sender:
        slow = request_to(f"http://127.0.0.1:{server.port}/in", body=b"slow")
        late = asyncio.create_task(sender.send(slow, local_handler(timeout=20.0)))
        answer, _ = await ended(sender, server, 5.0)
        assert isinstance(answer, Reply)
        assert isinstance(await late, Reply)
        await eventually(lambda: len(closed) == 2, 3 * KEEP_ALIVE, "both connections are closed")
        assert all(KEEP_ALIVE - 0.1 < after < 2 * KEEP_ALIVE for after in closed), closed
