"""The last word on an attempt, as a table."""

import random

import pytest

from streamhooks.delivery.judge import judge
from streamhooks.handlers.handler import Schedule
from streamhooks.model import Dead, Delivered, Failure, Outcome, Reply, Retry

NOW = 1_795_428_000.0  # Mon, 23 Nov 2026 10:00:00 GMT
PLAIN = Schedule(delays=(10.0, 100.0, 10_000.0), jitter=0.0, max_age=86_400.0)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)


def reply(status: int, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"", 0.1)


def verdict(answer: Reply | Failure, attempt: int = 1, age: float = 0.0, schedule: Schedule = PLAIN) -> Outcome:
    return judge(attempt, answer, schedule, age, seeded(1), NOW)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    assert verdict(reply(status)) == Delivered()


@pytest.mark.parametrize("status", [400, 401, 404, 408, 429, 500, 502, 503, 504, 599])
def test_any_other_status_is_tried_again(status: int) -> None:
    assert verdict(reply(status)) == Retry(10.0, 2, f"status {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_redirect_is_a_failure_that_says_so(status: int) -> None:
    assert verdict(reply(status)) == Retry(10.0, 2, f"status {status}, a redirect, which is not followed")


def test_410_is_dead_and_gone_whatever_the_schedule_says() -> None:
    assert verdict(reply(410), schedule=Schedule(permanent_statuses=frozenset())) == Dead("gone", "status 410")


def test_a_permanent_status_of_the_schedule_is_dead() -> None:
    schedule = Schedule(permanent_statuses=frozenset({410, 422}))
    assert verdict(reply(422), schedule=schedule) == Dead("permanent_status", "status 422")


@pytest.mark.parametrize("kind", ["timeout", "connect", "dns", "tls", "protocol"])
def test_every_fault_of_the_way_is_tried_again(kind: str) -> None:
    failure = Failure(kind, "why", 0.1)  # type: ignore[arg-type]  # the kinds come as plain text from the table
    assert verdict(failure, attempt=2) == Retry(100.0, 3, f"{kind}: why")


def test_a_blocked_destination_is_dead_at_once() -> None:
    assert verdict(Failure("blocked", "10.0.0.1 is private", 0.0)) == Dead("destination_denied", "10.0.0.1 is private")


def test_our_own_trouble_costs_no_attempt_even_at_the_end_of_the_schedule() -> None:
    assert verdict(Failure("local", "too many open files", 0.0), attempt=4) == Retry(
        1.0, 4, "local: too many open files"
    )


def test_the_attempt_after_the_last_delay_is_the_last() -> None:
    assert verdict(reply(500), attempt=3) == Retry(10_000.0, 4, "status 500")
    assert verdict(reply(500), attempt=4) == Dead("exhausted", "status 500; attempt 4 was the last one of the schedule")


@pytest.mark.parametrize("failure", [reply(500), Failure("local", "w", 0.0)])
def test_an_event_that_would_be_too_old_is_dead(failure: Reply | Failure) -> None:
    outcome = verdict(failure, age=86_399.5)
    assert isinstance(outcome, Dead)
    assert outcome.reason == "expired"
    assert outcome.why.endswith("; the next attempt would come after 86400 s")


def test_a_delay_is_spread_by_the_jitter_and_no_further() -> None:
    schedule = Schedule(delays=(100.0,), jitter=0.2)
    rng = seeded(7)
    delays = [
        outcome.after
        for outcome in (judge(1, reply(500), schedule, 0.0, rng) for _ in range(500))
        if isinstance(outcome, Retry)
    ]
    assert len(delays) == 500
    assert 80.0 <= min(delays) < 85.0
    assert 115.0 < max(delays) <= 120.0


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "after"),
    [
        ("120", 120.0),
        ("120.6", 120.6),
        (" 90 ", 90.0),
        ("3", 10.0),
        ("0", 10.0),
        ("3600", 3600.0),
        ("1000000000", 3600.0),
        ("99999999999999999999", 10.0),
        ("-5", 10.0),
        ("1e3", 10.0),
        ("NaN", 10.0),
        ("Infinity", 10.0),
        ("soon", 10.0),
        ("", 10.0),
        ("\u0663", 10.0),
        ("Mon, 23 Nov 2026 10:05:00 GMT", 300.0),
        ("Monday, 23-Nov-26 10:05:00 GMT", 300.0),
        ("Mon Nov 23 10:05:00 2026", 300.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 10.0),
        ("Mon, 23 Nov 2099 10:00:00 GMT", 3600.0),
        ("Mon, 99 Nov 2026 10:05:00 GMT", 10.0),
        ("Mon, 23 Nov 99999999 10:05:00 GMT", 10.0),
    ],
)
def test_retry_after_is_honoured_between_the_delay_and_an_hour(status: int, asked: str, after: float) -> None:
    assert verdict(reply(status, retry_after=asked)) == Retry(after, 2, f"status {status}")


def test_a_long_delay_may_be_doubled_by_retry_after() -> None:
    assert verdict(reply(503, retry_after="50000"), attempt=3) == Retry(20_000.0, 4, "status 503")


@pytest.mark.parametrize("status", [500, 404, 301])
def test_retry_after_of_another_status_is_ignored(status: int) -> None:
    outcome = verdict(reply(status, retry_after="120"))
    assert isinstance(outcome, Retry)
    assert outcome.after == 10.0
