"""A raw TCP server on a loopback address that answers with whatever bytes a test says, or worse."""

import asyncio
import random
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from streamhooks.delivery.judge import judge
from streamhooks.handlers.handler import Handler, Route, Schedule
from streamhooks.model import Failure, Outcome, Reply, Request
from streamhooks.sender import Sender
from tests.delivery.making import make_handler

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Hostile:
    """A running server: where it is, and how many connections and requests it saw."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.requests: list[bytes] = []
        self.bytes_taken = 0
        """What the client's side accepted of an endless answer."""
        self._changed = asyncio.Condition()

    async def saw(self, *, connections: int = 0, requests: int = 0) -> None:
        """Returns once so many have come."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.connections >= connections and len(self.requests) >= requests)

    async def connected(self) -> None:
        async with self._changed:
            self.connections += 1
            self._changed.notify_all()

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        """Head and body of one request; empty where the client closed instead."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        request = head + await reader.readexactly(length)
        async with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        return request


Behaviour = Callable[[Hostile], Act]


@asynccontextmanager
async def hostile(
    behaviour: Behaviour, tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Hostile]:
    server = Hostile()
    act = behaviour(server)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.connected()
        try:
            await act(reader, writer)
        except (OSError, asyncio.CancelledError):  # whoever called has gone
            pass
        finally:
            writer.transport.abort()

    def track(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(connected(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(track, host, port, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answering(*answers: bytes) -> Behaviour:
    """Each connection gets every answer in turn, one a request, and is closed after the last."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for answer in answers:
                if not await server.read_request(reader):
                    return
                writer.write(answer)
                await writer.drain()
            if writer.can_write_eof():  # TLS cannot
                writer.write_eof()
            await reader.read()

        return act

    return behaviour


def pouring(head: bytes, chunk: bytes) -> Behaviour:
    """`head`, and then `chunk` for as long as it is taken."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            writer.write(head)
            while True:
                writer.write(chunk)
                await writer.drain()
                server.bytes_taken += len(chunk)
                await asyncio.sleep(0)

        return act

    return behaviour


def hanging(before: bytes = b"") -> Behaviour:
    """Sends `before` and then nothing more, but stays."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            writer.write(before)
            await reader.read()

        return act

    return behaviour


def dripping(piece: bytes, every: float, at_once: bytes = b"") -> Behaviour:
    """`at_once`, and then `piece`, byte after byte, the last one again and again."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            writer.write(at_once)
            at = 0
            while True:
                writer.write(piece[at : at + 1])
                await writer.drain()
                at = min(at + 1, len(piece) - 1)
                await asyncio.sleep(every)

        return act

    return behaviour


def resetting(after: bytes = b"", *, unread: bool = False) -> Behaviour:
    """RST (SO_LINGER 0) after the bytes `after`; `unread`: before the request was read."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not unread:
                await server.read_request(reader)
            if after:
                writer.write(after)
                await asyncio.sleep(0.05)  # the bytes must be on their way: RST throws away what is not
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

        return act

    return behaviour


def judged(answer: Reply | Failure) -> Outcome:
    """What becomes of a first attempt that ended so, on the schedule of a handler that names none, without jitter."""
    return judge(1, answer, Schedule(jitter=0.0), age=0.0, rng=random.Random(0), now=1.0)


LOCAL = Route(allow_cidrs=("127.0.0.0/8",))


def local_handler(**others: Any) -> Handler:
    """A handler that may reach this machine, with a timeout that a test can wait for."""
    fields: dict[str, Any] = {"route": LOCAL, "timeout": 0.5}
    return make_handler(**fields | others)


def request_to(url: str, method: str = "POST", body: bytes = b"{}", **others: Any) -> Request:
    origin = "/".join(url.split("/")[:3])
    fields: dict[str, Any] = {
        "event_id": "1-0",
        "handler_id": "h",
        "endpoint": origin,
        "headers": (("Content-Type", "application/json"), ("webhook-id", "evt_1-0_0_aaa94026")),
        "fingerprint": "",
    }
    return Request(method=method, url=url, body=body, **fields | others)


async def send_to(server: Hostile, method: str = "POST", **others: Any) -> Reply | Failure:
    async with Sender() as sender:
        return await sender.send(request_to(f"http://127.0.0.1:{server.port}/in", method), local_handler(**others))
