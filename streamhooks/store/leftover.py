"""Streams that the configuration does not read any more, or not yet: what is in them is delivered by nobody.

They come from a `stream.partitions` that was changed, or that gateways have and the workers have not. Partitions are
numbered without gaps, so that those beyond the configured ones are found one by one until there is none. Reads only, by
commands that a user with read access may use: see the ACL of docs/redis.md.
"""

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.life import extent
from streamhooks.store.status import consumers
from streamhooks.store.stream import Stream

ALIVE = 60.0
"""Seconds. Whoever reads a stream is heard of every second: another configuration's workers do, then."""
MOST = 1024
"""Partitions that a configuration may have."""


class Leftover(Struct, frozen=True):
    """One stream that nobody reads."""

    stream: str
    unread: int = 0
    pending: int = 0
    parked: int = 0
    dead: int = 0

    @property
    def is_empty(self) -> bool:
        """Everything in it has come to an end, and no dead letter waits for a decision."""
        return not (self.unread or self.pending or self.parked or self.dead)


async def leftovers(client: Redis, key: str, count: int, group: str) -> tuple[Leftover, ...]:
    """Beside the `count` partitions of a stream key; only what is not empty. Raises StoreError."""
    found = [await _left(client, Keys.of(key), group)] if count > 1 else []
    for number in range(0 if count == 1 else count, MOST):
        left = await _left(client, Keys.of(f"{key}:{number}"), group)
        if left is None:
            break
        found.append(left)
    return tuple(one for one in found if one is not None and not one.is_empty)


async def _left(client: Redis, keys: Keys, group: str) -> Leftover | None:
    """None: there is no stream of the name, or we may not look at it."""
    try:
        if not (await extent(client, keys.stream)).exists:
            return None
        readers = await consumers(client, keys, group)
        if readers and readers[0].idle < ALIVE:
            return Leftover(keys.stream)
        counts = [await _waiting(Stream(client, client, keys, key, group, "")) for key in (keys.stream, keys.retry)]
        unread = int(await ask(client, "XLEN", keys.stream)) if readers is None else sum(one for one, _ in counts)
        return Leftover(
            stream=keys.stream,
            unread=unread,
            pending=sum(pending for _, pending in counts),
            parked=int(await ask(client, "ZCARD", keys.parked)),
            dead=int(await ask(client, "XLEN", keys.dead)),
        )
    except StoreError as error:
        if error.kind not in ("redis", "forbidden"):
            raise
        return None


async def _waiting(stream: Stream) -> tuple[int, int]:
    """Unread and pending; none where there is no group."""
    try:
        return await stream.waiting(), await stream.pending()
    except StoreError as error:
        if error.kind != "no_group":
            raise
        return 0, 0
