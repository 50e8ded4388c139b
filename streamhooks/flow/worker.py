"""The worker: its loops and their lifetimes, nothing else.

Ready when entered: `async with Worker(...)` returns once Redis was reached and the groups exist; leaving it is a clean
stop. The order of a stop: start nothing new; hand back what was not sent, so that a peer has it at once; let what is
being sent finish and be stored, up to the deadline; leave the group. What is still being sent then stays pending.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from types import TracebackType

import structlog
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.flow import keeping, leftovers, pausing, snapshots
from streamhooks.flow.gate import Gate
from streamhooks.flow.health import Health, Outages
from streamhooks.flow.lanes import Lanes
from streamhooks.flow.line import Line
from streamhooks.flow.noting import Noting
from streamhooks.flow.partition import open_partitions
from streamhooks.flow.patience import within
from streamhooks.flow.recovery import BEATS_PER_LEASE, SWEEP_EVERY
from streamhooks.flow.runners import Runners
from streamhooks.flow.table import Room
from streamhooks.flow.telling import Telling
from streamhooks.flow.waiting import LOOK_EVERY
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.model import Dead, Delivered, Event
from streamhooks.observe.figures import Figures, Tell
from streamhooks.observe.problems import write_log
from streamhooks.observe.traces import Traces
from streamhooks.sender import Sender
from streamhooks.settings import Settings
from streamhooks.store.cluster import Cluster
from streamhooks.store.connection import connect
from streamhooks.store.fitness import admitted
from streamhooks.store.rate import Rates
from streamhooks.store.snapshots import forget, save

log = structlog.get_logger("streamhooks")
AGAIN = 1.0
"""Seconds between two tries to reach Redis at the start."""
TRIM_EVERY = 60.0
HAND_BACK_PATIENCE = 5.0
"""Seconds that a stop waits for Redis; what it could not be told, a peer finds out after the lease."""


class Worker:
    """One consumer of the group at work."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        *,
        sender: Sender,
        consumer: str,
        rng: random.Random,
        tell: Tell = write_log,
        traces: Traces | None = None,
    ) -> None:
        self.settings = settings
        self.consumer = consumer
        self.health = Outages(lambda why: self._telling.tell("StreamhooksReaderStopped", why=why))
        self.figures = Figures(tell)
        self.stopping = asyncio.Event()
        self.reached = False
        """Redis was reached and the groups exist."""
        self.room = Room(settings.worker.in_flight)
        self._rng = rng
        self._readers: list[Redis] = []
        self.client = connect(settings.redis, connections=8 * settings.stream.partitions)
        self.partitions = open_partitions(self.client, self._readers, settings, consumer)
        healths = self._healths()
        self.keeping = keeping.Keeping(self.client)
        self._snapshots = snapshots.Snapshots(consumer)
        self._sending = Runners()
        self._loops = Runners()
        gate = Gate()
        self._telling = Telling(self.client, self.partitions[0].keys, wanted=self._fires, spawn=self._loops.spawn)
        noting = Noting(settings.worker.journal, consumer)
        self.lanes = Lanes(
            catalogue,
            partitions=len(self.partitions),
            sender=sender,
            spawn=self._sending.spawn,
            queue=max(1, settings.worker.in_flight // 4),
            figures=self.figures,
            rng=rng,
            rates=Rates(self.client, self.partitions[0].keys),
            health=healths[0],  # of the partition that keeps the rates
            said=self._said,
            telling=self._telling,
        )
        self.lines = [
            Line(
                partition,
                settings=settings,
                lanes=self.lanes,
                room=self.room,
                gate=gate,
                health=health,
                figures=self.figures,
                noting=noting,
                telling=self._telling,
                traces=traces,
            )
            for partition, health in zip(self.partitions, healths, strict=True)
        ]

    def _healths(self) -> list[Health]:
        """Of a cluster's nodes one may be away, and the partitions of the others go on."""
        if isinstance(self.client, Cluster):
            return [self.health.server() for _ in self.partitions]
        return [self.health.server()] * len(self.partitions)

    async def __aenter__(self) -> "Worker":
        try:
            await self._reach_redis()
        except StoreError:
            await self._close_clients()
            raise
        for line in self.lines:
            self._begin(line)
        self._loops.spawn(self._every(snapshots.EVERY, self._tell_of_itself, self.lines[0].health))
        self._loops.spawn(self._every(keeping.LOOK_EVERY, self.keeping.look, self.lines[0].health))
        self._loops.spawn(self._every(leftovers.LOOK_EVERY, self._tell_of_leftovers, self.lines[0].health))
        return self

    def _begin(self, line: Line) -> None:
        lease = self.settings.worker.lease
        for reading in line.readings:
            self._loops.spawn(reading.run(self.stopping))
        self._loops.spawn(line.settling.run())
        for seconds, act in (
            (lease / BEATS_PER_LEASE, line.recovery.beat),
            (min(SWEEP_EVERY, lease), line.recovery.sweep),
            (LOOK_EVERY, line.waiting.look),
            (pausing.LOOK_EVERY, line.look_at_pauses),
            (LOOK_EVERY, line.run_suspects),
            (TRIM_EVERY, line.tidy),
        ):
            self._loops.spawn(self._every(seconds, act, line.health))
        self._loops.spawn(self._wake(line))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def held(self) -> int:
        """Entries that this process has in hand."""
        return sum(len(line.table) for line in self.lines)

    async def idle(self) -> bool:
        """Nothing waits, is pending, parked or under way."""
        if self.held:
            return False
        try:
            return all([await line.idle() for line in self.lines])
        except StoreError as error:
            self.lines[0].health.failed(error)
            return False

    def _fires(self, event: Event) -> bool:
        return self.lanes.fires(event)

    def _said(self, handler: str, outcome: Delivered | Dead) -> None:
        """An endpoint has said that it is gone, or that it is back."""
        partitions = [line.pausing for line in self.lines]
        if isinstance(outcome, Dead):
            self._loops.spawn(pausing.gone(partitions, handler, outcome.why, self._telling))
        else:
            self._loops.spawn(pausing.back(partitions, handler, self._telling))

    async def _reach_redis(self) -> None:
        reaching = self.health.server()
        while not self.stopping.is_set():
            try:
                version = await admitted(self.client)
                for line in self.lines:
                    await line.ensure_groups()
                    await line.look_at_pauses()
            except StoreError as error:
                if error.kind not in ("away", "refusing"):
                    raise
                reaching.failed(error)
                await within(self.stopping.wait(), AGAIN)
            else:
                reaching.answered(writes=True)
                self.reached = True
                log.info("ready", consumer=self.consumer, server=version, handlers=len(list(self.lanes)))
                return

    async def _stop(self) -> None:
        self.stopping.set()
        self.lanes.close()
        deadline = asyncio.get_running_loop().time() + self.settings.worker.drain_timeout
        await self._try_within(self._hand_back, HAND_BACK_PATIENCE)
        try:
            async with asyncio.timeout_at(deadline):
                await self._drained()
        except TimeoutError:
            log.warning("drain_timeout", left=self.room.active, effect="stays pending; a peer takes it over")
        await self._try_within(self._hand_back, HAND_BACK_PATIENCE)
        await self._sending.cancel()
        await self._loops.cancel()
        await self._try_within(self._leave, HAND_BACK_PATIENCE)
        await self._close_clients()
        log.info("stopped", consumer=self.consumer)

    async def _close_clients(self) -> None:
        for client in (*self._readers, self.client):
            await client.aclose()

    async def _drained(self) -> None:
        """The readers have returned, and nothing is being sent or stored; what they still brought is handed back."""
        readings = [reading for line in self.lines for reading in line.readings]
        while self.room.active or not all(reading.done for reading in readings):
            await self._try_within(self._hand_back, HAND_BACK_PATIENCE)
            await self.room.changed(0.05)

    async def _hand_back(self) -> None:
        for line in self.lines:
            await line.hand_back()

    async def _tell_of_itself(self) -> None:
        await save(self.client, self.partitions[0].keys, self._snapshots.take(self.lanes))

    async def _tell_of_leftovers(self) -> None:
        await leftovers.tell_of_leftovers(self.client, self.settings.stream)

    async def _leave(self) -> None:
        await forget(self.client, self.partitions[0].keys, self.consumer)
        for line in self.lines:
            await line.leave()

    async def _try_within(self, act: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Does what a clean stop would do, if Redis lets us; what is left undone a peer takes over after the lease."""
        try:
            async with asyncio.timeout(seconds):
                await act()
        except (StoreError, TimeoutError) as error:
            log.warning("stop_incomplete", error=str(error) or "Redis does not answer", effect="peers take over later")

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None]], health: Health) -> None:
        """Does it now and again, with some jitter so that workers do not step in time."""
        while True:
            await self._attempt(act, health)
            await asyncio.sleep(seconds * (0.9 + 0.2 * self._rng.random()))

    async def _wake(self, line: Line) -> None:
        """Wakes stored records as they fall due."""
        while True:
            await self._attempt(line.wake, line.health)
            await asyncio.sleep(line.next_wake)

    async def _attempt(self, act: Callable[[], Awaitable[None]], health: Health) -> None:
        try:
            await act()
        except StoreError as error:
            if error.kind != "no_group":  # the reader makes the group again and says so
                health.failed(error)
        except Exception:
            log.exception("internal_error", where=getattr(act, "__qualname__", ""), effect="goes on")
