"""Paused handlers: what a lane knows of them, and the look that tells it.

A pause is noted in Redis and looked at every second, so it reaches every worker. A lane that was just answered 410 does
not wait for that: it holds at once, while the note is on its way.
"""

from collections.abc import Sequence

import structlog

from streamhooks.errors import StoreError
from streamhooks.flow.health import Health
from streamhooks.flow.telling import Telling
from streamhooks.store.pauses import Paused, Pauses

log = structlog.get_logger("streamhooks")
LOOK_EVERY = 1.0
GONE_PAUSE = 3600.0
"""Seconds that a handler is paused whose endpoint answers 410 Gone (docs/delivery.md)."""
ON_ITS_WAY = 10.0
"""Seconds that a lane holds on its own account; by then the note is seen, or it could not be written."""


class Standing:
    """Whether one handler may be sent to, as far as pauses go."""

    __slots__ = ("_gone_until", "_paused")

    def __init__(self) -> None:
        self._paused: dict[int, Paused] = {}
        self._gone_until = 0.0

    def __repr__(self) -> str:
        return f"<Standing {self.why or 'active'}>"

    @property
    def why(self) -> str:
        """Why the handler is paused; empty: it is not."""
        return next((paused.why or paused.kind for paused in self._paused.values()), "")

    @property
    def paused(self) -> bool:
        return bool(self._paused)

    def told(self, partition: int, paused: Paused | None) -> None:
        """What the look at one partition has found."""
        if paused is not None:
            self._paused[partition] = paused
            self._gone_until = 0.0
        else:
            self._paused.pop(partition, None)

    def gone(self, now: float) -> None:
        """The endpoint has just answered 410."""
        self._gone_until = now + ON_ITS_WAY

    def holds(self, owner: str, now: float) -> bool:
        """Whether this owner's request must be stored instead of sent; one that is the probe may go."""
        if not self._paused and now >= self._gone_until:
            return False
        return not self.is_probe(owner)

    def is_probe(self, owner: str) -> bool:
        return bool(self._paused) and any(paused.probe == owner for paused in self._paused.values())


class Pausing:
    """The pauses of one partition, between Redis and the lanes."""

    def __init__(self, partition: int, pauses: Pauses, health: Health) -> None:
        self._partition = partition
        self._pauses = pauses
        self._health = health

    async def look(self, standings: dict[str, Standing]) -> None:
        """Tells every standing how its handler stands. Raises StoreError."""
        found = {paused.handler: paused for paused in await self._pauses.attend()}
        for handler, standing in standings.items():
            standing.told(self._partition, found.get(handler))

    async def pause(self, handler: str, why: str) -> bool:
        """Whether it was not paused before."""
        try:
            return await self._pauses.pause(handler, "gone", why, GONE_PAUSE)
        except StoreError as error:
            self._health.failed(error)
            return False

    async def resume(self, handler: str) -> bool:
        """Whether it was paused because its endpoint was gone."""
        try:
            return await self._pauses.resume(handler, kind="gone")
        except StoreError as error:
            self._health.failed(error)
            return False


async def gone(partitions: Sequence[Pausing], handler: str, why: str, telling: Telling) -> None:
    """Pauses a handler whose endpoint says that it is gone for good, on all partitions, and tells of it once."""
    if any([await partition.pause(handler, why) for partition in partitions]):
        log.error("handler_paused", handler=handler, why=why, seconds=GONE_PAUSE,
                  effect="its events are stored; then one is tried",
                  way_out=f"streamhooks handlers resume {handler}")  # fmt: skip
        telling.tell("StreamhooksHandlerPaused", handler, why)


async def back(partitions: Sequence[Pausing], handler: str, telling: Telling) -> None:
    """Resumes a handler whose probe was delivered."""
    if any([await partition.resume(handler) for partition in partitions]):
        log.warning("handler_resumed", handler=handler, why="its probe was delivered")
        telling.tell("StreamhooksHandlerResumed", handler)
