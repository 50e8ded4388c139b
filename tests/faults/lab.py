"""The lab of one experiment: its seed, its servers, proxies, endpoint, workers and gateways, all gone at the end."""

import random
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from redis.asyncio import Redis

from tests.faults.checker import Verdict, judge
from tests.faults.crew import Crew, configuration
from tests.faults.engines import Engine
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.faults.sink import Sink

T = TypeVar("T")
IN_FLIGHT = 32
"""Deliveries under way at once in a worker, see crew.configuration."""


class Lab:
    """`async with Lab(folder, seed, engine) as lab:`."""

    def __init__(self, folder: Path, seed: int, engine: Engine, *, scale: float = 1.0) -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        self.engine = engine
        self.scale = scale
        """1.0 for the smoke set; more where there is time: events, kills and seconds are multiplied by it."""
        self._rooms = AsyncExitStack()
        self._servers = 0

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

    async def server(self, *, aof: bool = False, **options: str) -> Server:
        self._servers += 1
        folder = self.folder / f"server-{self._servers}"
        return await self._rooms.enter_async_context(Server(self.engine, folder, aof=aof, **options))

    async def proxy(self, server: Server) -> Proxy:
        return await self._rooms.enter_async_context(Proxy(server.port))

    async def sink(self, delay: float = 0.0) -> Sink:
        return await self._rooms.enter_async_context(Sink(delay))

    def load(self, server: Server) -> Load:
        return Load(server.url)

    async def crew(self, url: str, sink: Sink, **worker: Any) -> Crew:
        """Workers-to-be that reach Redis at `url`; `worker` is laid over that section of their configuration."""
        folder = self.folder / "workers"
        folder.mkdir(exist_ok=True)
        return await self._rooms.enter_async_context(Crew(folder, configuration(url, sink, folder, **worker)))

    async def client(self, server: Server) -> Redis:
        return await self._rooms.enter_async_context(server.client())

    async def verdict(self, server: Server, sink: Sink, load: Load, **known: Any) -> Verdict:
        """What came of it; everything must have drained. `known` is checker.judge's."""
        return await judge(await self.client(server), sink, load, **known)
