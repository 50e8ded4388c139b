"""From an answer, or from none, to the last word on an attempt.

2xx is delivered. 410 and the statuses that the schedule names as permanent are dead, and so is a destination that may
not be called. Everything else is tried again after the schedule's delay, give or take its jitter, until the schedule
or the event's age is at its end. `Retry-After` (RFC 9110, section 10.2.3) can put a retry off, but never before the
schedule's own delay nor out of reach.

What fails for want of our own means (kind `local`) costs the event no attempt.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol, assert_never

from streamhooks.handlers.handler import Schedule
from streamhooks.model import Dead, Delivered, Failure, Outcome, Reply, Retry

GONE = 410
LOCAL_DELAY = 1.0
"""Seconds until a try that our own trouble prevented is made again."""
RETRY_AFTER_CAP = 3600.0
"""Seconds that an endpoint may ask for in any case; more only up to twice the schedule's delay."""
_ASKS_FOR_PATIENCE = frozenset({429, 503})
_SECONDS = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?\Z")


class Uniform(Protocol):
    """A source of random numbers, such as random.Random: made by whoever decides on its seed."""

    def uniform(self, a: float, b: float, /) -> float: ...


def judge(
    request_attempt: int,
    answer: Reply | Failure,
    schedule: Schedule,
    age: float,
    rng: Uniform,
    now: float = 0.0,
) -> Outcome:
    """The outcome of attempt number `request_attempt` (from 1) of an event first tried `age` seconds ago.

    `now` is unix seconds, for a `Retry-After` that is a date; 0 ignores such dates.
    """
    match answer:
        case Reply(status=status):
            if 200 <= status < 300:
                return Delivered()
            why = status_words(status)
            if status == GONE:
                return Dead("gone", why)
            if status in schedule.permanent_statuses:
                return Dead("permanent_status", why)
            asked = _retry_after(answer, now)
        case Failure(kind="blocked", message=message):
            return Dead("destination_denied", message)
        case Failure(kind="local", message=message):
            return _local(request_attempt, schedule, age, rng, message)
        case Failure(kind=kind, message=message):
            why, asked = f"{kind}: {message}", None
        case _ as never:
            assert_never(never)
    return _again(request_attempt, schedule, age, rng, why, asked)


def status_words(status: int) -> str:
    """`status 503`, and for a redirect that it is not followed."""
    return f"status {status}, a redirect, which is not followed" if 300 <= status < 400 else f"status {status}"


def _again(attempt: int, schedule: Schedule, age: float, rng: Uniform, why: str, asked: float | None) -> Retry | Dead:
    if attempt > len(schedule.delays):
        return Dead("exhausted", f"{why}; attempt {attempt} was the last one of the schedule")
    delay = schedule.delays[attempt - 1]
    after = _jittered(delay, schedule, rng)
    if asked is not None:
        after = min(max(asked, after), max(2 * delay, RETRY_AFTER_CAP))
    if age + after > schedule.max_age:
        return Dead("expired", f"{why}; the next attempt would come after {schedule.max_age:g} s")
    return Retry(after, attempt + 1, why)


def _local(attempt: int, schedule: Schedule, age: float, rng: Uniform, message: str) -> Retry | Dead:
    after = _jittered(LOCAL_DELAY, schedule, rng)
    if age + after > schedule.max_age:
        return Dead("expired", f"local: {message}; the next attempt would come after {schedule.max_age:g} s")
    return Retry(after, attempt, f"local: {message}")


def _jittered(delay: float, schedule: Schedule, rng: Uniform) -> float:
    return delay * rng.uniform(1 - schedule.jitter, 1 + schedule.jitter)


def _retry_after(reply: Reply, now: float) -> float | None:
    """Seconds that the endpoint asks us to wait; None where it says nothing that can be read."""
    text = reply.headers.get("retry-after", "").strip()
    if reply.status not in _ASKS_FOR_PATIENCE or not text:
        return None
    # Fractions are no part of the standard, but are sent.
    if _SECONDS.match(text):
        return float(text)
    return _until(text, now) if now > 0 else None


def _until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime.fromtimestamp(now, UTC)).total_seconds()
    return seconds if seconds > 0 else None
