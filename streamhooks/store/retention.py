"""What keeps a stream and its dead letters from growing, and notes where a lost group is to be made again."""

from redis.asyncio import Redis

from streamhooks.store.connection import Word
from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_trim = Script("trim")
TRIM_AT_ONCE = 1000
"""Entries: a call reads them to find where to cut, so that it holds the server up for less than a millisecond."""


class Retention:
    """What is kept of a stream that was acknowledged: `age` seconds or `entries`, whichever is less."""

    def __init__(self, client: Redis, keys: Keys, group: str, *, age: float, entries: int, dead_age: float) -> None:
        self._client = client
        self._keys = [keys.stream, keys.position, keys.dead, keys.totals]
        self._words: list[Word] = [group, int(age * 1000), entries, int(dead_age * 1000), TRIM_AT_ONCE]

    async def trim(self) -> int:
        """Notes the position and trims a little; how many entries went. Call again while it is the whole limit."""
        return int(await _trim(self._client, self._keys, self._words))
