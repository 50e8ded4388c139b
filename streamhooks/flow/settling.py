"""Settling: outcomes are collected and stored in groups, and a job leaves the table only once its end is durable.

One call to Redis is under way at a time; what ends meanwhile goes with the next. While Redis is away the outcomes are
kept and offered again, and nothing is sent twice: the reader stops by itself, because the table is full.
"""

import asyncio
import time
from collections import deque
from typing import TypeAlias, assert_never

import structlog
from msgspec.structs import replace

from streamhooks.delivery.request import webhook_id
from streamhooks.errors import StoreError
from streamhooks.flow.carrier import Carrier, Job
from streamhooks.flow.failpoints import reached
from streamhooks.flow.health import Health
from streamhooks.flow.noting import Noting
from streamhooks.flow.settlement import attempts, settlement
from streamhooks.flow.table import Table
from streamhooks.flow.telling import Telling
from streamhooks.model import Dead, Delivered, Outcome, Retry, Suppressed
from streamhooks.observe.figures import Ended, Figures
from streamhooks.own_events import is_own
from streamhooks.store.record import Record
from streamhooks.store.settle import PER_CALL, Answer, Ledger, Settlement

log = structlog.get_logger("streamhooks")
AGAIN = 0.25
"""Seconds between two tries while Redis is away."""
BUSY = 0.02
GATHER = 0.005
"""Seconds. Where ends come less than BUSY apart, those of GATHER are stored together, for a call costs what sending ten
events does; an end that comes alone is stored at once.
"""

Bare: TypeAlias = tuple[Carrier, Settlement, Dead | None]
"""An end without a job."""


