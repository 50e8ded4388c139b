"""History: what the stream still holds of events that have ended, fired again as carriers of the retry stream.

An entry is history once the group was handed it and nobody has it pending any more. It never becomes pending again, so
what was found to be history still is when it is fired; everything else is left to its own delivery. An entry that came
before a new group began was never handed out and never will be: it is history too.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.errors import StoreError
from streamhooks.model import Entry, Event
from streamhooks.store.connection import Word, ask, translated
from streamhooks.store.ids import last_id, order
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record
from streamhooks.store.scripts import Script, calls

_replay = Script("replay_history")
PAGE = 100
"""Entries in one answer, as in dead.py."""


class Past(Struct, frozen=True, gc=False):
    """One entry of the stream."""

    entry: Entry
    ended: bool
    """Handed to the group and pending at nobody: history. Else its own delivery is still to end."""


class History:
    """The history of one stream, as one group has it."""

    def __init__(self, client: Redis, keys: Keys, group: str) -> None:
        self._client = client
        self._keys = keys
        self._group = group

    async def entries(self, since: str = "-", until: str = "+") -> AsyncIterator[Past]:
        """Entries from the oldest to the newest that is there when it begins; `since` and `until` as XRANGE has them.

        Raises StoreError; a stream that is not there is empty, and where there is no group nothing has ended.
        """
        until = min(until, await last_id(self._client, self._keys.stream), key=lambda id: order(id, last=True))
        handed = order(await self._handed())
        while True:
            found = await ask(self._client, "XRANGE", self._keys.stream, since, until, "COUNT", PAGE)
            pending = await self._pending(found[0][0], found[-1][0]) if found and handed > (0, 0) else frozenset()
            for id, fields in found:
                yield Past(Entry(id.decode(), fields), order(id.decode()) <= handed and id not in pending)
            if len(found) < PAGE:
                return
            since = "(" + found[-1][0].decode()

    async def replay(self, records: Sequence[Record]) -> int:
        """Puts records on their way; how many. Raises StoreError: then some of them may be on their way."""
        added = 0
        for part in calls(records, lambda record: len(record.event)):
            words: list[Word] = []
            for record in part:
                own = record.words()
                words += (len(own), *own)
            added += int(await _replay(self._client, [self._keys.retry, self._keys.totals], words))
        return added

    async def _handed(self) -> str:
        """The newest entry that the group was handed."""
        try:
            groups = await ask(self._client, "XINFO GROUPS", self._keys.stream)
        except StoreError as error:
            if error.kind == "no_group":
                return "0-0"
            raise
        own = (group["last-delivered-id"] for group in groups if group["name"].decode() == self._group)
        return next((id.decode() for id in own), "0-0")

    async def _pending(self, first: bytes, last: bytes) -> frozenset[bytes]:
        """What is pending of a page; of deleted entries, too, so that there may be more than the page has."""
        pending: set[bytes] = set()
        since = first.decode()
        while True:
            with translated():
                found: Any = await self._client.xpending_range(self._keys.stream, self._group, since, last, PAGE)
            pending.update(one["message_id"] for one in found)
            if len(found) < PAGE:
                return frozenset(pending)
            since = "(" + found[-1]["message_id"].decode()


def records(event: Event, handlers: Sequence[str], run: str, *, force: bool = False) -> list[Record]:
    """What fires a past event again, for each handler: attempt 1 of a new owner, with a new `webhook-id`.

    `run` names the replay and must be new.
    """
    packed = wire.pack_event(event)
    return [
        Record(
            origin=event.id, handler=handler, owner=f"{event.id}~{run}|{handler}", type=event.type, event=packed,
            run=run, id_run=run, force=force, why="replayed",
        )
        for handler in handlers
    ]  # fmt: skip
