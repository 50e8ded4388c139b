"""One cluster for all tests here, emptied before each of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from streamhooks.secret import Secret
from streamhooks.settings import Redis as RedisSettings
from streamhooks.store.connection import connect, servers
from tests.cluster.local import LocalCluster
from tests.cluster.rig import ClusterRig
from tests.faults.engines import engines
from tests.flow.conftest import records
from tests.flow.rig import Records
from tests.servers import Endpoint, lasting_keys

__all__ = ["records"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCluster]:
    async with LocalCluster(engines()["valkey"], tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest_asyncio.fixture
async def redis(cluster: LocalCluster) -> AsyncIterator[Redis]:
    """A client of the emptied cluster. After the test no key may be left that would stay forever."""
    await cluster.heal()
    client = connect(RedisSettings(url=Secret(cluster.url)))
    try:
        for node in await servers(client):
            await node.flushall()
        yield client
        lasting = [name for node in await servers(client) for name in await lasting_keys(node)]
    finally:
        await client.aclose()
    assert not lasting, f"keys without a TTL that are not on the list of permanent ones (tests/servers.py): {lasting}"


@pytest.fixture
def rig(redis: Redis, cluster: LocalCluster, tmp_path: Path, endpoint: Endpoint, records: Records) -> ClusterRig:
    return ClusterRig(redis, cluster, tmp_path, endpoint, records)
