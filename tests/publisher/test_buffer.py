"""What is decided without a socket: which events go next, when each ends, and what a refusal means."""

import pytest
import redis.exceptions as redis_says
from hypothesis import given
from hypothesis import strategies as st

from streamhooks.errors import PublishError
from streamhooks.publisher.attempt import Attempt
from streamhooks.publisher.buffer import BATCH, BATCH_BYTES, OVERHEAD, Buffer, Call, Item, counted, ids_of
from streamhooks.publisher.request import xadds
from streamhooks.publisher.trouble import Trouble

AWAY = Trouble("away", "cannot be reached")
DENIED = Trouble("denied", "lets us not publish", lasting=True)
NEVER = float("inf")


def call(until: float = NEVER, replicas: int = 0) -> Call:
    return Call(until, replicas, lambda: None)


def filled(*calls: Call | None) -> tuple[Buffer, list[Item]]:
    buffer = Buffer(10_000_000)
    items = [Item("s", b"%d" % number, owner) for number, owner in enumerate(calls)]
    for item in items:
        buffer.add(item)
    return buffer, items


def test_a_batch_is_bounded_in_events_and_in_bytes() -> None:
    buffer, items = filled(*[None] * (BATCH + 1))
    assert buffer.next() == items[:BATCH]
    large = Buffer(10 * BATCH_BYTES)
    for _ in range(3):
        large.add(Item("s", b"x" * (BATCH_BYTES // 2), None))
    assert len(large.next()) == 2


def test_an_event_larger_than_a_batch_goes_alone_and_one_larger_than_the_buffer_into_an_empty_one() -> None:
    buffer = Buffer(100)
    assert buffer.has_room(b"x" * 2 * BATCH_BYTES)
    buffer.add(Item("s", b"x" * 2 * BATCH_BYTES, None))
    assert not buffer.has_room(b"")
    assert len(buffer.next()) == 1


def test_what_was_not_taken_comes_first_in_the_next_batch() -> None:
    buffer, items = filled(None, None, None)
    batch = buffer.next()
    items[1].id = "1-0"
    buffer.settle(0.0, AWAY)
    buffer.add(Item("s", b"later", None))
    assert [item.data for item in buffer.next()] == [b"0", b"2", b"later"]
    assert batch == items
    assert buffer.stuck


@pytest.mark.parametrize(
    ("until", "trouble", "ended"),
    [
        (10.0, AWAY, False),
        (5.0, AWAY, True),
        (0.0, AWAY, True),
        (10.0, DENIED, True),
        (None, AWAY, False),
        (None, DENIED, False),
    ],
    ids=["patient", "at-its-end", "impatient", "hopeless", "put", "put-and-hopeless"],
)
def test_an_event_ends_without_an_id_only_where_somebody_waits_in_vain(
    until: float | None, trouble: Trouble, ended: bool
) -> None:
    buffer, (item,) = filled(None if until is None else call(until))
    buffer.next()
    item.trouble = trouble
    buffer.settle(5.0, trouble)
    assert item.ended == ended
    assert len(buffer) == (not ended)


def test_who_waits_behind_a_stuck_batch_gives_up_in_time() -> None:
    impatient, patient = call(5.0), call(6.0)
    buffer, items = filled(None, impatient, patient)
    buffer.next()
    late = Item("s", b"late", impatient)
    buffer.add(late)
    buffer.settle(5.0, AWAY)
    assert (late.ended, late.trouble) == (True, AWAY)
    assert not items[2].ended


def test_a_call_is_over_once_each_of_its_events_has_ended() -> None:
    over: list[int] = []
    one = Call(NEVER, 0, lambda: over.append(1))
    buffer, items = filled(one, one)
    buffer.next()
    items[0].id = "1-0"
    buffer.settle(0.0, None)
    assert over == []
    items[1].id = "2-0"
    buffer.settle(0.0, None)
    assert over == [1]
    assert ids_of(one, "place") == ["1-0", "2-0"]


def test_a_call_that_is_dropped_is_sent_no_more_and_leaves_room() -> None:
    one = call()
    buffer, items = filled(one, None, one)
    buffer.drop(one)
    assert buffer.next() == [items[1]]
    assert buffer.size == len(items[1].data) + OVERHEAD


def test_giving_back_ends_everything_and_gives_what_nobody_waits_for() -> None:
    one = call()
    buffer, items = filled(None, one, None)
    buffer.next()
    assert buffer.give_back(AWAY) == [b"0", b"2"]
    assert all(item.ended and item.trouble == AWAY for item in items)
    assert (buffer.size, len(buffer), buffer.next()) == (0, 0, [])


def test_the_next_to_give_up_says_how_long_a_pause_may_be() -> None:
    buffer, _ = filled(None, call(7.0), call(9.0))
    buffer.next()
    assert buffer.patience(5.0) == 2.0
    assert buffer.patience(8.0) == 0.0
    assert filled(None)[0].patience(5.0) == NEVER


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.none()),
        st.tuples(st.just("publish"), st.integers(0, 20)),
        st.tuples(st.just("attempt"), st.sets(st.integers(0, 10))),
        st.tuples(st.just("drop"), st.integers(0, 5)),
    ),
    max_size=40,
)


