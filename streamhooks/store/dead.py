"""Dead letters: events that ended without a delivery, kept to be looked at and replayed.

The stream `T:dead` is bounded by `dead.max_entries` (in the settling script) and `dead.max_age` (in the trimming one).
A replay takes letters away and puts carriers into the retry stream in one step.
"""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from streamhooks.errors import StoreError, WireError
from streamhooks.store.connection import Word, ask
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record
from streamhooks.store.scripts import Script, calls

_replay = Script("replay_letters")
PAGE = 100
"""Letters in one answer: 51 MiB where each event is as large as may be, some 100 KiB as they are."""


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
                yield _letter(id, fields)
            if len(found) < PAGE:
                return
            since = "(" + found[-1][0].decode()

    async def newest(self, until: str = "+", since: str = "-") -> AsyncIterator[Letter]:
        """The same letters from the newest to the oldest."""
        while True:
            found = await ask(self._client, "XREVRANGE", self._keys.dead, until, since, "COUNT", PAGE)
            for id, fields in found:
                yield _letter(id, fields)
            if len(found) < PAGE:
                return
            until = "(" + found[-1][0].decode()

    async def find(self, id: str) -> Letter | None:
        """The letter of this id; also by the id of the event that it is about."""
        async for letter in self.letters(id, id):
            return letter
        async for letter in self.letters():
            if letter.record.origin == id:
                return letter
        return None

    async def replay(self, letters: Sequence[Letter], *, force: bool = False) -> list[str]:
        """Puts events back on their way, attempt 1, same `webhook-id`; the ids of the letters that were still there.

        Each letter is a run of its own, named by its id: a letter is replayed once, and two of one event and handler
        must not share an owner. Raises StoreError; `no_event`, with nothing done, for what was never an event.
        """
        for letter in letters:
            if not letter.record.event:
                said = f"dead letter {letter.id} was never an event ({letter.record.reason}): it has no handler"
                raise StoreError("no_event", said)
        replayed: list[str] = []
        for part in calls(letters, lambda letter: len(letter.record.event)):
            names = [self._keys.dead, self._keys.retry, self._keys.totals]
            words: list[Word] = []
            for letter in part:
                names.append(self._keys.cool(letter.record.handler, letter.record.fingerprint))
                record = _revived(letter, force=force).words()
                words += (letter.id, letter.record.owner, len(record), *record)
            replayed += [id.decode() for id in await _replay(self._client, names, words)]
        return replayed


def _letter(id: bytes, fields: dict[bytes, bytes]) -> Letter:
    try:
        return Letter(id.decode(), Record.read(fields))
    except WireError:
        return Letter(id.decode(), Record(origin="", why="not written by this release of streamhooks"))


def _revived(letter: Letter, *, force: bool) -> Record:
    old = letter.record
    return replace(
        old, owner=f"{old.origin}~{letter.id}|{old.handler}", run=letter.id, force=force, attempt=1, paused=0,
        why="replayed", reason="", status=0, answer=b"",
    )  # fmt: skip
