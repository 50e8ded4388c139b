"""Dead letters: events that ended without a delivery, kept to be looked at and replayed.

The stream `T:dead` is bounded by `dead.max_entries` (in the settling script) and `dead.max_age` (in the trimming one).
A replay takes the letter away and puts a carrier into the retry stream in one step.
"""

from collections.abc import AsyncIterator

from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from streamhooks.errors import StoreError, WireError
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record
from streamhooks.store.scripts import Script

_replay = Script("replay_letter")
PAGE = 500


class Letter(Struct, frozen=True):
    """One dead letter: its id in `T:dead`, and what is known of the event."""

    id: str
    record: Record


class DeadLetters:
    """The dead letters of one stream."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def count(self) -> int:
        return int(await ask(self._client, "XLEN", self._keys.dead))

    async def letters(self, since: str = "-", until: str = "+") -> AsyncIterator[Letter]:
        """Letters from the oldest to the newest; `since` and `until` are ids or milliseconds, both included."""
        while True:
            found = await ask(self._client, "XRANGE", self._keys.dead, since, until, "COUNT", PAGE)
            for id, fields in found:
                try:
                    yield Letter(id.decode(), Record.read(fields))
                except WireError:
                    yield Letter(id.decode(), Record(origin="", why="not written by this release of streamhooks"))
            if len(found) < PAGE:
                return
            since = "(" + found[-1][0].decode()

    async def find(self, id: str) -> Letter | None:
        """The letter of this id; also by the id of the event that it is about."""
        async for letter in self.letters(id, id):
            return letter
        async for letter in self.letters():
            if letter.record.origin == id:
                return letter
        return None

    async def replay(self, letter: Letter, run: str, *, force: bool = False) -> bool:
        """Puts the event back on its way, attempt 1, same `webhook-id`; False when the letter is gone already.

        `run` names this replay and must be new. Raises StoreError (`no_event`) for what was never an event.
        """
        old = letter.record
        if not old.event:
            raise StoreError(
                "no_event", f"dead letter {letter.id} was never an event ({old.reason}): it has no handler"
            )
        new = replace(
            old, owner=f"{old.origin}~{run}|{old.handler}", run=run, force=force, attempt=1, paused=0,
            why="replayed", reason="", status=0, answer=b"",
        )  # fmt: skip
        keys = [self._keys.dead, self._keys.retry, self._keys.totals]
        keys.append(self._keys.cool(old.handler, old.fingerprint))
        return bool(await _replay(self._client, keys, [letter.id, old.owner, *new.words()]))
