"""What is written is read back equal, whatever the event: three forms, and our own records."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhooks.errors import WireError
from streamhooks.event_types import canonical_member
from streamhooks.model import Entry, Event
from streamhooks.wire import ENVELOPE, decode, encode, pack_event, unpack_event

LIMIT = 524_288
ID = "1795428000123-0"

text = st.text(max_size=30)
types = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=128)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=20
)
metas = st.dictionaries(text, values, max_size=6)
envelopes = st.fixed_dictionaries(
    {
        "ts": st.just("2026-11-23T10:00:00Z"),
        "api_id": text.filter(bool),
        "org_id": text,
        "source": text,
        "traceparent": text,
    }
)


def entry(fields: Mapping[str, bytes]) -> Entry:
    return Entry(ID, {name.encode(): value for name, value in fields.items()})


def event_of(type_: str, meta: dict[str, Any], envelope: dict[str, str]) -> Event:
    return Event(
        ID,
        type_,
        meta,
        envelope["ts"],
        envelope["api_id"],
        envelope["org_id"],
        envelope["source"],
        envelope["traceparent"],
    )


@given(types, metas, envelopes)
def test_what_encode_writes_decode_reads(type_: str, meta: dict[str, Any], envelope: dict[str, str]) -> None:
    assert decode(entry(encode(type_, meta, **envelope)), LIMIT) == event_of(type_, meta, envelope)


@given(types, metas, envelopes)
def test_json_and_messagepack_are_the_same_event(type_: str, meta: dict[str, Any], envelope: dict[str, str]) -> None:
    document = {"type": type_, "meta": meta, **envelope}
    expected = event_of(type_, meta, envelope)
    assert decode(entry({"d": json.dumps(document).encode()}), LIMIT) == expected
    assert decode(entry({"d": msgspec.msgpack.encode(document)}), LIMIT) == expected


@given(types, metas, envelopes)
def test_the_split_form_is_the_same_event(type_: str, meta: dict[str, Any], envelope: dict[str, str]) -> None:
    fields = {"type": type_.encode(), **{name: value.encode() for name, value in envelope.items()}}
    expected = event_of(type_, meta, envelope)
    assert decode(entry({**fields, "meta": msgspec.json.encode(meta)}), LIMIT) == expected
    assert decode(entry({**fields, "meta": msgspec.msgpack.encode(meta)}), LIMIT) == expected


@given(types, st.dictionaries(text, text, max_size=6), envelopes)
def test_the_flat_form_is_the_same_event(type_: str, texts: dict[str, str], envelope: dict[str, str]) -> None:
    taken = {name.decode() for name in ENVELOPE} | {"d", "meta"}
    meta = {name: value for name, value in texts.items() if name not in taken and canonical_member(name) == name}
    fields = {"type": type_, **envelope, **meta}
    expected = event_of(type_, meta, envelope)
    assert decode(entry({name: value.encode() for name, value in fields.items()}), LIMIT) == expected


@given(types, metas, envelopes, st.integers(1, 100), text, text)
def test_our_own_records_lose_nothing(
    type_: str, meta: dict[str, Any], envelope: dict[str, str], attempt: int, only: str, run: str
) -> None:
    event = event_of(type_, {**meta, "big": 2**70, "nul": "\x00"}, envelope)
    again = unpack_event(pack_event(event), attempt=attempt, only=only, run=run)
    assert again == msgspec.structs.replace(event, attempt=attempt, only=only, run=run)


def test_what_is_stored_does_not_change_from_attempt_to_attempt() -> None:
    event = Event(id=ID, type="AuthFailure", meta={"Key": "k"}, timestamp="t")
    later = msgspec.structs.replace(event, attempt=7, only="h", run="r")
    assert pack_event(later) == pack_event(event)
    assert pack_event(event) == b'{"type":"AuthFailure","meta":{"Key":"k"},"ts":"t","id":"1795428000123-0"}'


def test_a_record_of_a_newer_release_with_more_members_is_read() -> None:
    assert unpack_event(b'{"type":"X","meta":{},"ts":"t","id":"1-0","later":[1]}') == Event("1-0", "X", {}, "t")


@pytest.mark.parametrize("data", [b"", b"[]", b'{"meta":{}}', b'{"type":"\xff"}', b'{"a":' * 100_000])
def test_a_record_that_is_none_is_said_so(data: bytes) -> None:
    with pytest.raises(WireError, match=r"^a stored event cannot be read \(.*\): it was changed by hand") as raised:
        unpack_event(data)
    assert raised.value.kind == "malformed"


def test_encode_writes_times_and_bytes_as_text() -> None:
    meta = {"ExpiresAt": datetime(2026, 12, 2, tzinfo=UTC), "Key": b"abcd", "Path": ("a", "b")}
    assert encode("X", meta) == {
        "d": b'{"type":"X","meta":{"ExpiresAt":"2026-12-02T00:00:00.000Z","Key":"abcd","Path":["a","b"]}}'
    }


class Colour(StrEnum):
    RED = "red"


def test_encode_takes_enumerations_for_what_they_stand_for() -> None:
    assert encode("X", {"colour": Colour.RED}) == {"d": b'{"type":"X","meta":{"colour":"red"}}'}


def circle() -> dict[str, Any]:
    meta: dict[str, Any] = {}
    meta["self"] = meta
    return meta


@pytest.mark.parametrize(
    ("type_", "meta", "said"),
    [
        ("", {}, "type: has 0 characters: a type has 1 to 128"),
        ("a\nb", {}, "type: holds a control character: leave it out"),
        ("X", {"a": float("inf")}, "meta.a: is inf: JSON has no such number, leave it out"),
        ("X", {1: "a"}, "meta: has the key 1: keys of a map are strings"),
        ("X", {"a": {"b": object()}}, "meta.a.b: is a object: only JSON's values can be sent"),
        ("X", {"a": [datetime(2026, 1, 1)]}, "meta.a[0]: is a time without a zone: give it one"),  # noqa: DTZ001  the fault under test
        (
            "X",
            {"a": datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))},
            "meta.a: is a time outside the years 1 to 9999 in UTC",
        ),
        ("X", {"a": b"\xff"}, "meta.a: byte 0 is not UTF-8: write text in UTF-8, binary data in base64"),
        ("X", {"a": "\ud800"}, "a string holds half a surrogate pair: it has no UTF-8, leave it out"),
        ("X", circle(), "meta: is nested deeper than 64: flatten it"),
    ],
    ids=["empty", "control", "infinity", "key", "object", "naive-time", "late-time", "bytes", "surrogate", "circle"],
)
def test_encode_refuses_what_no_worker_would_decode(type_: str, meta: dict[Any, Any], said: str) -> None:
    with pytest.raises(WireError) as raised:
        encode(type_, meta)
    assert str(raised.value) == said
