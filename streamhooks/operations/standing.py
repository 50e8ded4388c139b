"""How handlers stand over all partitions: active, paused, being resumed; and how they are paused and resumed."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.settings import Settings
from streamhooks.settings.duration import DurationError, seconds
from streamhooks.settings.rules import RATE, RefusedError
from streamhooks.store.keys import partitions
from streamhooks.store.pauses import RESUME_RATE, Note, Pauses

LONGEST = 366 * 86400


class State(Struct, frozen=True):
    """One handler over all partitions."""

    id: str
    configured: bool
    note: Note | None
    held: int

    def told(self) -> dict[str, Any]:
        note = self.note
        return {
            "id": self.id,
            "state": note.state if note else "active",
            "configured": self.configured,
            "kind": note.kind if note else None,
            "why": note.why if note else None,
            "since": note.since if note else None,
            "until": (note.until or None) if note else None,
            "held": self.held,
        }


class Standings:
    """The handlers of one configuration and those that are only noted or held any more."""

    def __init__(self, client: Redis, settings: Settings, configured: Sequence[str]) -> None:
        self._configured = configured
        places = partitions(settings.stream.key, settings.stream.partitions)
        self._rooms = [Pauses(client, keys) for keys in places]

    async def states(self) -> dict[str, State]:
        """By id, those of the configuration first. Looks at every held record: for people. Raises StoreError."""
        notes: dict[str, Note] = {}
        held: Counter[str] = Counter()
        for room in self._rooms:
            notes = await room.notes() | notes
            held += await room.held()
        ids = dict.fromkeys((*self._configured, *sorted(notes), *sorted(held)))
        known = frozenset(self._configured)
        return {id: State(id, id in known, notes.get(id), held[id]) for id in ids}

    async def notes(self) -> dict[str, Note]:
        """What is noted, by handler. Raises StoreError."""
        notes: dict[str, Note] = {}
        for room in self._rooms:
            notes = await room.notes() | notes
        return notes

    async def pause(self, id: str, why: str, length: float) -> bool:
        """For so many seconds, 0: until it is resumed. False where it was paused already. Raises StoreError."""
        return any([await room.pause(id, "operator", why, length) for room in self._rooms])

    async def resume(self, id: str, rate: float) -> None:
        """What is held follows at `rate` a second and partition. Raises StoreError."""
        for room in self._rooms:
            await room.resume(id, rate)


def pause_length(text: str) -> float:
    """Seconds. Raises RefusedError."""
    try:
        length = seconds(text)
    except DurationError:
        length = 0.0
    if not 1 <= length <= LONGEST:
        raise RefusedError('must be a duration from 1s to 366d, such as "30m" or "1h"')
    return length


def resume_rate(text: str) -> float:
    """Records a second; RESUME_RATE where nothing is said. Raises RefusedError."""
    return float(RATE.check(text)) or RESUME_RATE
