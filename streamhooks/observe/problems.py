"""One wide log record for each end that is no delivery: what it takes to act, and nothing of a payload."""

from typing import assert_never

import structlog

from streamhooks.model import HELD, Dead, Failure, Reply, Retry, Suppressed
from streamhooks.observe.figures import Ended

log = structlog.get_logger("streamhooks")


def write_log(ended: Ended) -> None:
    """One wide record for a problem."""
    match ended.outcome:
        case Suppressed(by):
            log.debug("suppressed", **_subject(ended), by=by)
        case Retry(after, following, why):
            level = log.warning if following > ended.attempt else log.debug
            again = "when it is resumed" if after == HELD else round(after, 1)
            level("retry_stored", **_subject(ended), attempt=ended.attempt, why=why, again_in_seconds=again,
                  **_answered(ended.answer))  # fmt: skip
        case Dead(reason, why):
            log.error("dead_letter", **_subject(ended), attempts=ended.attempt, reason=reason, why=why,
                      **_answered(ended.answer))  # fmt: skip
        case _:
            assert_never(ended.outcome)


def _subject(ended: Ended) -> dict[str, str]:
    """What a record is about: by the entry and by the `webhook-id` it is found elsewhere."""
    told = {"handler": ended.handler, "entry": ended.event, "type": ended.type, "webhook_id": ended.webhook_id}
    return told | {"trace_id": ended.trace_id} if ended.trace_id else told


def _answered(answer: Reply | Failure | None) -> dict[str, object]:
    """What a record says of the answer: never a header, a payload or a URL. What a failure says is in its `why`."""
    match answer:
        case None:
            return {}
        case Reply(status=status):
            return {"status": status, "ms": round(answer.elapsed * 1000)}
        case Failure(kind=kind):
            return {"failure": kind, "ms": round(answer.elapsed * 1000)}
        case _:
            assert_never(answer)
