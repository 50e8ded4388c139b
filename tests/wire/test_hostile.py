"""Entries that are no events: each ends as a WireError that names the field, and nothing else ever escapes."""

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhooks.errors import WireError
from streamhooks.model import Entry
from streamhooks.wire import decode, raw_excerpt

LIMIT = 262_144
ID = "1795428000123-0"
MSGPACK_NAN = b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"
NO_MAP = "is no map: write a JSON object that begins with { or a MessagePack map"
NO_TYPE = "is missing: every event has a type of 1 to 128 characters"
NOT_FINITE = "holds a number that is not finite (NaN, Infinity or beyond 1e308): leave it out"


def fault(fields: dict[bytes, bytes], limit: int = LIMIT) -> WireError:
    with pytest.raises(WireError) as raised:
        decode(Entry(ID, fields), limit)
    return raised.value


def nested(depth: int) -> bytes:
    """A packed event whose deepest list lies `depth` deep; its own map is the first, Meta the second."""
    return b'{"type":"X","meta":{"a":' + b"[" * (depth - 2) + b"]" * (depth - 2) + b"}}"


PACKED_FAULTS = [
    (b"", "not_a_map", f"d: {NO_MAP}"),
    (b"[1,2]", "not_a_map", f"d: {NO_MAP}"),
    (b'"AuthFailure"', "not_a_map", f"d: {NO_MAP}"),
    (b"null", "not_a_map", f"d: {NO_MAP}"),
    (b"\x92\x01\x02", "not_a_map", f"d: {NO_MAP}"),
    (b'{"type":"X","meta":[1]}', "not_a_map", f"d.meta: {NO_MAP}"),
    (b'{"Type":"X","Meta":"text"}', "not_a_map", f"d.Meta: {NO_MAP}"),
    (b'{"specversion":"1.0","type":"X","data":"text"}', "not_a_map", f"d.data: {NO_MAP}"),
    (
        b'{"type":"X"',
        "malformed",
        "d: is not JSON (Input data was truncated): write one whole JSON map",
    ),
    (b'{"type":"X"}}', "malformed", "d: is not JSON (trailing characters (byte 13)): write one whole JSON map"),
    (
        b"\x82\xa4type",
        "malformed",
        "d: is not MessagePack (Input data was truncated): write one whole MessagePack map",
    ),
    (
        b"\xdf\xff\xff\xff\xff",
        "malformed",
        "d: is not MessagePack (Input data was truncated): write one whole MessagePack map",
    ),
    (b'{"type":"\xff"}', "utf8", "d: is not UTF-8: write strings in UTF-8"),
    (b'{"\xff":1,"type":"X"}', "utf8", "d: is not UTF-8: write strings in UTF-8"),
    (b"\x81\xa4type\xa1\xff", "utf8", "d: is not UTF-8: write strings in UTF-8"),
    (
        b"\x81\xa4type\xc4\x01\xff",
        "utf8",
        "d.type: byte 0 is not UTF-8: write text in UTF-8, binary data in base64",
    ),
    (
        rb'{"type":"\ud800"}',
        "utf8",
        r"d: holds half a surrogate pair (\ud800 to \udfff) or is cut short",
    ),
    (b'{"type":"X","meta":{"a":NaN}}', "not_finite", f"d: {NOT_FINITE}"),
    (b'{"type":"X","meta":{"a":[-Infinity]}}', "not_finite", f"d: {NOT_FINITE}"),
    (b'{"type":"X","meta":{"a":1e999}}', "not_finite", f"d: {NOT_FINITE}"),
    (
        b"\x82\xa4type\xa1X\xa4meta\x81\xa1a\x91" + MSGPACK_NAN,
        "not_finite",
        "d.meta.a[0]: is nan: JSON has no such number, leave it out",
    ),
    (b"\x82\xa4type\xa1X\x01\x02", "bad_key", "d: has the key 1: keys of a map are strings"),
    (
        b"\x82\xa4type\xa1X\xa4meta\x81\xa1a\x81\xc4\x01b\x02",
        "bad_key",
        "d.meta.a: has the key b'b': keys of a map are strings",
    ),
    (
        b"\x82\xa4type\xa1X\xa4meta\x81\xa1a\xd4\x05\x01",
        "bad_value",
        "d.meta.a: is a Ext: only JSON's values can be sent",
    ),
    (b"{}", "no_type", f"d.type: {NO_TYPE}"),
    (b'{"type":null}', "no_type", f"d.type: {NO_TYPE}"),
    (b"\x80", "no_type", f"d.type: {NO_TYPE}"),
    (b'{"type":7,"meta":{}}', "bad_type", "d.type: is a number: a type is a string"),
    (b'{"EventType":true}', "bad_type", "d.EventType: is a boolean: a type is a string"),
    (b'{"type":"","meta":{}}', "bad_type", "d.type: has 0 characters: a type has 1 to 128"),
    (
        json.dumps({"type": "x" * 129}).encode(),
        "bad_type",
        "d.type: has 129 characters: a type has 1 to 128",
    ),
    (rb'{"type":"a\nb","meta":{}}', "bad_type", "d.type: holds a control character: leave it out"),
    (rb'{"type":"a\u0085b","meta":{}}', "bad_type", "d.type: holds a control character: leave it out"),
    (b'{"type":"X","api_id":7}', "bad_field", "d.api_id: is a number: it must be a string"),
    (b'{"type":"X","meta":{},"org_id":["a"]}', "bad_field", "d.org_id: is a list: it must be a string"),
    (b'{"type":"X","source":{}}', "bad_field", "d.source: is a map: it must be a string"),
    (b'{"type":"X","traceparent":false}', "bad_field", "d.traceparent: is a boolean: it must be a string"),
    (b'{"type":"X","ts":true}', "bad_field", "d.ts: is a boolean: it must be RFC 3339 text or an epoch number"),
    (
        b'{"type":"X","meta":{},"ts":"' + b"x" * 129 + b'"}',
        "bad_field",
        "d.ts: is no time: write RFC 3339 or an epoch, at most 128 characters, none a control one",
    ),
    (
        b'{"type":"X","TimeStamp":"a\\u0000"}',
        "bad_field",
        "d.TimeStamp: is no time: write RFC 3339 or an epoch, at most 128 characters, none a control one",
    ),
    (
        b'{"type":"X","ts":1e300}',
        "bad_field",
        "d.ts: is an epoch outside the years 1 to 9999: give seconds below 1e11, or milliseconds",
    ),
    (
        b'{"type":"X","ts":"99999999999999999999"}',
        "bad_field",
        "d.ts: is an epoch outside the years 1 to 9999: give seconds below 1e11, or milliseconds",
    ),
    (
        b'{"specversion":"0.3","type":"X"}',
        "bad_field",
        'd.specversion: is no version that is read here: send CloudEvents "1.0"',
    ),
    (
        b'{"specversion":"","type":"X","meta":{}}',
        "bad_field",
        'd.specversion: is no version that is read here: send CloudEvents "1.0"',
    ),
    (
        b'{"specversion":"1.0","type":"X","data_base64":"AA=="}',
        "bad_field",
        "d.data_base64: binary data is not read: send `data` as a JSON object",
    ),
]


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    PACKED_FAULTS,
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else "",
)
def test_a_packed_entry_that_is_no_event_is_told_where_and_why(data: bytes, kind: str, said: str) -> None:
    error = fault({b"d": data})
    assert (error.kind, str(error)) == (kind, said)


