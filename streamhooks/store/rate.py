"""A handler's rate limit, kept in Redis so that it holds over all workers."""

from redis.asyncio import Redis

from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_reserve = Script("reserve")


class Rates:
    """The turns of rate-limited handlers. They are kept with the first partition, whatever partition an event is of."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def reserve(self, handler: str, rate: float, turns: int) -> float:
        """Reserves so many turns, 1 / `rate` seconds apart; seconds until the first. Raises StoreError."""
        every = max(1, round(1_000_000 / rate))
        return int(await _reserve(self._client, [self._keys.rate(handler)], [turns, every])) / 1_000_000
