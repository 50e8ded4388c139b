"""One stream with its group, and two workers of that group, on a real server that was emptied."""

import pytest_asyncio
from redis.asyncio import Redis

from streamhooks.store.dead import DeadLetters
from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked
from tests.store.given import Worker, worker


@pytest_asyncio.fixture
async def keys(redis: Redis) -> Keys:
    """The keys of a stream whose groups are there."""
    keys = Keys.of("gateway:events")
    nobody = worker(redis, keys, "nobody")
    await nobody.entries.ensure_group("0")
    await nobody.retries.ensure_group("0")
    return keys


@pytest_asyncio.fixture
async def one(redis: Redis, keys: Keys) -> Worker:
    return worker(redis, keys, "one")


@pytest_asyncio.fixture
async def two(redis: Redis, keys: Keys) -> Worker:
    return worker(redis, keys, "two")


@pytest_asyncio.fixture
async def parked(redis: Redis, keys: Keys) -> Parked:
    return Parked(redis, keys)


@pytest_asyncio.fixture
async def dead(redis: Redis, keys: Keys) -> DeadLetters:
    return DeadLetters(redis, keys)