@given(steps)
def test_whatever_happens_each_event_ends_once_and_the_count_of_bytes_is_right(steps: list[tuple[str, object]]) -> None:
    buffer = Buffer(1 << 20)
    items: list[Item] = []
    calls: list[Call] = []
    over: list[Call] = []
    for now, (step, detail) in enumerate(steps):
        match step, detail:
            case "put", _:
                items.append(Item("s", b"x", None))
                buffer.add(items[-1])
            case "publish", int(until):
                made = Call(until, 0, lambda: None)
                made.over = lambda made=made: over.append(made)  # type: ignore[misc]  # bound now, not later
                calls.append(made)
                items.append(Item("s", b"x", made))
                buffer.add(items[-1])
            case "attempt", set(taken):
                batch = buffer.next()
                for place, item in enumerate(batch):
                    item.id, item.trouble = (f"{place}-0", None) if place in taken else ("", AWAY)
                buffer.settle(now, None if len(taken) >= len(batch) else AWAY)
            case "drop", int(place) if place < len(calls):
                buffer.drop(calls[place])
        left = [item for item in items if not item.ended]
        assert buffer.size == sum(len(item.data) + OVERHEAD for item in left)
        assert len(buffer) == len(left)
    back = buffer.give_back(DENIED)
    assert len(back) == sum(item.call is None and not item.id for item in items)
    assert all(item.ended for item in items)
    assert len(over) == len(set(over)) == len(calls)


def test_an_event_that_is_stuck_is_not_done_however_many_overtake_it() -> None:
    buffer, items = filled(None, call(), call())
    buffer.next()
    items[1].id = items[2].id = "1-0"
    items[0].trouble = DENIED
    buffer.settle(0.0, DENIED)
    assert (buffer.done, buffer.added, len(buffer)) == (0, 3, 1)
    buffer.next()
    items[0].id = "2-0"
    buffer.settle(0.0, None)
    assert (buffer.done, len(buffer)) == (3, 0)


def test_what_is_sent_is_one_xadd_for_each_and_wait_at_the_end() -> None:
    items = [Item("tür", b"{}", None), Item("s", b"[]", None)]
    assert xadds(items, 0, 1.0) == (
        b"*5\r\n$4\r\nXADD\r\n$4\r\nt\xc3\xbcr\r\n$1\r\n*\r\n$1\r\nd\r\n$2\r\n{}\r\n"
        b"*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nd\r\n$2\r\n[]\r\n"
    )
    assert xadds([], 2, 0.25) == b"*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$3\r\n250\r\n"


def test_an_answer_that_was_lost_leaves_a_doubt_that_no_later_attempt_takes_away() -> None:
    items = [Item("s", b"a", None), Item("s", b"b", None)]
    attempt = Attempt(items)
    attempt.sent = True
    items[0].id = "1-0"
    attempt.cut_off(redis_says.ConnectionError("reset"))
    assert [item.unsure for item in items] == [False, True]
    attempt = Attempt(items[1:])
    attempt.refused(items[1], redis_says.OutOfMemoryError("OOM"))
    assert items[1].unsure
    assert items[1].trouble is attempt.trouble


def test_nothing_was_in_doubt_before_it_was_sent() -> None:
    item = Item("s", b"a", None)
    Attempt([item]).cut_off(redis_says.ConnectionError("refused"))
    assert not item.unsure


SAID = {
    "refused": (redis_says.ConnectionError("Error 111"), "away", False),
    "slow": (redis_says.TimeoutError("Timeout reading"), "away", False),
    "loading": (redis_says.BusyLoadingError("Redis is loading"), "away", False),
    "system": (BrokenPipeError("Broken pipe"), "away", False),
    "uvloop": (RuntimeError("unable to perform operation; the handler is closed"), "away", False),
    "replica": (redis_says.ReadOnlyError("You can't write"), "refusing", False),
    "memory": (redis_says.OutOfMemoryError("command not allowed"), "refusing", False),
    "disk": (redis_says.ResponseError("MISCONF Redis is configured to save"), "refusing", False),
    "replicas": (redis_says.ResponseError("NOREPLICAS Not enough good replicas"), "refusing", False),
    "script": (redis_says.ResponseError("BUSY Redis is busy"), "refusing", False),
    "password": (redis_says.AuthenticationError("invalid username-password pair"), "denied", True),
    "permission": (redis_says.NoPermissionError("NOPERM"), "denied", True),
    "no password": (redis_says.ResponseError("NOAUTH Authentication required."), "denied", True),
    "no stream": (redis_says.ResponseError("WRONGTYPE Operation against a key"), "redis", True),
}


@pytest.mark.parametrize(("error", "kind", "lasting"), SAID.values(), ids=SAID.keys())
def test_what_redis_says_is_worth_another_attempt_or_not(error: Exception, kind: str, lasting: bool) -> None:
    trouble = Trouble.of(error)
    assert (trouble.kind, trouble.lasting) == (kind, lasting)
    said = "the connection was reset" if isinstance(error, RuntimeError) else str(error)
    assert f"({said})" in trouble.message


def test_only_the_first_line_of_what_redis_says_is_told() -> None:
    assert "payload" not in Trouble.of(redis_says.ResponseError("ERR no\npayload")).message


def test_a_call_of_which_a_part_was_taken_says_which() -> None:
    one = call()
    _, items = filled(one, one, one)
    items[0].id = "1-0"
    items[1].trouble = items[2].trouble = AWAY
    items[2].unsure = True
    with pytest.raises(PublishError) as raised:
        ids_of(one, "redis://host")
    assert str(raised.value) == (
        "redis://host: 2 of 3 events were not published: Redis cannot be reached; "
        "1 may be in the stream nonetheless, for no answer came"
    )
    assert (raised.value.ids, raised.value.unpublished) == (("1-0", None, None), (b"1", b"2"))
    assert raised.value.why == "cannot be reached"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(1, None, "1 event was"), (2, None, "2 events were"), (1, 1, "1 event was"), (1, 2, "1 of 2 events was")],
)
def test_events_are_counted_in_english(part: int, whole: int | None, said: str) -> None:
    assert counted(part, whole) == said
