"""Records that wait for their time: retries, and what a breaker or a pause held up.

They wait in a sorted set with their payload beside it; lua/wake.lua moves what is due into the retry stream, from
where it is read like any other entry. Storing is the ledger's, see settle.py.
"""

from collections.abc import Sequence

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.errors import WireError
from streamhooks.store.clock import now
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record
from streamhooks.store.scripts import Script

_wake = Script("wake")
_stored = Script("stored")


class Woken(Struct, frozen=True):
    """What one call of `wake` did."""

    moved: int
    next_in: float | None
    """Seconds until the next record is due; None: none is stored."""


class Stored(Struct, frozen=True):
    """One record that waits."""

    owner: str
    due: int
    """Milliseconds since 1970; from pauses.HELD on: it is held."""
    record: Record


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

    async def of(self, entry: str) -> list[Stored]:
        """What is stored of one event, replays included. Looks at every owner: for people. Raises StoreError."""
        owners: set[bytes] = set()
        cursor = 0
        while True:
            # An id is digits and a dash: nothing that a pattern reads otherwise.
            cursor, found = await ask(
                self._client, "ZSCAN", self._keys.parked, cursor, "MATCH", f"{entry}[|~]*", "COUNT", 1000
            )
            owners.update(owner for owner, _ in found)
            if not cursor:
                break
        if not owners:
            return []
        answers = await _stored(self._client, [self._keys.parked, self._keys.parked_data], sorted(owners))
        return [Stored(owner.decode(), int(float(due)), _record(owner.decode(), flat)) for owner, due, flat in answers]

    async def count(self) -> int:
        return int(await ask(self._client, "ZCARD", self._keys.parked))

    async def due(self) -> int:
        """Records whose time has come."""
        moment = await now(self._client, self._keys)
        return int(await ask(self._client, "ZCOUNT", self._keys.parked, "-inf", moment))


def _record(owner: str, flat: Sequence[bytes]) -> Record:
    try:
        return Record.read(dict(zip(flat[::2], flat[1::2], strict=False)))
    except WireError:
        origin, _, handler = owner.rpartition("|")
        return Record(
            origin=origin.partition("~")[0], handler=handler, owner=owner, why="not written by this release"
        )  # fmt: skip
