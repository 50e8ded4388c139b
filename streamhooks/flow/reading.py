"""Reading: entries as there is room for them, and the group made again when it is lost.

The retry stream has a reader of its own with a smaller share of a read, so that a storm of retries cannot starve
fresh events. Reading stops while Redis refuses writes: what could not be stored must not be taken.
"""

import asyncio
import time

import structlog

from streamhooks.errors import StoreError
from streamhooks.flow.appetite import Appetite
from streamhooks.flow.gate import Gate
from streamhooks.flow.health import Health
from streamhooks.flow.intake import Intake
from streamhooks.flow.partition import BLOCK
from streamhooks.flow.table import Room
from streamhooks.observe.figures import Figures
from streamhooks.store.settle import Source
from streamhooks.store.stream import Stream

log = structlog.get_logger("streamhooks")
AGAIN = 0.25
"""Seconds between two tries while Redis does not answer."""
BUSY = 0.01
GATHER = 0.002
"""Seconds. Where entries come less than BUSY apart, those of GATHER are read together: a read, a claim and a settlement
each cost what sending ten events does. What comes rarely is read at once.
"""


class Reading:
    """The reader of one stream."""

    def __init__(
        self,
        source: Source,
        stream: Stream,
        *,
        intake: Intake,
        room: Room,
        gate: Gate,
        health: Health,
        figures: Figures,
        batch: int,
        enough: int,
        start: str,
    ) -> None:
        self._source = source
        self._stream = stream
        self._intake = intake
        self._room = room
        self._gate = gate
        self._health = health
        self._figures = figures
        self._batch = batch
        self._appetite = Appetite(batch)
        self._enough = enough
        self._start = start
        self._read_at = 0.0
        self.done = False
        """It has returned: nothing more comes from here."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Reads until told to stop; returns between two reads, so that no reply is lost."""
        while not stopping.is_set():
            try:
                await self._turn(stopping)
            except StoreError as error:
                await self._mend(error)
            except Exception:
                # A bug must not end the reading for good; what was read and not taken in is handed out again.
                log.exception("reading_failed", stream=self._stream.key, effect="goes on")
                await asyncio.sleep(AGAIN)
        self.done = True

    async def _turn(self, stopping: asyncio.Event) -> None:
        await self._gate.passed()
        if self._health.refusing:
            await asyncio.sleep(AGAIN)
            await self._intake.probe()
            return
        # Small reads cost as much as large ones: wait until a quarter of the room is free.
        if self._room.free < min(self._enough, self._batch):
            await self._room.changed(AGAIN)
            return
        most = min(self._appetite.count, self._room.free)
        entries = await self._stream.read(most, BLOCK)
        self._health.answered()
        if not entries:
            return
        busy = time.monotonic() < self._read_at + BUSY
        self._read_at = time.monotonic()
        self._appetite.had(entries)
        self._figures.entries_read += len(entries)
        await self._gate.passed()
        if stopping.is_set():
            await self._stream.hand_back([entry.id for entry in entries])
            return
        await self._intake.admit(self._source, entries)
        if busy and len(entries) < most:
            await asyncio.sleep(GATHER)

    async def _mend(self, error: StoreError) -> None:
        if error.kind != "no_group":
            self._health.failed(error)
            await asyncio.sleep(AGAIN)
            return
        try:
            if await self._stream.ensure_group(self._start, lost=True):
                log.warning("group_made_again", stream=self._stream.key, group=self._stream.group, why=error.message)
        except StoreError as again:
            self._health.failed(again)
            await asyncio.sleep(AGAIN)
