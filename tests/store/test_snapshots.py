"""What a worker says of itself is written whole, with its life, or not at all."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.secret import Secret
from streamhooks.settings import Redis as Settings
from streamhooks.store.connection import connect
from streamhooks.store.keys import Keys
from streamhooks.store.snapshots import LIFE, HandlerSnapshot, Snapshot, load, save
from tests.faults.engines import engines
from tests.faults.proxy import Proxy
from tests.faults.server import Server

KEY = "{gateway:events}:worker:one"


def snapshot(*handlers: str) -> Snapshot:
    return Snapshot("one", "1.2.3", 7, {handler: HandlerSnapshot(delivered=3) for handler in handlers})


async def test_a_snapshot_takes_the_place_of_the_last_one(redis: Redis, keys: Keys) -> None:
    await save(redis, keys, snapshot("slack", "removed"))
    await save(redis, keys, snapshot("slack"))
    assert await load(redis, keys, ["one", "nobody"]) == [snapshot("slack")]
    assert 0 < await redis.ttl(keys.worker("one")) <= LIFE


async def test_a_worker_that_is_cut_off_while_it_writes_leaves_nothing_for_ever(tmp_path: Path) -> None:
    async with Server(engines()["valkey"], tmp_path / "server") as server, Proxy(server.port) as proxy:
        client = connect(Settings(url=Secret(proxy.url)))
        proxy.cut_reply_to(b"HSET")
        with pytest.raises(StoreError):
            await save(client, Keys.of("gateway:events"), snapshot("slack"))
        await client.aclose()
        assert proxy.cuts == 1
        assert await server.ask("HLEN", KEY) == 4
        assert 0 < await server.ask("TTL", KEY) <= LIFE
