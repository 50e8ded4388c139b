"""What a worker would read of a stream."""

from typing import Any

from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.model import Entry, Event

STREAM = "gateway:events"


async def published(redis: Redis, stream: str = STREAM) -> list[Event]:
    """Every event of it, in order."""
    entries: Any = await redis.xrange(stream)
    return [wire.decode(Entry(id.decode(), fields), 262_144) for id, fields in entries]


async def numbers(redis: Redis) -> list[int]:
    """The `n` of each event, in order."""
    return [event.meta["n"] for event in await published(redis)]
