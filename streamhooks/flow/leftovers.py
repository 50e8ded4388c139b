"""Telling of streams that nobody reads, where `stream.partitions` was changed or gateways have another number."""

import structlog
from redis.asyncio import Redis

from streamhooks.settings import Stream
from streamhooks.store.leftover import leftovers

log = structlog.get_logger("streamhooks")
LOOK_EVERY = 600.0
"""Seconds. It takes three questions to Redis, where nothing is left."""


async def tell_of_leftovers(client: Redis, stream: Stream) -> None:
    """Raises StoreError."""
    for left in await leftovers(client, stream.key, stream.partitions, stream.group):
        log.warning(
            "stream_not_read", stream=left.stream, unread=left.unread, pending=left.pending, parked=left.parked,
            dead=left.dead, way_out="run a worker with the stream.partitions that it is of until it is empty",
        )  # fmt: skip
