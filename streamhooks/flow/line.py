"""The line of one partition: its readers, its intake, its settling and its recovery, put together."""

from streamhooks.flow.gate import Gate
from streamhooks.flow.health import Health
from streamhooks.flow.intake import Intake
from streamhooks.flow.lanes import Lanes
from streamhooks.flow.noting import Noting
from streamhooks.flow.partition import Partition
from streamhooks.flow.pausing import Pausing
from streamhooks.flow.reading import Reading
from streamhooks.flow.recovery import SOURCES, Recovery
from streamhooks.flow.settling import Settling
from streamhooks.flow.table import Room, Table
from streamhooks.flow.telling import Telling
from streamhooks.flow.waiting import Waiting
from streamhooks.observe.figures import Figures
from streamhooks.observe.traces import Traces
from streamhooks.settings import Settings
from streamhooks.store.retention import TRIM_AT_ONCE
from streamhooks.store.settle import Source

WAKE_AT_ONCE = 100
LONGEST_NAP = 1.0
"""Seconds. A record that another process stores is due later than this at the soonest."""
SILENT = 3600.0
"""Seconds after which a peer with nothing pending is removed from the group."""

SHARES: dict[Source, int] = {"stream": 1, "retry": 4}
"""A read of the retry stream takes at most a quarter of a batch."""


class Line:
    """Everything that one partition's events pass through in this process."""

    def __init__(
        self,
        partition: Partition,
        *,
        settings: Settings,
        lanes: Lanes,
        room: Room,
        gate: Gate,
        health: Health,
        figures: Figures,
        noting: Noting,
        telling: Telling,
        traces: Traces | None,
    ) -> None:
        worker = settings.worker
        self._partition = partition
        self._lanes = lanes
        self.table = table = Table(room)
        self.health = health
        self._start = settings.stream.start
        self.next_wake = LONGEST_NAP
        """Seconds until the next stored record may be due."""
        self.settling = Settling(partition.number, partition.ledger, table, figures, health, noting, telling)
        self.intake = Intake(
            partition, lanes=lanes, table=table, settling=self.settling, health=health, figures=figures,
            max_event_bytes=worker.max_event_bytes, traces=traces,
        )  # fmt: skip
        self.recovery = Recovery(
            partition, intake=self.intake, lanes=lanes, table=table, room=room, gate=gate, health=health,
            figures=figures, telling=telling, lease=worker.lease, max_deliveries=worker.max_deliveries,
        )  # fmt: skip
        self.waiting = Waiting(self.intake, worker.lease)
        self.pausing = Pausing(partition.number, partition.pauses, health)
        self.readings = [
            Reading(
                source, partition.stream(source), intake=self.intake, room=room, gate=gate, health=health,
                figures=figures, batch=max(1, worker.batch // share), enough=max(1, worker.in_flight // 4),
                start=settings.stream.start if source == "stream" else "0",
            )
            for source, share in SHARES.items()
        ]  # fmt: skip

    async def ensure_groups(self) -> None:
        await self._partition.entries.ensure_group(self._start)
        await self._partition.retries.ensure_group("0")

    async def look_at_pauses(self) -> None:
        await self.pausing.look(self._lanes.standings)

    async def run_suspects(self) -> None:
        while await self.recovery.run_suspect():
            pass

    async def wake(self) -> None:
        """Puts on their way what is due, and notes when to look again."""
        while True:
            woken = await self._partition.parked.wake(WAKE_AT_ONCE)
            if woken.moved < WAKE_AT_ONCE:
                break
        soon = LONGEST_NAP if woken.next_in is None else woken.next_in
        self.next_wake = max(0.01, min(LONGEST_NAP, soon))

    async def tidy(self) -> None:
        """Retention, and consumers that are gone."""
        while await self._partition.retention.trim() >= TRIM_AT_ONCE:
            pass
        for source in SOURCES:
            await self._partition.stream(source).remove_silent(SILENT)

    async def idle(self) -> bool:
        """Nothing is unread, pending or stored. Raises StoreError."""
        return await self._partition.ledger.all_settled()

    async def hand_back(self) -> None:
        """Gives up every entry of which nothing was sent."""
        suspects = self.recovery.forget_suspects()
        for source in SOURCES:
            held = (carrier for carrier in self.table if carrier.source == source)
            unsent = [carrier for carrier in held if carrier.jobs and carrier.unsent]
            for carrier in unsent:
                self.table.lose(carrier)
            ids = [carrier.entry.id for carrier in unsent] + suspects[source]
            if ids:
                await self._partition.stream(source).hand_back(ids)

    async def leave(self) -> None:
        for source in SOURCES:
            await self._partition.stream(source).leave()
