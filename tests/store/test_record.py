"""Records survive their way through Redis, and what is no record of ours is said to be none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhooks.errors import WireError
from streamhooks.store.record import ANSWER_BYTES, Record

NUMBERS = st.integers(0, 2**53)
TEXTS = st.text(max_size=20)
PLAIN: dict[str, Any] = {
    "origin": TEXTS, "handler": TEXTS, "owner": TEXTS, "attempt": NUMBERS, "fingerprint": TEXTS, "type": TEXTS,
    "event": st.binary(max_size=50), "run": TEXTS, "id_run": TEXTS, "force": st.booleans(), "why": TEXTS,
    "reason": TEXTS,
}  # fmt: skip
RECORDS = st.one_of(
    st.builds(Record, **PLAIN),
    st.builds(Record, **PLAIN, status=st.integers(100, 599), answer=st.binary(max_size=ANSWER_BYTES)),
    st.builds(
        Record,
        **PLAIN,
        raw=st.binary(max_size=50),
        raw_length=NUMBERS,
        raw_sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    ),
)


def as_redis_has_it(record: Record) -> dict[bytes, bytes]:
    words = [word if isinstance(word, bytes) else str(word).encode() for word in record.words()]
    return dict(zip(words[::2], words[1::2], strict=True))


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert Record.read(as_redis_has_it(record)) == record


def test_the_times_are_read_as_the_script_wrote_them() -> None:
    fields = as_redis_has_it(Record(origin="1-1")) | {b"first": b"17", b"last": b"18"}
    assert Record.read(fields) == Record(origin="1-1", first=17, last=18)


def test_no_more_of_an_answer_is_stored_than_its_beginning() -> None:
    stored = as_redis_has_it(Record(origin="1-1", status=500, answer=b"x" * (ANSWER_BYTES + 1)))
    assert stored[b"answer"] == b"x" * 2048


def test_a_person_can_read_a_record() -> None:
    record = Record(origin="1-1", handler="slack", owner="1-1|slack", why="answered 503", status=503)
    assert as_redis_has_it(record) == {
        b"v": b"1", b"origin": b"1-1", b"handler": b"slack", b"owner": b"1-1|slack", b"type": b"", b"attempt": b"1",
        b"fp": b"", b"why": b"answered 503", b"status": b"503", b"answer": b"",
    }  # fmt: skip


def test_members_that_a_later_release_adds_are_left_alone() -> None:
    assert Record.read(as_redis_has_it(Record(origin="1-1")) | {b"new": b"?"}) == Record(origin="1-1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({b"v": b"2"}, "v: a record of version 2 is not known to this release"),
        ({b"v": b"one"}, """this is no record of ours: ValueError("invalid literal for int() with base 10: b'one'")"""),
        ({b"attempt": b""}, """this is no record of ours: ValueError("invalid literal for int() with base 10: b''")"""),
        ({b"v": None}, "this is no record of ours: KeyError(b'v')"),
        ({b"origin": None}, "this is no record of ours: KeyError(b'origin')"),
    ],
    ids=["newer", "version is no number", "attempt is no number", "no version", "no origin"],
)
def test_what_is_no_record_of_ours_is_said_to_be_none(change: dict[bytes, bytes | None], message: str) -> None:
    fields = as_redis_has_it(Record(origin="1-1")) | change
    with pytest.raises(WireError) as caught:
        Record.read({name: value for name, value in fields.items() if value is not None})
    assert caught.value.kind == "record"
    assert str(caught.value) == message


def test_text_that_is_no_utf8_is_no_record_of_ours() -> None:
    with pytest.raises(WireError, match=r"^this is no record of ours: UnicodeDecodeError"):
        Record.read(as_redis_has_it(Record(origin="1-1")) | {b"why": b"\xff"})
