"""The lab of one experiment: its seed, its servers, proxies, endpoint, workers and gateways, all gone at the end."""

import random
from asyncio.subprocess import Process
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from msgspec import Struct
from redis.asyncio import Redis

from tests.cluster.local import LocalCluster
from tests.connecting.secured import secured_for_a_client
from tests.faults.checker import Verdict, judge, outstanding
from tests.faults.crew import Crew, configuration, stopped
from tests.faults.engines import Engine
from tests.faults.load import STREAM, Load
from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.faults.sink import Sink
from tests.faults.trio import Trio
from tests.waiting import eventually

T = TypeVar("T")
IN_FLIGHT = 32
"""Deliveries under way at once in a worker, see crew.configuration."""
DELIVERED = 30.0
"""Seconds that workers may take for what has piled up."""


class Place(Struct, frozen=True):
    """A Redis as workers reach it, by `url` and `tls`, and the server that the lab itself looks at."""

    server: Server
    url: str
    tls: Mapping[str, str] = {}


class Lab:
    """`async with Lab(folder, seed, engine) as lab:`."""

    def __init__(self, folder: Path, seed: int, engine: Engine, *, scale: float = 1.0, on: str = "") -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        self.engine = engine
        self.on = on
        """`cluster`, `sentinel` or `tls`: what `place` is; else one server."""
        self.scale = scale
        """1.0 for the smoke set; more where there is time: events, kills and seconds are multiplied by it."""
        self._rooms = AsyncExitStack()
        self._servers = self._crews = 0

    async def __aenter__(self) -> "Lab":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rooms.aclose()

    async def enter(self, room: AbstractAsyncContextManager[T]) -> T:
        """Opens something else that is to be gone with the lab."""
        return await self._rooms.enter_async_context(room)

    def scaled(self, count: int) -> int:
        return max(1, round(count * self.scale))

    async def server(self, *, aof: bool = False, under: Sequence[str] = (), **options: str) -> Server:
        """`under`: another program that runs it, such as faketime."""
        self._servers += 1
        server = Server(self.engine, self.folder / f"server-{self._servers}", aof=aof, **options)
        server.under(*under)
        return await self._rooms.enter_async_context(server)

    async def proxy(self, server: Server) -> Proxy:
        return await self._rooms.enter_async_context(Proxy(server.port))

    async def sink(self, delay: float = 0.0) -> Sink:
        return await self._rooms.enter_async_context(Sink(delay))

    def load(self, server: Server) -> Load:
        return Load(server.url)

    async def place(self) -> Place:
        """A Redis that nothing happens to, of the kind that this lab is for."""
        match self.on:
            case "cluster":
                cluster = await self.enter(LocalCluster(self.engine, self.folder / "cluster"))
                return Place(await cluster.owner(STREAM), cluster.url)
            case "sentinel":
                trio = await self.enter(Trio(self.engine, self.folder))
                return Place(await trio.primary(), trio.url)
            case "tls":
                found = await self.enter(secured_for_a_client(self.folder))
                return Place(found.server, found.url, found.files)
            case _:
                server = await self.server()
                return Place(server, server.url)

    async def crew(self, url: str, sink: Sink, *, tls: Mapping[str, str] | None = None, **worker: Any) -> Crew:
        """Workers-to-be that reach Redis at `url`; `worker` is laid over that section of their configuration."""
        folder = self.folder / ("workers" if not self._crews else f"workers-{self._crews + 1}")
        folder.mkdir()
        self._crews += 1
        return await self._rooms.enter_async_context(Crew(folder, configuration(url, sink, folder, tls=tls, **worker)))

    async def delivered(self, sink: Sink, load: Load, crew: Crew, *workers: Process, but: Iterable[int] = ()) -> None:
        """The workers deliver what was acknowledged, without anybody's help, and then stop cleanly and in time.

        `but`: what Redis has lost and what ends otherwise.
        """
        await self.all_delivered(sink, load, but)
        await stopped(crew, *workers)

    async def all_delivered(self, sink: Sink, load: Load, but: Iterable[int] = ()) -> None:
        """Returns when what was acknowledged is delivered."""
        left = set(but)
        await eventually(
            lambda: all(key.seq in left for key in outstanding(sink, load)), DELIVERED, "everything is delivered"
        )

    async def client(self, server: Server) -> Redis:
        return await self._rooms.enter_async_context(server.client())

    async def verdict(self, server: Server, sink: Sink, load: Load, **known: Any) -> Verdict:
        """What came of it; everything must have drained. `known` is checker.judge's."""
        return await judge(await self.client(server), sink, load, **known)
