"""What is packed for publishing: whatever passes is decoded by every worker, and the rest is told where and why."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhooks.errors import WireError
from streamhooks.model import Entry, Event
from streamhooks.wire import Packed, check, decode, pack
from tests.wire.test_round_trips import envelopes, metas, types

ID = "1795428000123-0"
LIMIT = 262_144


def decoded(packed: Packed) -> Event:
    return decode(Entry(ID, {b"d": packed.data}), LIMIT)


@given(types, metas, envelopes)
def test_what_is_packed_is_decoded_with_the_api_that_chooses_its_partition(
    type_: str, meta: dict[str, Any], envelope: dict[str, str]
) -> None:
    packed = pack(type_, meta, **envelope, max_bytes=LIMIT)
    event = decoded(packed)
    assert (event.type, event.meta, event.api_id) == (type_, meta, envelope["api_id"])
    assert (packed.type, packed.api_id) == (event.type, event.api_id)
    assert check(packed.data, LIMIT) == packed


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes() | st.dates(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner)
        | st.dictionaries(st.text() | st.integers() | st.none(), inner)
        | st.sets(st.text())
    ),
    max_leaves=10,
)


@given(anything, anything, anything, anything, anything)
def test_whatever_is_given_is_refused_or_is_decoded(type_: Any, meta: Any, ts: Any, api_id: Any, source: Any) -> None:
    try:
        packed = pack(type_, meta, ts=ts, api_id=api_id, source=source, max_bytes=LIMIT)
    except WireError:
        return
    assert decoded(packed).api_id == packed.api_id


def test_the_api_is_found_in_meta_where_it_is_not_given() -> None:
    assert pack("X", {"APIID": b"payments"}, max_bytes=LIMIT).api_id == "payments"
    assert check(b'{"Type": "X", "Meta": {"oauth2_api_id": "payments"}}', LIMIT).api_id == "payments"


@pytest.mark.parametrize(
    ("ts", "timestamp"),
    [
        (datetime(2026, 11, 23, 10, tzinfo=UTC), "2026-11-23T10:00:00.000Z"),
        (1_795_428_000, "2026-11-23T10:00:00.000Z"),
        (1_795_428_000.25, "2026-11-23T10:00:00.250Z"),
        ("yesterday", "yesterday"),
        ("", "2026-11-23T10:00:00.123Z"),
        (None, "2026-11-23T10:00:00.123Z"),
    ],
)
def test_a_time_may_be_given_as_text_a_number_or_a_moment(ts: Any, timestamp: str) -> None:
    assert decoded(pack("X", ts=ts, max_bytes=LIMIT)).timestamp == timestamp


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": None}, "type: is missing: every event has a type of 1 to 128 characters"),
        ({"type": 7}, "type: is a number: a type is a string"),
        ({"type": "x" * 129}, "type: has 129 characters: a type has 1 to 128"),
        ({"meta": ["a"]}, "meta: is no map: write a JSON object that begins with { or a MessagePack map"),
        ({"meta": {"a": [float("nan")]}}, "meta.a[0]: is nan: JSON has no such number, leave it out"),
        ({"ts": True}, "ts: is a boolean: it must be RFC 3339 text or an epoch number"),
        ({"ts": datetime(2026, 1, 1)}, "ts: is a time without a zone: give it one"),  # noqa: DTZ001  the fault under test
        ({"api_id": 7}, "api_id: is a number: it must be a string"),
        ({"org_id": b"acme"}, "org_id: is a bytes: it must be a string"),
        ({"source": ["a"]}, "source: is a list: it must be a string"),
        ({"traceparent": {}}, "traceparent: is a map: it must be a string"),
        ({"source": "\udc80"}, "a string holds half a surrogate pair: it has no UTF-8, leave it out"),
        (
            {"meta": {"a": "x" * LIMIT}},
            "the event has 262172 bytes, at most 262144 are read (worker.max_event_bytes): send less",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_no_worker_would_decode_is_refused_with_its_place(given: dict[str, Any], said: str) -> None:
    with pytest.raises(WireError) as raised:
        pack(**{"type": "X", **given}, max_bytes=LIMIT)
    assert str(raised.value) == said


def test_a_number_of_more_digits_than_can_be_read_is_refused() -> None:
    with pytest.raises(WireError, match=r"^meta: holds a number that cannot be written") as raised:
        pack("X", {"a": 10**5000}, max_bytes=LIMIT)
    assert raised.value.kind == "bad_value"
    assert decoded(pack("X", {"a": 10**4299}, max_bytes=LIMIT)).meta == {"a": 10**4299}


def test_what_somebody_else_has_packed_stays_as_it_stands() -> None:
    data = json.dumps({"Type": "X", "Meta": {}}).encode()
    assert check(data, LIMIT) == Packed(data, "X", "")
    with pytest.raises(WireError) as raised:
        check(b'{"meta": {}}', LIMIT)
    assert str(raised.value) == "d.type: is missing: every event has a type of 1 to 128 characters"
