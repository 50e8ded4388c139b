"""The account, and what keeps a stream from growing: retention, the noted position, silent consumers."""

from redis.asyncio import Redis

from streamhooks.store.connection import Word, ask
from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_trim = Script("trim")
TERMS = ("accepted", "delivered", "suppressed", "dead", "stored", "unmatched")
TRIM_AT_ONCE = 1000
"""Entries: a call reads them to find where to cut, so that it holds the server up for less than a millisecond."""


class Account:
    """`accepted = delivered + suppressed + dead + stored + unmatched`, kept by the scripts that settle."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def totals(self) -> dict[str, int]:
        """Every term, also those that are 0; beside them `lost_trimmed`, `lost_parked`, `dead_trimmed`."""
        found = await ask(self._client, "HGETALL", self._keys.totals)
        totals = dict.fromkeys((*TERMS, "lost_trimmed", "lost_parked", "dead_trimmed"), 0)
        return totals | {name.decode(): int(value) for name, value in found.items()}


class Retention:
    """What is kept of a stream that was acknowledged: `age` seconds or `entries`, whichever is less."""

    def __init__(self, client: Redis, keys: Keys, group: str, *, age: float, entries: int, dead_age: float) -> None:
        self._client = client
        self._keys = [keys.stream, keys.position, keys.dead, keys.totals]
        self._words: list[Word] = [group, int(age * 1000), entries, int(dead_age * 1000), TRIM_AT_ONCE]

    async def trim(self) -> int:
        """Notes the position and trims a little; how many entries went. Call again while it is the whole limit."""
        return int(await _trim(self._client, self._keys, self._words))
