"""The two ways of sending, so that a test can hold both to one law.

`send` opens a connection where none stands. `ask` only writes on one that does: so the connection is used once before,
and the endpoint begins to behave as the test says when the request of the test was written.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from streamhooks.model import Failure, Reply
from streamhooks.sender import Sender
from streamhooks.sender.asked import Asked
from tests.sender.hostile import Act, Behaviour, Hostile, hostile, local_handler, request_to

Way = Literal["send", "ask"]
WAYS: tuple[Way, ...] = ("send", "ask")
WARM = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwarm"


class Ear:
    """Hears of one request as a lane does: the answer at once, or in a task where it must be waited for."""

    def __init__(self) -> None:
        self.times = 0
        self.told: Reply | Failure | None = None
        """What came of it."""
        self.rest: asyncio.Task[Reply | Failure] | None = None
        self._heard = asyncio.Event()

    def __call__(self, asked: Asked) -> None:
        self.times += 1
        self.told = asked.answer(time.monotonic())
        if self.told is None:
            self.rest = asyncio.get_running_loop().create_task(asked.rest(time.monotonic))
        self._heard.set()

    async def answer(self) -> Reply | Failure:
        await self._heard.wait()
        if self.rest is not None:
            self.told = await self.rest
        assert self.times == 1
        assert self.told is not None
        return self.told


class Line:
    """A sender and the endpoint that it calls, by handlers that have `fields` in common."""

    def __init__(self, way: Way, server: Hostile, sender: Sender, go: asyncio.Event, fields: dict[str, Any]) -> None:
        self.way = way
        self.server = server
        self.sender = sender
        self._go = go
        self._fields = fields
        scheme = "https" if server.secure else "http"
        self.url = f"{scheme}://127.0.0.1:{server.port}/in"

    async def warm(self, connections: int) -> None:
        """Has so many connections stand."""
        handler = local_handler(**self._fields | {"timeout": 5.0})
        warming = (self.sender.send(request_to(self.url), handler) for _ in range(connections))
        for answer in await asyncio.gather(*warming):
            assert isinstance(answer, Reply)
            assert answer.head == b"warm"
        self.server.requests.clear()

    def ask(self, ear: Ear, method: str = "POST", body: bytes = b"{}", **handler: Any) -> bool:
        """Asks, and does not wait."""
        self._go.set()
        done = self.sender.ask(request_to(self.url, method, body), local_handler(**self._fields | handler), ear)
        assert ear.times == 0, "nothing is heard before it has returned"
        return done

    async def send(self, method: str = "POST", body: bytes = b"{}", **handler: Any) -> Reply | Failure:
        """Sends the way the test goes, and as a lane does where nothing stands to be asked on."""
        ear = Ear()
        if self.way == "ask" and self.ask(ear, method, body, **handler):
            return await ear.answer()
        self._go.set()
        return await self.sender.send(request_to(self.url, method, body), local_handler(**self._fields | handler))


@asynccontextmanager
async def line(
    way: Way, behaviour: Behaviour, *, connections: int = 1, tls: ssl.SSLContext | None = None, **fields: Any
) -> AsyncIterator[Line]:
    """An endpoint that behaves so, and a sender, which for `ask` has so many connections to it."""
    go = asyncio.Event()
    if way == "ask":
        behaviour = _warmed(behaviour, connections, go)
    async with hostile(behaviour, tls) as server, Sender() as sender:
        one = Line(way, server, sender, go, fields)
        if way == "ask":
            await one.warm(connections)
        yield one


def _warmed(behaviour: Behaviour, connections: int, go: asyncio.Event) -> Behaviour:
    """The first connections are used once each before it behaves so."""

    def warmed(server: Hostile) -> Act:
        act = behaviour(server)

        async def warm_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if server.connections <= connections:
                await server.read_request(reader)
                writer.write(WARM)
                await go.wait()
            await act(reader, writer)

        return warm_first

    return warmed