FIELD_FAULTS: list[tuple[dict[bytes, bytes], str, str]] = [
    ({}, "no_type", f"type: {NO_TYPE}"),
    ({b"message": b"m"}, "no_type", f"type: {NO_TYPE}"),
    ({b"meta": b"{}"}, "no_type", f"type: {NO_TYPE}"),
    ({b"meta": b"[]", b"type": b"X"}, "not_a_map", f"meta: {NO_MAP}"),
    ({b"meta": b"", b"type": b"X"}, "not_a_map", f"meta: {NO_MAP}"),
    ({b"type": b""}, "bad_type", "type: has 0 characters: a type has 1 to 128"),
    ({b"type": b"a\x07"}, "bad_type", "type: holds a control character: leave it out"),
    (
        {b"type": b"X\xff"},
        "utf8",
        "type: byte 1 is not UTF-8: write text in UTF-8, binary data in base64",
    ),
    (
        {b"type": b"X", b"message": b"\xff"},
        "utf8",
        "message: byte 0 is not UTF-8: write text in UTF-8, binary data in base64",
    ),
    (
        {b"type": b"X", b"a\xff": b"v"},
        "utf8",
        r"field b'a\xff': byte 1 is not UTF-8: write text in UTF-8, binary data in base64",
    ),
    (
        {b"type": b"X", b"ts": b"253402300800", b"api_id": b"\xc3"},
        "utf8",
        "api_id: byte 0 is not UTF-8: write text in UTF-8, binary data in base64",
    ),
]


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    FIELD_FAULTS,
    ids=lambda value: repr(value)[:60] if isinstance(value, dict) else "",
)
def test_split_and_flat_entries_that_are_no_events_are_told_where_and_why(
    fields: dict[bytes, bytes], kind: str, said: str
) -> None:
    error = fault(fields)
    assert (error.kind, str(error)) == (kind, said)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({b"d": b'{"type":"X","meta":{"a":"' + b"x" * 10_485_760 + b'"}}'}, "d: "),
        ({b"type": b"X", b"meta": b'{"a":"' + b"x" * 10_485_760 + b'"}'}, "meta: "),
        ({b"type": b"X", b"message": b"x" * 10_485_760}, ""),
    ],
    ids=["packed", "split", "flat"],
)
def test_ten_megabytes_are_refused_in_every_form_before_they_are_decoded(
    fields: dict[bytes, bytes], place: str
) -> None:
    error = fault(fields)
    size = sum(len(value) for value in fields.values()) + (7 + 4 if place == "" else 0)
    said = f"{place}the event has {size} bytes, at most 262144 are read (worker.max_event_bytes): send less"
    assert (error.kind, str(error)) == ("too_large", said)


