"""Every trace that one event has left in Redis, as plain facts; what they mean is said in flow/story. Reads only.

The questions are asked one after the other, along the way of an event, so that one that moves meanwhile is met twice
rather than not at all: flow/story believes the later place.
"""

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias, cast

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.errors import StoreError, WireError
from streamhooks.model import Entry
from streamhooks.store.clock import now
from streamhooks.store.connection import ask
from streamhooks.store.dead import DeadLetters, Letter
from streamhooks.store.ids import order
from streamhooks.store.journal import Journal, Written
from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked, Stored
from streamhooks.store.pauses import Note, Pauses
from streamhooks.store.record import Record
from streamhooks.store.status import Consumer, PendingEntry, consumers, holder

MarkState: TypeAlias = Literal["c", "r", "d", "x"]
SLACK = 3_600_000
"""Milliseconds. Ids that a gateway gives may be of a clock that is ahead of Redis's."""
COUNTED = 1000
"""Entries before one that is not read yet are counted up to so many."""
_MARK = re.compile(r"([crdx])\|(.*)\|(\d+)", re.DOTALL)
PAGE = 100
"""Entries in one answer, as in dead.py."""


class Extent(Struct, frozen=True):
    """From where to where a stream goes."""

    exists: bool = False
    first: str = ""
    """The oldest entry that is kept; empty: none is."""
    newest: str = "0-0"
    """The id that was given last."""
    whole: bool = True
    """Nothing has ever gone from it."""


class Carried(Struct, frozen=True):
    """One entry of the retry stream."""

    id: str
    record: Record
    holder: PendingEntry | None
    """None: it waits to be read."""


class Life(Struct, frozen=True, kw_only=True):
    """The traces of one event in one partition."""

    id: str
    keys: Keys
    now: int
    """Milliseconds since 1970, by the clock of Redis, as all times here."""
    extent: Extent
    journal: Extent
    entry: Entry | None
    """None: the stream does not hold it."""
    handed: str | None
    """The newest entry that the group was handed; None: there is no group."""
    before: int = 0
    """Entries that are to be read before it, counted up to COUNTED."""
    holder: PendingEntry | None = None
    receipts: frozenset[str] = frozenset()
    stored: tuple[Stored, ...] = ()
    carried: tuple[Carried, ...] = ()
    letters: tuple[Letter, ...] = ()
    notes: tuple[Written, ...] = ()
    pauses: Mapping[str, Note] = {}
    consumers: tuple[Consumer, ...] = ()

    @property
    def added(self) -> int:
        """When it was added, by its id."""
        return int(self.id.partition("-")[0])

    @property
    def unread(self) -> bool:
        """The group has not been handed it."""
        return self.handed is None or order(self.id) > order(self.handed)

    @property
    def traced(self) -> bool:
        """Whether anything is known of it."""
        return bool(self.entry or self.holder or self.stored or self.carried or self.letters or self.notes)


class Mark(Struct, frozen=True):
    """What a cool-down says, see claims.py."""

    state: MarkState
    """`c` in flight, `r` stored for retry, `d` delivered, `x` dead-lettered."""
    owner: str
    stamp: int
    """Of `r`: when it is due."""
    left: int
    """Milliseconds until the key is gone."""


async def life(client: Redis, keys: Keys, group: str, id: str) -> Life:
    """Raises StoreError."""
    moment = await now(client, keys)
    since = str(max(0, min(moment, int(id.partition("-")[0])) - SLACK))
    handed = await _handed(client, keys, group)
    found = await _entries(client, keys.stream, id, id)
    unread = bool(found) and (handed is None or order(id) > order(handed))
    return Life(
        id=id,
        keys=keys,
        now=moment,
        extent=await extent(client, keys.stream),
        entry=found[0] if found else None,
        handed=handed,
        before=await _between(client, keys.stream, handed or "0-0", id) if unread else 0,
        holder=await holder(client, keys, group, "stream", id),
        receipts=frozenset(name.decode() for name in await ask(client, "SMEMBERS", keys.done(id))),
        stored=tuple(await Parked(client, keys).of(id)),
        carried=tuple(await _carried(client, keys, group, id, since)),
        letters=tuple([one async for one in DeadLetters(client, keys).letters(since) if one.record.origin == id]),
        pauses=await Pauses(client, keys).notes(),
        consumers=await consumers(client, keys, group) or (),
        # The last, for what they tell is done.
        notes=tuple(await Journal(client, keys).of(id, since)),
        journal=await extent(client, keys.journal),
    )


async def extent(client: Redis, key: str) -> Extent:
    """Raises StoreError; a stream that is not there has no extent."""
    try:
        known = await ask(client, "XINFO STREAM", key)
    except StoreError as error:
        if error.kind == "no_group":  # no such key
            return Extent()
        raise
    first = known["first-entry"]
    return Extent(
        exists=True,
        first=first[0].decode() if first else "",
        newest=known["last-generated-id"].decode(),
        whole=known["entries-added"] == known["length"],
    )


async def mark(client: Redis, keys: Keys, handler: str, fingerprint: str) -> Mark | None:
    """None: no cool-down is kept. Raises StoreError."""
    key = keys.cool(handler, fingerprint)
    value = await ask(client, "GET", key)
    if value is None:
        return None
    found = _MARK.fullmatch(value.decode(errors="replace"))
    if found is None:  # not ours: lua/claim.lua passes it over too
        return None
    return Mark(cast("MarkState", found[1]), found[2], int(found[3]), max(0, await ask(client, "PTTL", key)))


async def _handed(client: Redis, keys: Keys, group: str) -> str | None:
    try:
        groups = await ask(client, "XINFO GROUPS", keys.stream)
    except StoreError as error:
        if error.kind == "no_group":
            return None
        raise
    own = (one["last-delivered-id"].decode() for one in groups if one["name"].decode() == group)
    return next(own, None)


async def _entries(client: Redis, key: str, since: str, until: str) -> list[Entry]:
    found = await ask(client, "XRANGE", key, since, until, "COUNT", PAGE)
    return [Entry(id.decode(), fields) for id, fields in found]


async def _between(client: Redis, key: str, after: str, id: str) -> int:
    """How many entries lie between two ids; COUNTED for more."""
    count = 0
    while count < COUNTED:
        page = await _entries(client, key, f"({after}", f"({id}")
        count += len(page)
        if len(page) < PAGE:
            return count
        after = page[-1].id
    return COUNTED


async def _carried(client: Redis, keys: Keys, group: str, id: str, since: str) -> list[Carried]:
    found = []
    while True:
        page = await _entries(client, keys.retry, since, "+")
        for entry in page:
            if entry.fields.get(b"origin") == id.encode():
                held = await holder(client, keys, group, "retry", entry.id)
                found.append(Carried(entry.id, _record(entry, id), held))
        if len(page) < PAGE:
            return found
        since = f"({page[-1].id}"


def _record(entry: Entry, origin: str) -> Record:
    try:
        return Record.read(entry.fields)
    except WireError:
        handler = entry.fields.get(b"handler", b"").decode(errors="replace")
        return Record(origin=origin, handler=handler, why="not written by this release")
