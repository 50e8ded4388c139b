"""What time it is by the clock that stamps a partition's entries: that of the node that has them."""

from redis.asyncio import Redis

from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_clock = Script("clock")


async def now(client: Redis, keys: Keys) -> int:
    """Milliseconds since 1970. Raises StoreError."""
    return int(await _clock(client, [keys.stream], []))
