"""A TCP proxy that does what networks do: delay, choke, swallow, reset, slice, and lose exactly the reply that matters.

One Proxy stands before one server. Its faults are attributes that may change at any time and hold for every connection,
old and new: what is under way feels them with its next bytes.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Literal, TypeAlias

from tests.waiting import eventually

Way: TypeAlias = Literal["up", "down"]
"""`up`: to the server. `down`: from it."""
CHUNK = 65536


class Proxy:
    """`async with Proxy(port) as proxy:` listens on `proxy.port` and passes everything on to `port`."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self.port = 0
        self.latency = 0.0
        """Seconds that each piece waits, either way."""
        self.bandwidth = 0
        """Bytes a second and direction; 0: as fast as it goes."""
        self.slice = 0
        """Bytes of a piece at most; 0: as they came."""
        self.swallowing: set[Way] = set()
        """Directions whose bytes vanish while the connections stay: a blackhole."""
        self.refusing = False
        """New connections are closed at once."""
        self.cuts = 0
        """Replies that were lost so far."""
        self._cut: bytes = b""
        self._armed = False
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None

    async def __aenter__(self) -> "Proxy":
        self._listening = await asyncio.start_server(self._track, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]
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
        return f"redis://127.0.0.1:{self.port}/0"

    def heal(self) -> None:
        """No fault any more. What was swallowed stays lost."""
        self.latency = self.bandwidth = self.slice = 0
        self.swallowing = set()
        self.refusing = False
        self._cut, self._armed = b"", False

    def cut_reply_to(self, command: bytes) -> None:
        """The next command that holds these bytes is carried out, and its reply lost with the connection."""
        self._cut, self._armed = command.upper(), False

    async def lost(self, count: int) -> None:
        """Returns when so many replies were lost."""
        await eventually(lambda: self.cuts >= count, 15, f"{count} replies are lost")

    def move(self, port: int) -> None:
        """From now on new connections lead to another server; those that are open are reset."""
        self._upstream = port
        self.reset()

    def reset(self) -> None:
        """Resets every connection, as a failing router or a restarted proxy does."""
        for pair in list(self._pairs):
            for writer in pair:
                _reset(writer)

    def _track(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            _reset(writer)
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            _reset(writer)
            return
        pair = (writer, up_writer)
        self._pairs.add(pair)
        pumps = (self._pump(reader, up_writer, "up", pair), self._pump(up_reader, writer, "down", pair))
        try:
            await asyncio.gather(*pumps)
        except OSError:
            pass
        finally:
            self._pairs.discard(pair)
            for each in pair:
                each.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        way: Way,
        pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> None:
        while piece := await reader.read(self.slice or CHUNK):
            if self.latency:
                await asyncio.sleep(self.latency)
            if self.bandwidth:
                await asyncio.sleep(len(piece) / self.bandwidth)
            if way in self.swallowing:
                continue
            if self._is_lost(piece, way, pair):
                return
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()

    def _is_lost(self, piece: bytes, way: Way, pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> bool:
        """Whether this is the reply that is to be cut. Each connection carries one command at a time, so it is the
        next bytes down the same connection."""
        if way == "up" and self._cut and self._cut in piece.upper():
            self._cut, self._armed = b"", True
            self._doomed = pair
        elif way == "down" and self._armed and self._doomed is pair:
            self._armed = False
            self.cuts += 1
            for writer in pair:
                _reset(writer)
            return True
        return False


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST, by closing with SO_LINGER 0."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):  # closed by the other side already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
