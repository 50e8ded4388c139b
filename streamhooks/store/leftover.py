"""Streams that the configuration does not read any more, or not yet: what is in them is delivered by nobody.

They come from a `stream.partitions` that was changed, or that gateways have and the workers have not. Partitions are
numbered without gaps, so that those beyond the configured ones are found one by one until there is none.
"""

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.keys import Keys
from streamhooks.store.life import extent
from streamhooks.store.status import overview

ALIVE = 60.0
"""Seconds. Whoever reads a stream is heard of every second: another configuration's workers do, then."""
MOST = 1024
"""Partitions that a configuration may have."""


class Leftover(Struct, frozen=True):
    """One stream that nobody reads, with something in it that is not done."""

    stream: str
    unread: int = 0
    pending: int = 0
    parked: int = 0
    dead: int = 0

    @property
    def undone(self) -> int:
        return self.unread + self.pending + self.parked


async def leftovers(client: Redis, key: str, count: int, group: str) -> tuple[Leftover, ...]:
    """Beside the `count` partitions of a stream key; only where something is undone or dead. Raises StoreError."""
    found = [await _left(client, key, group)] if count > 1 else []
    for number in range(0 if count == 1 else count, MOST):
        left = await _left(client, f"{key}:{number}", group)
        if left is None:
            break
        found.append(left)
    return tuple(one for one in found if one is not None and (one.undone or one.dead))


async def _left(client: Redis, stream: str, group: str) -> Leftover | None:
    """None: there is no stream of the name, or we may not look at it."""
    try:
        if not (await extent(client, stream)).exists:
            return None
        one = await overview(client, Keys.of(stream), group)
    except StoreError as error:
        if error.kind != "redis":
            raise
        return None
    if any(consumer.idle < ALIVE for consumer in one.consumers):
        return Leftover(stream)
    backlog = one.backlog
    unread = backlog.lag if one.has_group else one.length
    return Leftover(stream, unread, backlog.pending, backlog.parked, backlog.dead)
