"""From entries to jobs: decode, select, render, claim, and off to the lanes.

An entry that cannot become a request ends here, as a dead letter or unmatched; its neighbours go on. Claims of a whole
read are one call. A job whose request is being sent by another owner waits its turn outside the lanes, see waiting.py.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import assert_never

import structlog
from msgspec.structs import replace

from streamhooks import wire
from streamhooks.delivery.masking import without_credentials
from streamhooks.delivery.request import permitted, webhook_id
from streamhooks.errors import RequestError, StoreError, TemplateError, WireError
from streamhooks.flow.carrier import Carrier, Job
from streamhooks.flow.failpoints import reached
from streamhooks.flow.health import Health
from streamhooks.flow.lane import Lane
from streamhooks.flow.lanes import Lanes, holds
from streamhooks.flow.partition import Partition
from streamhooks.flow.settling import Settling
from streamhooks.flow.table import Table
from streamhooks.model import Dead, DeadReason, Delivered, Entry, Event, Suppressed
from streamhooks.observe.figures import Figures
from streamhooks.observe.traces import Traces
from streamhooks.store.claims import Claim, Covered, Done, Park, Send, Verdict
from streamhooks.store.record import Record
from streamhooks.store.settle import Settlement, Source

log = structlog.get_logger("streamhooks")
FREE, BEHIND = Send(), Park()
"""The verdicts on what claims nothing, and on what may not ask yet."""
NOBODY: frozenset[str] = frozenset()
"""The handlers that have finished an entry which was not handed out before."""
BREATH = 0.01
"""Seconds of decoding and rendering after which everything else has its turn: a batch of templates that each run out of
steps would hold the heartbeat and every answer up for seconds."""


class Intake:
    """The way in of one partition."""

    def __init__(
        self,
        partition: Partition,
        *,
        lanes: Lanes,
        table: Table,
        settling: Settling,
        health: Health,
        figures: Figures,
        max_event_bytes: int,
        traces: Traces | None,
    ) -> None:
        self._partition = partition
        self._lanes = lanes
        self._table = table
        self._settling = settling
        self._health = health
        self._figures = figures
        self._max_bytes = max_event_bytes
        self._traces = traces
        self._unclaimed: dict[tuple[str, str], Job] = {}
        """What was sent although Redis could not be asked for its claim, by handler and fingerprint."""
        self.waiting: list[Job] = []
        """Jobs behind another owner's claim, oldest first."""

    async def admit(self, source: Source, entries: Sequence[Entry]) -> list[Carrier]:
        """Takes entries in: each one's jobs are settled, waiting, queued or being sent when this returns."""
        now = time.monotonic()
        carriers = self._table.take_in(source, entries, now)
        reached("read")
        try:
            await self._take_in(carriers)
        except Exception:
            # A bug. Kept in the table, what was not sent would stay ours for ever; forgotten, it is handed out again.
            for carrier in carriers:
                self._table.lose(carrier)
            raise
        return carriers

    async def _take_in(self, carriers: Sequence[Carrier]) -> None:
        receipts = await self._receipts(carriers)
        jobs: list[Job] = []
        breath = time.monotonic() + BREATH
        for carrier in carriers:
            if time.monotonic() > breath:
                await asyncio.sleep(0)
                breath = time.monotonic() + BREATH
            if carrier.lost:  # while others had their turn
                continue
            try:
                jobs += self._open(carrier, receipts.get(carrier.entry.id, NOBODY) if receipts else NOBODY)
            except Exception as error:
                # A bug that one entry meets must not hold its neighbours up, and is not lost either.
                log.exception("entry_failed", entry=carrier.entry.id)
                # Not its text, which may quote the event: that stands in the log, once.
                self._bury_raw(carrier, "undecodable", f"internal error: {type(error).__name__}, see the log")
        await self.launch(jobs)

    async def probe(self) -> None:
        """Finds out whether Redis takes writes again. Raises StoreError while it does not."""
        await self._partition.ledger.probe()
        self._health.answered(writes=True)

    async def launch(self, jobs: Sequence[Job]) -> None:
        """Claims what is to be claimed, and offers to the lanes what may be sent."""
        asking = [job for job in jobs if job.claim is not None and job.state != "ended"]
        if self._unclaimed:
            asking = [job for job in asking if not self._is_behind_an_unclaimed(job)]
        verdicts = await self._verdicts(asking) if asking else {}
        reached("claimed")
        for job in jobs:
            if job.state == "ended":  # lost to another worker while Redis was asked
                continue
            match verdicts.get(job, FREE if job.claim is None else BEHIND):
                case Send(held):
                    if (held == job.told or self._retold(job, held)) and not self._offered(job):
                        await self._lanes[job.handler].queue(job)
                case Done():
                    job.end(Delivered())
                case Covered(by):
                    job.end(Suppressed(by))
                case Park():
                    self._table.give_room(job)
                    self.waiting.append(job)
                case unknown:
                    assert_never(unknown)

    def _retold(self, job: Job, held: int) -> bool:
        """Makes the request anew, with how many duplicates were held back; False as `_made` has it."""
        lane = self._lanes.get(job.handler)
        if lane is None:  # the offer says so
            return True
        job.told = held
        return self._made(job, lane)

    def _offered(self, job: Job) -> bool:
        """Whether that is all: the job is being sent, or on its way to its end. Else it must queue."""
        lane = self._lanes.get(job.handler)
        if lane is None:  # removed by a reload while another's claim was waited for
            job.end(Dead("handler_removed", _removed(job.handler)))
            return True
        self._table.take_room(job, "queued")
        return lane.offer(job)

    async def _verdicts(self, jobs: Sequence[Job]) -> dict[Job, Verdict]:
        try:
            answers = await self._partition.claims.claim([job.claim for job in jobs if job.claim])
        except StoreError as error:
            self._health.failed(error)
            return {job: self._without_claim(job) for job in jobs}
        self._health.answered(writes=any(isinstance(answer, Send) for answer in answers))
        self._unclaimed = {key: job for key, job in self._unclaimed.items() if job.state != "ended"}
        return dict(zip(jobs, answers, strict=True))

    def _without_claim(self, job: Job) -> Verdict:
        """Redis cannot say: fail open for a fresh entry, once per fingerprint; everything else waits."""
        key = (job.handler, job.fingerprint)
        if job.carrier.source == "retry" or key in self._unclaimed:
            return Park()
        self._unclaimed[key] = job
        self._figures.claims_failed_open += 1
        return Send()

    def _is_behind_an_unclaimed(self, job: Job) -> bool:
        """Redis has no mark yet of what was sent without a claim: a duplicate must wait for its end, not ask."""
        sent = self._unclaimed.get((job.handler, job.fingerprint))
        return sent is not None and sent is not job and sent.state != "ended"

    async def _receipts(self, carriers: Iterable[Carrier]) -> dict[str, frozenset[str]]:
        """Which handlers have finished the entries that were handed out before."""
        again = [c.entry.id for c in carriers if c.source == "stream" and c.entry.deliveries > 1]
        if not again:
            return {}
        keys = [self._partition.keys.done(id) for id in again]
        try:
            return dict(zip(again, await self._partition.entries.receipts(keys), strict=True))
        except StoreError as error:
            # Without them a handler that has finished may be sent again; its cool-down or the receiver's own
            # check of the webhook-id catches that. Waiting here would hold up every other entry.
            self._health.failed(error)
            return {}

    def _open(self, carrier: Carrier, receipts: frozenset[str]) -> list[Job]:
        """The jobs of an entry that are to be sent; what cannot be sent is on its way to its end."""
        try:
            if carrier.source == "retry":
                return self._reopen(carrier, Record.read(carrier.entry.fields))
            event = wire.decode(carrier.entry, self._max_bytes)
        except WireError as error:
            self._bury_raw(carrier, "undecodable", str(error))
            return []
        lanes = self._lanes.select(event)
        if not lanes:
            self._settling.end_bare(carrier, Settlement("unmatched", carrier.source, carrier.entry.id))
            return []
        if len(lanes) > 1:
            carrier.handlers = "\n".join(lane.handler.id for lane in lanes)
        left = [lane for lane in lanes if lane.handler.id not in receipts] if receipts else lanes
        if not left:
            self._settling.end_bare(carrier, Settlement("finished", carrier.source, carrier.entry.id))
        if len(left) == 1:  # as most events have it: the lists below cost as much as half the decoding
            (lane,) = left
            job = self._job(carrier, permitted(event, lane.handler), lane.handler.id)
            carrier.jobs.append(job)
            return [job] if self._made(job, lane) else []
        for lane in left:  # all of them before the first is made, and may end: a carrier goes with its last job
            carrier.jobs.append(self._job(carrier, permitted(event, lane.handler), lane.handler.id))
        return [job for job, lane in zip(carrier.jobs, left, strict=True) if self._made(job, lane)]

    def _reopen(self, carrier: Carrier, record: Record) -> list[Job]:
        """The one job of a retry or a replay."""
        event = wire.unpack_event(
            record.event, attempt=record.attempt, only=record.handler,
            run=record.id_run,
        )  # fmt: skip
        job = self._job(carrier, event, record.handler)
        job.owner, job.run, job.force = record.owner, record.run, record.force
        job.fingerprint, job.first, job.paused = record.fingerprint, record.first, record.paused
        carrier.jobs = [job]
        lane = self._lanes.get(record.handler)
        if lane is None:
            job.end(Dead("handler_removed", _removed(record.handler)))
            return []
        return [job] if self._made(job, lane) else []

    def _job(self, carrier: Carrier, event: Event, handler: str) -> Job:
        job = Job(carrier, event, handler, self._settling.end, f"{event.id}|{handler}", event.attempt)
        if self._traces is not None:
            number = self._partition.number
            sent_as = webhook_id(event.id, number, handler, event.run)
            job.span = self._traces.begin(event, handler, sent_as, self._partition.keys.stream, number)
        return job

    def _made(self, job: Job, lane: Lane) -> bool:
        """Makes the job's request; False when there is none to be made, and the job is on its way to its end."""
        try:
            if lane.handler.when is not None:
                holds(lane.handler, job.event)
            maker = lane.makers[self._partition.number]
            request = maker.make(job.event, job.fingerprint, job.event.run, job.told)
        except (TemplateError, RequestError) as error:
            job.end(Dead("template", without_credentials(str(error), job.event)))
            return False
        job.request = request
        job.fingerprint = request.fingerprint
        job.window = lane.handler.event_timeout
        if job.window > 0 and not job.force:
            job.claim = Claim(job.handler, job.fingerprint, job.owner, job.window, replay=job.run != "")
        return True

    def _bury_raw(self, carrier: Carrier, reason: DeadReason, why: str) -> None:
        raw, length, sha256 = wire.raw_excerpt(carrier.entry)
        record = Record(
            origin=carrier.entry.id, why=why, reason=reason, raw=raw, raw_length=length, raw_sha256=sha256
        )  # fmt: skip
        told = Settlement("dead", carrier.source, carrier.entry.id, record=record)
        self._settling.end_bare(carrier, told, Dead(reason, why))

    def crash_looping(self, source: Source, entry: Entry) -> None:
        """Ends an entry that has been handed out too often, without looking into it."""
        carrier = Carrier(source, entry, time.monotonic())
        self._table.add(carrier)
        why = f"handed out {entry.deliveries - 1} times and never finished: it seems to end the worker that takes it"
        record = _stored(entry) if source == "retry" else None
        if record is None:
            self._bury_raw(carrier, "crash_loop", why)
            return
        # A record names its handler and holds its event by themselves: the letter can be replayed.
        record = replace(record, attempt=record.attempt - 1, reason="crash_loop", why=why)
        told = Settlement(
            "dead", source, entry.id, handler=record.handler, fingerprint=record.fingerprint,
            owner="" if record.force else record.owner, record=record,
        )  # fmt: skip
        self._settling.end_bare(carrier, told, Dead("crash_loop", why))


def _stored(entry: Entry) -> Record | None:
    try:
        return Record.read(entry.fields)
    except WireError:
        return None


def _removed(handler: str) -> str:
    return f"no handler {handler} in the configuration any more"
