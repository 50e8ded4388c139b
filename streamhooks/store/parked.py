"""Records that wait for their time: retries, and what a breaker or a pause held up.

They wait in a sorted set with their payload beside it; lua/wake.lua moves what is due into the retry stream, from
where it is read like any other entry. Storing is the ledger's, see settle.py.
"""

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_wake = Script("wake")


class Woken(Struct, frozen=True):
    """What one call of `wake` did."""

    moved: int
    next_in: float | None
    """Seconds until the next record is due; None: none is stored."""


class Parked:
    """The stored records of one stream."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def wake(self, limit: int) -> Woken:
        """Puts what is due on its way, at most `limit` records."""
        keys = [self._keys.parked, self._keys.parked_data, self._keys.retry, self._keys.totals]
        moved, next_in = await _wake(self._client, keys, [limit])
        return Woken(int(moved), None if next_in < 0 else next_in / 1000)

    async def count(self) -> int:
        return int(await ask(self._client, "ZCARD", self._keys.parked))

    async def due(self) -> int:
        """Records whose time has come."""
        seconds, micros = await ask(self._client, "TIME")
        return int(await ask(self._client, "ZCOUNT", self._keys.parked, "-inf", seconds * 1000 + micros // 1000))
