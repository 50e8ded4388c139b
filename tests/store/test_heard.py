"""A consumer that waits lives, and whoever looks can tell, on servers too that note only what they hand out."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from streamhooks.embedded import EmbeddedServer
from streamhooks.store.keys import Keys
from tests.faults.engines import engines
from tests.store.given import GROUP, add, worker
from tests.waiting import eventually


@pytest.mark.parametrize("engine", ["valkey", "redis7"])
async def test_a_consumer_that_waits_is_heard_of_and_takes_nothing_by_it(tmp_path: Path, engine: str) -> None:
    """Redis 7.0 would know of the last time only that it was handed something."""
    found = engines().get(engine)
    if found is None:
        pytest.skip("redis-server is not installed")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedServer(tmp_path, persist=False, binary=found.binary))
        redis = await stack.enter_async_context(Redis.from_url(server.url, protocol=2))
        keys = Keys.of("gateway:events")
        one = worker(redis, keys, "one")
        await one.entries.ensure_group("0")
        await add(redis, keys, 3)
        (held,) = await one.read(1)
        await eventually(lambda: idle(redis, keys, 20))
        await one.entries.be_heard()
        (seen,) = await redis.xinfo_consumers(keys.stream, GROUP)
        (kept,) = await pending(redis, keys)
        assert (kept["message_id"].decode(), kept["times_delivered"]) == (held.id, 1)
        assert seen["idle"] < kept["time_since_delivered"], "it is no heartbeat of what is held"
        assert await one.entries.waiting() == 2


async def pending(redis: Redis, keys: Keys) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await redis.xpending_range(keys.stream, GROUP, "-", "+", 10)
    return found


async def idle(redis: Redis, keys: Keys, milliseconds: int) -> bool:
    (seen,) = await redis.xinfo_consumers(keys.stream, GROUP)
    return bool(seen["idle"] >= milliseconds)