class Settling:
    """The ends of one partition's jobs, on their way into Redis."""

    def __init__(
        self,
        partition: int,
        ledger: Ledger,
        table: Table,
        figures: Figures,
        health: Health,
        noting: Noting,
        telling: Telling,
    ) -> None:
        self._partition = partition
        self._ledger = ledger
        self._table = table
        self._figures = figures
        self._health = health
        self._noting = noting
        self._telling = telling
        self._ends: deque[tuple[Job, Outcome]] = deque()
        self._bare: deque[Bare] = deque()
        self._some = asyncio.Event()
        self._none = asyncio.Event()
        self._none.set()

    def end(self, job: Job, outcome: Outcome) -> None:
        """A job has come to its end."""
        self._table.take_room(job, "settling")
        self._ends.append((job, outcome))
        if len(self._ends) == 1:
            self._none.clear()
            self._some.set()

    def end_bare(self, carrier: Carrier, settlement: Settlement, dead: Dead | None = None) -> None:
        """A carrier has come to its end without a job: unmatched or, with `dead`, undecodable or crash-looping."""
        self._bare.append((carrier, settlement, dead))
        self._none.clear()
        self._some.set()

    async def emptied(self) -> None:
        """Returns when everything that has ended is stored."""
        await self._none.wait()

    async def run(self) -> None:
        """Stores ends for ever."""
        stored_at = 0.0
        while True:
            await self._some.wait()
            self._some.clear()
            while self._ends or self._bare:
                if len(self._ends) + len(self._bare) < PER_CALL and time.monotonic() < stored_at + BUSY:
                    await asyncio.sleep(GATHER)
                await self._store()
                stored_at = time.monotonic()
            self._none.set()

    async def _store(self) -> None:
        ends = [self._ends.popleft() for _ in range(min(PER_CALL, len(self._ends)))]
        bare = [self._bare.popleft() for _ in range(min(PER_CALL - len(ends), len(self._bare)))]
        try:
            await self._settle(ends, bare)
        except StoreError as error:
            self._health.failed(error)
            self._ends.extendleft(reversed(ends))
            self._bare.extendleft(reversed(bare))
            await asyncio.sleep(AGAIN)
        except Exception:
            # A bug. Forgotten here, what was not settled is nobody's and is handed out again after the lease.
            log.exception("settling_failed", entries=len(ends) + len(bare), effect="they are handed out again")
            for carrier in [job.carrier for job, _ in ends] + [carrier for carrier, _, _ in bare]:
                self._table.forget(carrier)

    async def _settle(self, ends: list[tuple[Job, Outcome]], bare: list[Bare]) -> None:
        now = time.monotonic()
        noting = self._noting
        settlements = [settlement(job, outcome, now, noting.of(job, outcome, now)) for job, outcome in ends]
        settlements += [self._noted(told, dead) for _, told, dead in bare]
        answers = await self._ledger.settle(settlements)
        self._health.answered(writes=any(answer != "late" for answer in answers))
        at = time.time()
        for (job, outcome), answer in zip(ends, answers, strict=False):
            self._ended(job, outcome, answer, at)
        for (carrier, told, dead), answer in zip(bare, answers[len(ends) :], strict=True):
            self._table.drop(carrier)
            self._ended_bare(told, dead, answer)

    def _noted(self, told: Settlement, dead: Dead | None) -> Settlement:
        if dead is not None:
            return replace(told, note=self._noting.of_entry(told.id, "dead", dead.why, dead.reason))
        if told.kind == "unmatched":
            return replace(told, note=self._noting.of_entry(told.id, "unmatched"))
        return told

    def _ended(self, job: Job, outcome: Outcome, answer: Answer, now: float) -> None:
        self._table.end(job)
        match answer:
            case "late":
                self._figures.late += 1
                if job.span is not None:
                    job.span.ended(None)
                return
            case "overflow":
                outcome = Dead("overflow", "too many retries are stored already: worker.max_parked")
            case "acked" | "waits":
                pass
            case _:
                assert_never(answer)
        if job.span is not None:
            job.span.ended(outcome)
        if isinstance(outcome, Delivered):
            self._figures.delivered(job.handler, job.event.id, now)
        else:
            self._figures.settled(self._told(job, outcome))
            if isinstance(outcome, Dead):
                self._telling.tell(
                    "StreamhooksDeadLetter", job.handler, outcome.why, about=job.event, DeadReason=outcome.reason
                )
        if answer == "waits":
            reached("receipted")
        reached(_POINTS[type(outcome)])

    def _ended_bare(self, told: Settlement, dead: Dead | None, answer: Answer) -> None:
        if answer == "late":
            self._figures.late += 1
        elif dead is not None and told.record is not None:
            self._buried(told.record, dead)
        elif told.kind == "unmatched":
            self._figures.unmatched += 1

    def _buried(self, record: Record, dead: Dead) -> None:
        """A letter without a job: of an entry that is no event, or of a record that was not looked into."""
        if not record.handler:
            self._figures.buried(record.origin, dead)
            self._telling.tell("StreamhooksDeadLetter", why=dead.why, DeadReason=dead.reason, Event=record.origin)
            return
        sent_as = webhook_id(record.origin, self._partition, record.handler, record.id_run)
        self._figures.settled(
            Ended(record.handler, record.origin, record.type, record.attempt, dead, webhook_id=sent_as)
        )
        if not is_own(record.type):
            self._telling.tell("StreamhooksDeadLetter", record.handler, dead.why, DeadReason=dead.reason,
                               Event=record.origin, Type=record.type)  # fmt: skip

    def _told(self, job: Job, outcome: Suppressed | Retry | Dead) -> Ended:
        event = job.event
        return Ended(
            job.handler,
            event.id,
            event.type,
            attempts(job) if isinstance(outcome, Dead) else job.attempt,
            outcome,
            job.answer,
            webhook_id(event.id, self._partition, job.handler, event.run),
            "" if job.span is None else job.span.trace_id,
        )


_POINTS: dict[type[Outcome], str] = {
    Delivered: "settled",
    Suppressed: "settled",
    Retry: "stored",
    Dead: "buried",
}
