"""Paused handlers: noted in the hash `T:handlers`, with what is held of them in `T:parked`.

A handler is paused by an operator, or because its endpoint answered 410 Gone. Its events are stored and keep their
attempts; `attend` lets them out again, a few at a time. Every worker looks every second, so that all of them know; the
scripts see to it that a thing is done once.
"""

from collections import Counter
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.connection import Word, ask
from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_pause = Script("pause")
_resume = Script("resume")
_attend = Script("attend")

Kind: TypeAlias = Literal["operator", "gone"]

HELD = 10**13
"""Milliseconds. A held record has this and the moment it was held for its time: the year 2286 and later."""
LOOKED_AT = 2000
"""Records in one look for one handler: 2 to 3 ms of the server's time at the worst."""
PROBE_AFTER = 60.0
"""Seconds until another probe, where the last one brought neither a 2xx nor a 410."""
RESUME_RATE = 100.0
"""Held records a second that are let out, where nobody says otherwise."""
_PAGE = 1000


class Paused(Struct, frozen=True):
    """One paused handler, as a worker is told of it."""

    handler: str
    kind: Kind
    why: str
    left: float | None
    """Seconds until the pause is over; None: when somebody resumes it."""
    probe: str
    """The owner whose request may be sent all the same."""


class Note(Struct, frozen=True):
    """What is noted of a handler, for people."""

    state: Literal["paused", "resuming"]
    kind: Kind
    why: str
    since: int
    """Milliseconds since 1970, by the clock of Redis."""
    until: int
    """The same; 0: until somebody resumes it."""
    rate: float = 0.0


class Pauses:
    """The paused handlers of one partition."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def pause(self, handler: str, kind: Kind, why: str, seconds: float = 0.0) -> bool:
        """Pauses for so many seconds, 0: until it is resumed. False where it was paused already. Raises StoreError."""
        words: list[Word] = [handler, int(seconds * 1000), kind, why]
        return int(await _pause(self._client, [self._keys.handlers], words)) == 1

    async def resume(self, handler: str, rate: float = RESUME_RATE, kind: Kind | None = None) -> bool:
        """Lets the handler go on, and what was held at `rate` a second. `kind`: only a pause of this kind.

        False where nothing was paused. Raises StoreError.
        """
        return bool(await _resume(self._client, [self._keys.handlers], [handler, rate, kind or ""]))

    async def attend(self) -> list[Paused]:
        """Moves on what is resumed or to be probed; gives the handlers that are paused. Raises StoreError."""
        keys = [self._keys.handlers, self._keys.parked, self._keys.parked_data]
        found = await _attend(self._client, keys, [LOOKED_AT, int(PROBE_AFTER * 1000), RESUME_RATE])
        return [
            Paused(id.decode(), kind.decode(), why.decode(), None if left < 0 else left / 1000, probe.decode())
            for id, kind, why, left, probe in found
        ]

    async def notes(self) -> dict[str, Note]:
        """What is noted, by handler. Raises StoreError."""
        found = await ask(self._client, "HGETALL", self._keys.handlers)
        return {id.decode(): msgspec.json.decode(note, type=Note) for id, note in found.items()}

    async def held(self) -> Counter[str]:
        """How many records are held, by handler. Looks at each: for people. Raises StoreError."""
        counts: Counter[str] = Counter()
        at = 0
        while True:
            page = await ask(
                self._client, "ZRANGE", self._keys.parked, HELD, "+inf", "BYSCORE", "LIMIT", at, _PAGE
            )  # fmt: skip
            counts.update(member.decode().rpartition("|")[2] for member in page)
            if len(page) < _PAGE:
                return counts
            at += _PAGE
