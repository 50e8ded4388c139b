"""Keeping what is ours, and taking over what is nobody's.

The heartbeat keeps every entry of the table pending at us, and our claims alive. The sweep takes over entries whose
worker has been silent for a lease, following its cursor. What was handed out to us and never arrived (a lost reply) is
found by the same means, earlier. An entry at its third delivery is a suspect: it may have killed two workers, so it
runs alone, and after `max_deliveries` it is a dead letter. Its neighbours are counted only when they start, see
lua/take.lua.
"""

import time
from collections import deque
from collections.abc import Iterable

import structlog

from streamhooks.flow.carrier import IN_ROOM, Carrier, Job
from streamhooks.flow.gate import Gate
from streamhooks.flow.health import Health
from streamhooks.flow.intake import Intake
from streamhooks.flow.lanes import Lanes
from streamhooks.flow.partition import Partition
from streamhooks.flow.table import Room, Table
from streamhooks.flow.telling import Telling
from streamhooks.model import Entry
from streamhooks.observe.figures import Figures
from streamhooks.store.settle import Source
from streamhooks.store.stream import Taken

log = structlog.get_logger("streamhooks")
BEATS_PER_LEASE = 4
"""A lease must outlast three missed heartbeats and a stalled loop."""
SWEEP_EVERY = 5.0
AT_ONCE = 100
ALONE = 1.0
"""Seconds that others wait for a suspect: one that kills its worker does so at once; one that waits for a slow
endpoint must not hold up the rest."""
SOURCES: tuple[Source, ...] = ("stream", "retry")


class Recovery:
    """Heartbeat, sweep and suspects of one partition."""

    def __init__(
        self,
        partition: Partition,
        *,
        intake: Intake,
        lanes: Lanes,
        table: Table,
        room: Room,
        gate: Gate,
        health: Health,
        figures: Figures,
        telling: Telling,
        lease: float,
        max_deliveries: int,
    ) -> None:
        self._partition = partition
        self._intake = intake
        self._lanes = lanes
        self._table = table
        self._room = room
        self._gate = gate
        self._health = health
        self._figures = figures
        self._telling = telling
        self._lease = lease
        self._max_deliveries = max_deliveries
        self._cursors: dict[Source, str] = dict.fromkeys(SOURCES, "0-0")
        self._suspects: deque[tuple[Source, Entry]] = deque()
        self._suspected: set[tuple[Source, str]] = set()

    async def beat(self) -> None:
        """Keeps what is in the table, finds what was lost, takes up what never arrived."""
        now = time.monotonic()
        carriers = {source: [c for c in self._table if c.source == source] for source in SOURCES}
        for source, held in carriers.items():
            ids = [c.entry.id for c in held] + [entry.id for at, entry in self._suspects if at == source]
            gone = set(await self._partition.stream(source).keep(ids)) if ids else set()
            for carrier in held:
                if carrier.entry.id in gone:
                    self._table.lose(carrier)
            self._forget_suspects(source, gone)
            await self._recover_own(source)
        held_claims = (job for held in carriers.values() for job in _in_room(held) if self._may_extend(job, now))
        await self._partition.claims.extend([job.claim for job in held_claims if job.claim is not None])
        await self._partition.entries.be_heard()
        self._health.answered()

    async def sweep(self) -> None:
        """Takes over what a silent worker left, as far as there is room."""
        for source in SOURCES:
            stream = self._partition.stream(source)
            while (most := min(AT_ONCE, self._room.free)) > 0:
                taken = await stream.take(self._cursors[source], self._lease, most)
                self._health.answered()
                self._cursors[source] = taken.cursor
                await self._accept(source, taken)
                if taken.cursor == "0-0":
                    break
        self._tell_of_lost("stream", await self._partition.entries.count_unread())

    async def run_suspect(self) -> bool:
        """Runs the oldest suspect by itself; False when there is none."""
        if not self._suspects:
            return False
        source, entry = self._suspects.popleft()
        self._suspected.discard((source, entry.id))
        stream = self._partition.stream(source)
        if entry.deliveries > self._max_deliveries:
            self._intake.crash_looping(source, entry)
            return True
        async with self._gate.alone(self._room, ALONE):
            if await stream.begin(entry.id):
                await self._intake.admit(source, [entry])
        return True

    def forget_suspects(self) -> dict[Source, list[str]]:
        """Gives up what was not started; for the hand-back."""
        left: dict[Source, list[str]] = {source: [] for source in SOURCES}
        for source, entry in self._suspects:
            left[source].append(entry.id)
        self._suspects.clear()
        self._suspected.clear()
        return left

    async def _recover_own(self, source: Source) -> None:
        """Half a lease: longer than a reply can be under way, shorter than what a peer waits."""
        await self._accept(source, await self._partition.stream(source).recover_own(self._lease / 2, AT_ONCE))

    async def _accept(self, source: Source, taken: Taken) -> None:
        self._tell_of_lost(source, taken.deleted)
        fresh: list[Entry] = []
        for entry in taken.entries:
            key = (source, entry.id)
            if key in self._table or key in self._suspected:
                continue
            self._figures.redeliveries += 1
            if entry.deliveries > 2:
                self._suspects.append((source, entry))
                self._suspected.add(key)
            else:
                fresh.append(entry)
        if fresh:
            await self._intake.admit(source, fresh)

    def _tell_of_lost(self, source: Source, count: int) -> None:
        """Somebody has deleted entries before they were acknowledged."""
        if count:
            log.error("entries_lost_trimmed", count=count, stream=self._partition.stream(source).key,
                      way_out="let nobody else trim the stream: no MAXLEN on XADD")  # fmt: skip
            self._telling.tell("StreamhooksEntriesLost", Count=count)

    def _forget_suspects(self, source: Source, gone: set[str]) -> None:
        if gone:
            self._suspects = deque((at, e) for at, e in self._suspects if at != source or e.id not in gone)
            self._suspected = {(at, e.id) for at, e in self._suspects}

    def _may_extend(self, job: Job, now: float) -> bool:
        """At most for the timeout and a lease from the start: a job that hangs must not hold its duplicates up."""
        lane = self._lanes.get(job.handler)
        limit = self._lease + (lane.handler.timeout if lane else 0.0)
        return job.state == "queued" or now - job.started < limit


def _in_room(carriers: Iterable[Carrier]) -> list[Job]:
    return [job for carrier in carriers for job in carrier.jobs if job.state in IN_ROOM]
