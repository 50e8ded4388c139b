"""What the journal is told of an end: nothing, the problems, or everything (`worker.journal`).

A delivery at the first attempt is no problem; one that comes after problems ends their story, so it is noted with them.
"""

from typing import Literal, assert_never

from streamhooks.delivery.masking import without_credentials, without_secrets
from streamhooks.flow.carrier import Job
from streamhooks.model import HELD, Dead, Delivered, Failure, Outcome, Reply, Retry, Suppressed
from streamhooks.store.journal import Note, What, packed

ANSWER_BYTES = 200
"""Of an answer's body: enough for the error message of an API, too little for a page."""

Mode = Literal["off", "problems", "all"]


class Noting:
    """Makes the notes of one worker."""

    def __init__(self, mode: Mode, worker: str) -> None:
        self._mode = mode
        self._worker = worker

    def of(self, job: Job, outcome: Outcome, now: float) -> bytes:
        """The note of a job's end, packed; empty: none. `now` is monotonic."""
        quiet = isinstance(outcome, Delivered) and job.attempt == 1 and not job.run
        if self._mode == "off" or (quiet and self._mode == "problems"):
            return b""
        what, why, reason, by, again = _told(outcome)
        answer = job.answer
        return packed(
            Note(
                entry=job.event.id,
                what=what,
                worker=self._worker,
                handler=job.handler,
                type=job.event.type,
                api=job.event.api_id,
                attempt=job.attempt,
                sent=answer is not None,
                why=without_credentials(why, job.event),
                reason=reason,
                by=by,
                status=answer.status if isinstance(answer, Reply) else 0,
                failure=answer.kind if isinstance(answer, Failure) else "",
                ms=round(answer.elapsed * 1000) if answer is not None else 0,
                answer=_excerpt(answer, job) if isinstance(answer, Reply) and not quiet else "",
                again=again,
                waited=round((now - job.carrier.taken) * 1000),
                run=job.run,
                told=job.told,
            )
        )

    def of_entry(self, entry: str, what: Literal["unmatched", "dead"], why: str = "", reason: str = "") -> bytes:
        """The note of an entry that no handler had a part in; that nobody wanted it is told in mode `all` only."""
        if self._mode == "off" or (what == "unmatched" and self._mode == "problems"):
            return b""
        return packed(Note(entry=entry, what=what, worker=self._worker, why=why, reason=reason))


def _told(outcome: Outcome) -> tuple[What, str, str, str, float]:
    match outcome:
        case Delivered():
            return "delivered", "", "", "", 0.0
        case Suppressed(by):
            return "suppressed", "", "", by, 0.0
        case Retry(after, _, why):
            return "retry", why, "", "", -1.0 if after == HELD else round(after, 1)
        case Dead(reason, why):
            return "dead", why, reason, "", 0.0
        case _:
            assert_never(outcome)


def _excerpt(reply: Reply, job: Job) -> str:
    head = without_secrets(reply.head, job.request) if job.request else b""
    return without_credentials(head[:ANSWER_BYTES].decode("utf-8", "replace"), job.event)
