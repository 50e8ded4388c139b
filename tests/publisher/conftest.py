"""Servers that are killed, frozen and followed, for what the session's own server must not suffer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.faults.engines import engines
from tests.faults.server import Server


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server of the test's own, which keeps what it has over a restart."""
    async with Server(engines()["valkey"], tmp_path / "server", aof=True, appendfsync="always") as server:
        yield server


@pytest_asyncio.fixture
async def replica(tmp_path: Path, server: Server) -> AsyncIterator[Server]:
    """In step with `server`."""
    async with Server(engines()["valkey"], tmp_path / "replica") as replica:
        await replica.follow(server.port)
        yield replica
