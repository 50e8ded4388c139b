"""The circuit breaker over a clock that the test turns."""

import pytest

from streamhooks.delivery.breaker import Breaker
from streamhooks.handlers.handler import BreakerPolicy
from streamhooks.model import Failure, Reply

POLICY = BreakerPolicy(consecutive=3, ratio=0.7, window=100.0, min_calls=10, open=30.0, open_cap=100.0)
GOOD = Reply(204, {}, b"", 0.1)
BAD = Reply(500, {}, b"", 0.1)


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker(POLICY)
    for _ in range(3):
        breaker.record(BAD, at)
    return breaker


def test_a_new_breaker_is_closed_and_lets_everything_pass() -> None:
    breaker = Breaker(POLICY)
    assert breaker.state(0.0) == "closed"
    assert all(breaker.permit(0.0) for _ in range(100))
    assert breaker.wait(0.0) == 0.0


def test_consecutive_failures_open_it_for_the_time_of_the_policy() -> None:
    breaker = opened(at=5.0)
    assert (breaker.state(34.9), breaker.permit(34.9), breaker.wait(25.0)) == ("open", False, 10.0)
    assert breaker.state(35.0) == "half_open"


def test_a_success_in_between_begins_the_count_anew() -> None:
    breaker = Breaker(POLICY)
    for answer in (BAD, BAD, GOOD, BAD, BAD):
        breaker.record(answer, 0.0)
    assert breaker.state(0.0) == "closed"


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (Reply(301, {}, b"", 0.1), True),
        (Reply(404, {}, b"", 0.1), True),
        (Failure("timeout", "", 0.1), True),
        (Failure("connect", "", 0.1), True),
        (Failure("local", "", 0.1), False),
        (Failure("blocked", "", 0.1), False),
        (Reply(200, {}, b"", 0.1), False),
    ],
    ids=str,
)
def test_what_counts_against_an_endpoint(answer: Reply | Failure, counts: bool) -> None:
    breaker = Breaker(POLICY)
    for _ in range(3):
        breaker.record(answer, 0.0)
    assert (breaker.state(0.0) == "open") is counts


def test_too_many_failures_among_enough_calls_of_the_window_open_it() -> None:
    breaker = Breaker(POLICY)
    for answer in (GOOD, BAD, BAD, GOOD, BAD, BAD, GOOD, BAD, BAD):
        breaker.record(answer, 0.0)
    assert breaker.state(0.0) == "closed"  # nine calls only
    breaker.record(BAD, 1.0)
    assert breaker.state(1.0) == "open"  # seven of ten


def test_calls_older_than_the_window_do_not_count() -> None:
    breaker = Breaker(POLICY)
    for answer in (GOOD, BAD, BAD, GOOD, BAD, BAD, GOOD, BAD, BAD):
        breaker.record(answer, 0.0)
    breaker.record(GOOD, 101.0)
    breaker.record(BAD, 101.0)
    assert breaker.state(101.0) == "closed"


def test_half_open_lets_one_probe_pass() -> None:
    breaker = opened()
    assert [breaker.permit(30.0) for _ in range(3)] == [True, False, False]
    assert breaker.wait(31.0) > 0


def test_a_probe_that_succeeds_closes_it_and_all_is_forgotten() -> None:
    breaker = opened()
    breaker.permit(30.0)
    breaker.record(GOOD, 31.0)
    assert breaker.state(31.0) == "closed"
    breaker.record(BAD, 32.0)
    breaker.record(BAD, 32.0)
    assert breaker.state(32.0) == "closed"


def test_each_probe_that_fails_doubles_the_time_up_to_the_cap() -> None:
    breaker = opened()
    now, waits = 0.0, []
    for _ in range(4):
        now += breaker.wait(now)
        assert breaker.permit(now)
        breaker.record(BAD, now)
        waits.append(breaker.wait(now))
    assert waits == [60.0, 100.0, 100.0, 100.0]


def test_after_closing_the_time_is_the_first_one_again() -> None:
    breaker = opened()
    breaker.permit(30.0)
    breaker.record(BAD, 30.0)
    breaker.permit(90.0)
    breaker.record(GOOD, 90.0)
    for _ in range(3):
        breaker.record(BAD, 91.0)
    assert breaker.wait(91.0) == 30.0


def test_a_probe_that_says_nothing_makes_room_for_another() -> None:
    breaker = opened()
    breaker.permit(30.0)
    breaker.record(Failure("local", "", 0.0), 30.0)
    assert breaker.permit(30.0)


def test_a_probe_that_never_ends_makes_room_for_another_after_a_while() -> None:
    breaker = opened()
    breaker.permit(30.0)
    assert not breaker.permit(59.9)
    assert breaker.permit(60.0)


@pytest.mark.parametrize("late", [GOOD, BAD])
def test_answers_to_requests_sent_before_it_opened_move_nothing(late: Reply) -> None:
    breaker = opened()
    breaker.record(late, 10.0)
    breaker.record(late, 29.0)
    assert (breaker.state(29.0), breaker.wait(29.0)) == ("open", 1.0)
