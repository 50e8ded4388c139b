"""The account of a stream, as `T:totals` has it: kept by the scripts that settle, read here."""

from redis.asyncio import Redis

from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys

TERMS = ("accepted", "delivered", "suppressed", "dead", "stored", "unmatched")
LOSSES = ("lost_trimmed", "lost_parked", "dead_trimmed")
"""Counted beside the account: entries and stored retries that somebody removed, dead letters too many or too old."""


class Account:
    """`accepted = delivered + suppressed + dead + stored + unmatched`."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def totals(self) -> dict[str, int]:
        """Every term, also those that are 0; beside them LOSSES."""
        found = await ask(self._client, "HGETALL", self._keys.totals)
        totals = dict.fromkeys((*TERMS, *LOSSES), 0)
        return totals | {name.decode(): int(value) for name, value in found.items()}
