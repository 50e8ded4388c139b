"""From a job's end to what the ledger is told of it: no I/O."""

from typing import assert_never

from msgspec.structs import replace

from streamhooks import wire
from streamhooks.delivery.masking import without_secrets
from streamhooks.flow.carrier import Job
from streamhooks.model import HELD, Dead, Delivered, Failure, Outcome, Reply, Retry, Suppressed
from streamhooks.store.record import NEVER, Record
from streamhooks.store.settle import Kind, Settlement


def settlement(job: Job, outcome: Outcome, now: float, note: bytes) -> Settlement:
    """What the ledger is told of a job's end; `now` is monotonic, `note` is for the journal."""
    kind, amount, record = _told(job, outcome, now)
    carrier = job.carrier
    return Settlement(
        kind, carrier.source, carrier.entry.id, job.handler, carrier.handlers, job.fingerprint,
        job.claim.owner if job.claim else "", job.window, amount, job.told, record, note,
    )  # fmt: skip


def _told(job: Job, outcome: Outcome, now: float) -> tuple[Kind, float, Record | None]:
    """Kind, amount and record of a Settlement."""
    match outcome:
        case Delivered():
            return "delivered", max(0.0, now - job.replied) if job.replied else 0.0, None
        case Suppressed():
            return "suppressed", 0.0, None
        case Retry(after, attempt, why):
            record = _record(job, attempt, why)
            if not job.first and job.answer is None:
                record = replace(record, first=NEVER)
            return "retry", -1.0 if after == HELD else after, record
        case Dead(reason, why):
            return "dead", 0.0, _record(job, attempts(job), why, reason)
        case _:
            assert_never(outcome)


def attempts(job: Job) -> int:
    """How many attempts were made at the endpoint: the one that was not answered for is none."""
    ours = job.answer is None or (isinstance(job.answer, Failure) and job.answer.kind == "local")
    return job.attempt - 1 if ours else job.attempt


def _record(job: Job, attempt: int, why: str, reason: str = "") -> Record:
    reply = job.answer if isinstance(job.answer, Reply) else None
    return Record(
        origin=job.event.id,
        handler=job.handler,
        owner=job.owner,
        attempt=attempt,
        fingerprint=job.fingerprint,
        type=job.event.type,
        event=wire.pack_event(job.event),
        run=job.run,
        id_run=job.event.run,
        force=job.force,
        why=why,
        reason=reason,
        status=reply.status if reply else 0,
        answer=without_secrets(reply.head, job.request) if reply and job.request else b"",
        paused=job.paused,
        first=job.first,
    )
