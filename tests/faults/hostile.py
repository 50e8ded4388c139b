"""An endpoint that does to each connection what the event says: `end` in its body names the act.

It stands beside a Sink and counts into it, so that the checker knows what came and what was answered 2xx. As delivered
counts a 2xx whose headers went out whole: that is where an answer begins to be one (RFC 9112, section 2.1).
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TypeAlias

from tests.faults.sink import Key, Sink

PATH = "/hang"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NARROW = 4096
"""Bytes that the kernel keeps of what nobody reads: a larger request stays with its sender."""


class Call:
    """One request on its connection."""

    __slots__ = ("key", "number", "reader", "sink", "writer")

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sink: Sink, key: Key, number: int
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.sink = sink
        self.key = key
        self.number = number
        """Which attempt of the event this is, from 1."""

    async def say(self, answer: bytes, *, is_http: bool = True) -> None:
        """Sends bytes; what they begin with counts as delivered or refused, and as refused where it is no HTTP."""
        if is_http and answer.startswith(b"HTTP/1.1 2") and b"\r\n\r\n" in answer:
            self.sink.delivered[self.key] += 1
        else:
            self.sink.refused[self.key] += 1
        self.writer.write(answer)
        await self.writer.drain()

    async def reset(self) -> None:
        """RST, once what was sent before is on its way: a reset throws away what is not."""
        await asyncio.sleep(0.05)
        reset(self.writer)


Act: TypeAlias = Callable[[Call], Awaitable[None]]
Greet: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]
"""Takes a connection before anything is read from it; whether it goes on to a request."""


class HostileEndpoint:
    """`async with HostileEndpoint(sink, acts) as endpoint:`; an event whose end has no act is answered 200."""

    def __init__(self, sink: Sink, acts: Mapping[str, Act], tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._sink = sink
        self.acts = dict(acts)
        self.greet: Greet | None = None
        self.connections = 0
        self.arrived: dict[Key, list[float]] = {}
        """When each attempt came, on the event loop's clock."""
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None

    async def __aenter__(self) -> "HostileEndpoint":
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
        sock.bind(("127.0.0.1", 0))
        self._listening = await asyncio.start_server(self._track, sock=sock, backlog=1024, limit=NARROW, ssl=self._tls)
        self.port = sock.getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listening is not None:
            self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _track(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.greet is not None and not await self.greet(reader, writer):
                return
            with suppress(asyncio.IncompleteReadError):  # the client has closed instead of asking again
                while not writer.is_closing():
                    await self._answer(reader, writer)
        except OSError:  # reset, or closed by the client while this side was about to
            pass
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *lines = head[:-4].decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        key, end = self._sink.saw(line.split()[1], headers, body)
        self.arrived.setdefault(key, []).append(asyncio.get_running_loop().time())
        call = Call(reader, writer, self._sink, key, self._sink.arrivals[key])
        await self.acts.get(end, _well)(call)


async def _well(call: Call) -> None:
    await call.say(OK)


def reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST: SO_LINGER 0."""
    with suppress(OSError):  # closed by the other side already
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def answering(answer: bytes, then: Act | None = None, *, is_http: bool = True) -> Act:
    """These bytes, and then perhaps something else; without it the connection is kept."""

    async def act(call: Call) -> None:
        await call.say(answer, is_http=is_http)
        if then is not None:
            await then(call)

    return act


def pouring(head: bytes, chunk: bytes) -> Act:
    """`head`, and then `chunk` for as long as it is taken."""

    async def act(call: Call) -> None:
        await call.say(head)
        while True:
            call.writer.write(chunk)
            await call.writer.drain()
            await asyncio.sleep(0)

    return act


def dripping(head: bytes, byte: bytes = b"x", every: float = 0.02) -> Act:
    """`head`, and then one byte at a time, for ever."""

    async def act(call: Call) -> None:
        await call.say(head)
        while True:
            call.writer.write(byte)
            await call.writer.drain()
            await asyncio.sleep(every)

    return act


async def hanging(call: Call) -> None:
    """Says nothing and stays."""
    call.sink.refused[call.key] += 1
    await call.reader.read()


async def closing(call: Call) -> None:
    """FIN, and then nothing until the client closes, too."""
    call.writer.write_eof()
    await call.reader.read()


async def resetting(call: Call) -> None:
    await call.reset()


def at_first(act: Act, times: int = 1) -> Act:
    """Does it to the first attempts of an event; the others are answered 200."""

    async def either(call: Call) -> None:
        await (act if call.number <= times else _well)(call)

    return either
