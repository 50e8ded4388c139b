"""One stream and our place in its consumer group: read, keep, take over, hand back.

Laws. The group is made at the beginning, never at `$` by accident, and made again where it was. XREADGROUP is read
on a connection of its own and never repeated by itself. Only a script that has checked the owner touches what is
pending. A delivery is counted when an entry is handed out, not when it is kept.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.model import Entry
from streamhooks.store.connection import Word, ask
from streamhooks.store.ids import preceding
from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_renew = Script("renew")
_take = Script("take")
_begin = Script("begin")
_hand_back = Script("hand_back")
_leave = Script("leave")
_count_unread = Script("count_unread")

_BEYOND = "18446744073709551615-18446744073709551614"
"""No entry that was ever handed out comes after this id; the one after it is what servers make of `>`."""
LOOKED_AT = 100
"""Unread entries that one look counts by looking at them."""
IDS_PER_CALL = 500
"""Some managed services take at most 3,999 words in a request."""
BYTES_PER_CALL = 8 * 1024 * 1024
"""What entries may weigh together that are taken over at once, the last of them not counted; also what a read is to
stay below. Thirty-two of the largest events that are read at all by default; a gateway may write larger ones."""


class Taken(Struct, frozen=True):
    """What a sweep took over."""

    cursor: str
    entries: list[Entry]
    deleted: int
    """Entries that somebody had deleted while they were pending: lost, and counted in the totals."""


class Stream:
    """One stream as one consumer of its group sees it."""

    def __init__(self, client: Redis, reader: Redis, keys: Keys, key: str, group: str, consumer: str) -> None:
        self._client = client
        self._reader = reader
        self._keys = keys
        self._counted = [key, keys.totals, keys.handed]
        self.key = key
        self.group = group
        self.consumer = consumer

    def __repr__(self) -> str:
        return f"<Stream {self.key} {self.group}/{self.consumer}>"

    async def ensure_group(self, start: str, *, lost: bool = False) -> bool:
        """Makes the stream and the group unless they are there; True when the group was made.

        `start`: where a new group begins ("0", "$" or an id). A group that was lost is made again at the oldest
        entry that was not acknowledged, or at the beginning, never at `$`: what came in between must not be skipped.
        """
        start = await self._position(lost=lost) or ("0" if lost else start)
        try:
            await ask(self._client, "XGROUP CREATE", self.key, self.group, start, "MKSTREAM")
        except StoreError as error:
            if "BUSYGROUP" not in error.message:
                raise
            return False
        await ask(self._client, "HDEL", self._keys.handed, f"before {self.key} {self.group}")
        return True

    async def _position(self, *, lost: bool) -> str:
        """Where the group stood that was lost; empty where none was, or where the stream with its ids began anew.

        A group that was lost while no worker ran is known by this: a position was noted, and the stream has no group.
        Where it has another group's, the position may be that one's, and we are new.
        """
        if self.key != self._keys.stream or not await ask(self._client, "XLEN", self.key):
            return ""
        if not lost and await ask(self._client, "XINFO GROUPS", self.key):
            return ""
        position = await ask(self._client, "GET", self._keys.position)
        return preceding(position.decode()) if position else ""

    async def read(self, count: int, wait: float) -> list[Entry]:
        """New entries, at most `count`; waits `wait` seconds for the first. Raises StoreError."""
        # Its name in bytes, which redis-py gives no shape to: the shape would be made into entries here all the same.
        reply = await ask(
            self._reader, b"XREADGROUP", "GROUP", self.group, self.consumer,
            "COUNT", count, "BLOCK", max(1, int(wait * 1000)), "STREAMS", self.key, ">",
        )  # fmt: skip
        return [Entry(id.decode(), _pairs(flat)) for _, entries in reply or () for id, flat in entries]

    async def be_heard(self) -> None:
        """Lets whoever looks know that this consumer lives, by asking for its own entries after the last possible one.

        Redis 7.0 hears of a consumer only when it hands something out; later ones also while it waits in a read.
        """
        words = ("GROUP", self.group, self.consumer, "COUNT", 1, "STREAMS", self.key, _BEYOND)
        await ask(self._client, "XREADGROUP", *words)

    async def keep(self, ids: Sequence[str]) -> list[str]:
        """Keeps pending entries ours (a heartbeat); gives the ids that are not ours any more or were deleted."""
        lost: list[str] = []
        for part in _parts(ids):
            gone = await _renew(self._client, self._counted, [self.group, self.consumer, *part])
            lost.extend(id.decode() for id in gone)
        return lost

    async def take(self, cursor: str, idle: float, count: int) -> Taken:
        """Takes over entries whose consumer has been silent for `idle` seconds, scanning on from `cursor`."""
        return await self._taken(cursor, idle, count)

    async def recover_own(self, idle: float, count: int) -> Taken:
        """Takes up our own pending entries that nobody has kept for `idle` seconds: their reply was lost."""
        return await self._taken("own", idle, count)

    async def _taken(self, cursor: str, idle: float, count: int) -> Taken:
        words: list[Word] = [self.group, self.consumer, int(idle * 1000), count, cursor, BYTES_PER_CALL]
        reply = await _take(self._client, self._counted, words)
        entries = [Entry(id.decode(), _pairs(flat), deliveries) for id, deliveries, flat in reply[1]]
        return Taken(reply[0].decode(), entries, reply[2])

    async def count_unread(self) -> int:
        """Entries that somebody trimmed before we were handed them, since it was last asked; counted as lost."""
        return int(await _count_unread(self._client, self._counted, [self.group, LOOKED_AT]))

    async def begin(self, id: str) -> int:
        """Counts a delivery that starts now; its number, or 0 when the entry is not ours any more."""
        return int(await _begin(self._client, self._counted, [self.group, self.consumer, id]))

    async def hand_back(self, ids: Iterable[str]) -> int:
        """Lets any peer take these entries at its next sweep; how many were still ours."""
        back = 0
        for part in _parts(list(ids)):
            words: list[Word] = [self.group, self.consumer, *part]
            back += int(await _hand_back(self._client, self._counted, words))
        return back

    async def remove_silent(self, silent: float) -> int:
        """Removes peers that have nothing pending and have not been heard of for `silent` seconds."""
        return int(await _leave(self._client, [self.key], [self.group, self.consumer, "", int(silent * 1000)]))

    async def leave(self) -> None:
        """Removes ourselves from the group if nothing is pending at us."""
        await _leave(self._client, [self.key], [self.group, self.consumer, "1", 10**15])

    async def receipts(self, keys: Sequence[str]) -> list[frozenset[str]]:
        """For each receipt key, the handlers that have finished its entry."""
        found = [await ask(self._client, "SMEMBERS", key) for key in keys]
        return [frozenset(name.decode() for name in names) for names in found]

    async def waiting(self) -> int:
        """Entries that the group has not been handed yet. Raises StoreError (`no_group`)."""
        groups = await ask(self._client, "XINFO GROUPS", self.key)
        found = next((group for group in groups if group["name"].decode() == self.group), None)
        if found is None:
            raise StoreError("no_group", f"stream {self.key} has no consumer group {self.group}")
        lag = found.get("lag")
        if lag == 0:
            return 0
        # Redis gives no lag after a deletion, and 7.0 and Valkey a wrong one after trimming: look, do not trust.
        newer = await ask(self._client, "XRANGE", self.key, "(" + found["last-delivered-id"].decode(), "+", "COUNT", 1)
        return int(lag or 1) if newer else 0

    async def pending(self) -> int:
        """Entries handed out and not acknowledged, at all consumers."""
        return int((await ask(self._client, "XPENDING", self.key, self.group))["pending"])


def _parts(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[at : at + IDS_PER_CALL] for at in range(0, len(ids), IDS_PER_CALL))


def _pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    if len(flat) == 2:  # the packed form
        return {flat[0]: flat[1]}
    return dict(zip(flat[::2], flat[1::2], strict=True))