def test_an_event_of_exactly_the_limit_is_read_and_one_byte_more_is_not() -> None:
    data = b'{"type":"X","meta":{"a":"xxxx"}}'
    assert decode(Entry(ID, {b"d": data}), len(data)).meta == {"a": "xxxx"}
    assert fault({b"d": data}, len(data) - 1).kind == "too_large"


def test_what_a_split_event_ignores_does_not_count() -> None:
    fields = {b"type": b"X", b"meta": b"{}", b"ignored": b"x" * 1000}
    assert decode(Entry(ID, fields), 100).type == "X"


def test_an_event_may_be_64_deep_in_every_form_and_no_deeper() -> None:
    meta = nested(64)[len(b'{"type":"X","meta":') : -1]
    deepest = {"type": "X", "meta": json.loads(meta)}
    for fields in (
        {b"d": nested(64)},
        {b"d": msgspec.msgpack.encode(deepest)},
        {b"type": b"X", b"meta": meta},
    ):
        assert decode(Entry(ID, fields), LIMIT).meta == deepest["meta"]
    deeper = nested(65)[len(b'{"type":"X","meta":') : -1]
    for place, fields in (
        ("d", {b"d": nested(65)}),
        ("d", {b"d": msgspec.msgpack.encode({"type": "X", "meta": json.loads(deeper)})}),
        ("meta", {b"type": b"X", b"meta": deeper}),
    ):
        error = fault(fields)
        assert (error.kind, str(error)) == ("too_deep", f"{place}: is nested deeper than 64: flatten it")


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"X","meta":{"a":' + b"[" * 100_000,
        nested(100_000),
        b'{"type":' + b'{"a":' * 40_000,
        b"\x81\xa4meta" + b"\x91" * 100_000 + b"\xc0",
        b"\x81\xa4meta" + b"\x81\xa1a" * 80_000 + b"\xc0",
    ],
    ids=["json-open", "json-closed", "json-maps", "msgpack-lists", "msgpack-maps"],
)
def test_a_hundred_thousand_levels_are_refused_without_a_recursion_error(data: bytes) -> None:
    error = fault({b"d": data})
    assert (error.kind, str(error)) == ("too_deep", "d: is nested deeper than 64: flatten it")


def test_many_brackets_side_by_side_or_in_text_are_not_deep() -> None:
    meta: dict[str, Any] = {"flat": [[] for _ in range(500)], "text": "[" * 500}
    assert decode(Entry(ID, {b"d": json.dumps({"type": "X", "meta": meta}).encode()}), LIMIT).meta == meta


def test_a_place_made_of_endless_keys_is_cut() -> None:
    data = msgspec.msgpack.encode({"type": "X", "meta": {"k" * 5000: float("nan")}})
    assert fault({b"d": data}).place == "d.meta." + "k" * 190 + "..."


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_but_a_wire_error(data: bytes) -> None:
    for fields in (
        {b"d": data},
        {b"d": b"{" + data},
        {b"d": b"\x82" + data},
        {b"d": b'{"type":"X","meta":' + data + b"}"},
        {b"type": b"X", b"meta": data},
        {b"type": data, b"ts": data},
        {b"type": b"X", data: data},
    ):
        try:
            event = decode(Entry(ID, fields), LIMIT)
        except WireError:
            continue
        assert 1 <= len(event.type) <= 128
        json.dumps(event.meta, allow_nan=False)


def test_the_excerpt_of_a_small_entry_is_all_of_it_with_length_and_digest() -> None:
    raw = b"d=\xff\x00\nsource=edge-1\n"
    assert raw_excerpt(Entry(ID, {b"d": b"\xff\x00", b"source": b"edge-1"})) == (
        raw,
        len(raw),
        hashlib.sha256(raw).hexdigest(),
    )


def test_the_excerpt_of_ten_megabytes_is_its_first_64_kib() -> None:
    raw = b"a=" + b"x" * 10_000_000 + b"\nb=y\n"
    assert raw_excerpt(Entry(ID, {b"a": b"x" * 10_000_000, b"b": b"y"})) == (
        raw[:65536],
        len(raw),
        hashlib.sha256(raw).hexdigest(),
    )


def test_an_entry_without_fields_has_an_empty_excerpt() -> None:
    assert raw_excerpt(Entry(ID, {})) == (b"", 0, hashlib.sha256(b"").hexdigest())
