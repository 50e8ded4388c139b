"""The journal: what became of events, for people who ask why one did or did not arrive.

The stream `T:journal` is bounded by `worker.journal_entries` and written by lua/settle.lua in the step that settles, so
that a note never tells what did not happen. Each record is one JSON object, the note, in the field `n`: a person reads
it with redis-cli as it stands.
"""

from collections.abc import AsyncIterator
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys

VERSION = 1
PAGE = 500

What: TypeAlias = Literal["delivered", "suppressed", "retry", "dead", "unmatched"]


class Note(Struct, frozen=True, gc=False, omit_defaults=True):
    """What became of one event at one handler, or of an attempt. Holds no payload; of an answer the first 200 bytes."""

    entry: str
    """The entry that first carried the event."""
    what: What
    worker: str
    """The consumer that settled it."""
    handler: str = ""
    type: str = ""
    api: str = ""
    attempt: int = 0
    """The number of the attempt; what was not sent bears that of the attempt to come."""
    sent: bool = False
    why: str = ""
    reason: str = ""
    """Of a dead letter."""
    by: str = ""
    """Suppressed: the owner of the request that stands for this one, or `tyk`."""
    status: int = 0
    failure: str = ""
    """The kind of failure, where there was no answer."""
    ms: int = 0
    """How long the attempt took."""
    answer: str = ""
    """The beginning of the answer's body, credentials of the event masked."""
    again: float = 0.0
    """Retry: seconds until it is due; below 0: when its handler is resumed."""
    waited: int = 0
    """Milliseconds from reading to settling."""
    run: str = ""
    """Names the replay that it is of."""
    told: int = 0
    """How many held-back duplicates the request told of."""


class Written(Struct, frozen=True):
    """A note and when it was written, by the clock of Redis."""

    id: str
    note: Note

    @property
    def at(self) -> int:
        """Milliseconds since 1970."""
        return int(self.id.partition("-")[0])


class Journal:
    """The journal of one stream."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def notes(self, since: str = "-", until: str = "+") -> AsyncIterator[Written]:
        """Notes from the oldest to the newest; `since` and `until` are ids or milliseconds. Raises StoreError."""
        while True:
            page = await ask(self._client, "XRANGE", self._keys.journal, since, until, "COUNT", PAGE)
            for written in _read(page):
                yield written
            if len(page) < PAGE:
                return
            since = "(" + page[-1][0].decode()

    async def of(self, entry: str, since: str = "-") -> list[Written]:
        """The notes of one event, oldest first, looked for from `since` on. Raises StoreError."""
        named = entry.encode()
        found: list[Written] = []
        while True:
            page = await ask(self._client, "XRANGE", self._keys.journal, since, "+", "COUNT", PAGE)
            # Decoding is most of the work, and a journal of 100,000 notes has a few that matter.
            found += _read([(id, fields) for id, fields in page if named in fields.get(b"n", b"")])
            if len(page) < PAGE:
                return [written for written in found if written.note.entry == entry]
            since = "(" + page[-1][0].decode()

    async def after(self, id: str, wait: float) -> tuple[str, list[Written]]:
        """What was written after this id ("$": from now on), waiting `wait` seconds for the first, and where to go on.

        0 does not wait. Raises StoreError. The client must wait longer than that for an answer.
        """
        if id == "$":
            newest = await ask(self._client, "XREVRANGE", self._keys.journal, "+", "-", "COUNT", 1)
            id = newest[0][0].decode() if newest else "0-0"
        waiting = ("BLOCK", max(1, int(wait * 1000))) if wait else ()
        reply = await ask(self._client, "XREAD", "COUNT", PAGE, *waiting, "STREAMS", self._keys.journal, id)
        found = [entry for _, entries in reply or () for entry in entries]
        return (found[-1][0].decode() if found else id), list(_read(found))

    async def oldest(self) -> int | None:
        """Milliseconds of the oldest note; None: there is none. Raises StoreError."""
        first = await ask(self._client, "XRANGE", self._keys.journal, "-", "+", "COUNT", 1)
        return int(first[0][0].partition(b"-")[0]) if first else None


def packed(note: Note) -> bytes:
    """The note as the script is given it."""
    return msgspec.json.encode(note)


def _read(entries: list[tuple[bytes, dict[bytes, bytes]]]) -> list[Written]:
    """Records of another version, and what somebody else wrote, are passed over: the journal is for reading only."""
    written = []
    for id, fields in entries:
        if fields.get(b"v") != b"1":
            continue
        try:
            note = msgspec.json.decode(fields.get(b"n", b""), type=Note)
        except msgspec.DecodeError:
            continue
        if fields.get(b"ended") == b"overflow":
            said = "too many retries are stored already: worker.max_parked"
            note = msgspec.structs.replace(note, what="dead", reason="overflow", why=said)
        written.append(Written(id.decode(), note))
    return written
