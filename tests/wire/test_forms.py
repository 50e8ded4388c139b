"""The three forms in which a gateway may write an event, and what the envelope may say."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from streamhooks.model import Entry, Event
from streamhooks.wire import decode

LIMIT = 262_144
ID = "1795428000123-0"
META = {"Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": "abcd"}


def entry(**fields: str | bytes) -> Entry:
    return Entry(ID, {name.encode(): v if isinstance(v, bytes) else v.encode() for name, v in fields.items()})


def packed(document: dict[str, Any]) -> Event:
    """Decoded from JSON; MessagePack must give the same."""
    event = decode(entry(d=json.dumps(document)), LIMIT)
    assert decode(entry(d=msgspec.msgpack.encode(document)), LIMIT) == event
    return event


def test_a_packed_event_carries_its_whole_envelope() -> None:
    event = packed(
        {
            "type": "AuthFailure",
            "meta": META,
            "ts": "2026-11-23T10:00:00Z",
            "api_id": "payments",
            "org_id": "acme",
            "source": "edge-1",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        }
    )
    assert event == Event(
        id=ID,
        type="AuthFailure",
        meta=META,
        timestamp="2026-11-23T10:00:00Z",
        api_id="payments",
        org_id="acme",
        source="edge-1",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )


@pytest.mark.parametrize(
    "document",
    [
        {"type": "AuthFailure", "meta": META, "ts": "t"},
        {"Type": "AuthFailure", "Meta": META, "TimeStamp": "t"},
        {"EventType": "AuthFailure", "EventMetaData": META, "TimeStamp": "t"},
        {"type": "AuthFailure", "meta": META, "TimeStamp": "t"},
        {"type": "AuthFailure", "meta": META, "ts": "t", "Type": "Other", "TimeStamp": "older"},
        {"specversion": "1.0", "type": "AuthFailure", "data": META, "time": "t", "id": "1", "source": ""},
    ],
    ids=["ours", "tyks", "the-older", "mixed", "ours-wins", "cloudevents"],
)
def test_every_spelling_of_a_packed_event_is_the_same_event(document: dict[str, Any]) -> None:
    assert packed(document) == Event(id=ID, type="AuthFailure", meta=META, timestamp="t")


def test_a_cloud_event_brings_source_and_extensions_but_keeps_the_entrys_id() -> None:
    event = packed(
        {
            "specversion": "1.0",
            "id": "A234-1234",
            "type": "com.example.breaker",
            "source": "/gateways/7",
            "data": {"APIID": "payments"},
            "traceparent": "00-ab-cd-01",
        }
    )
    assert (event.id, event.source, event.api_id, event.traceparent) == (ID, "/gateways/7", "payments", "00-ab-cd-01")


@pytest.mark.parametrize("meta", [{}, {"meta": None}], ids=["absent", "null"])
def test_an_event_without_meta_has_an_empty_one(meta: dict[str, Any]) -> None:
    assert packed({"type": "Ping", **meta}).meta == {}


def test_null_in_the_envelope_is_as_good_as_absent() -> None:
    event = packed({"type": "Ping", "ts": None, "api_id": None, "org_id": None, "source": None, "traceparent": None})
    assert event == Event(id=ID, type="Ping", meta={}, timestamp="2026-11-23T10:00:00.123Z")


@pytest.mark.parametrize("meta", [json.dumps(META).encode(), msgspec.msgpack.encode(META)], ids=["json", "msgpack"])
def test_a_split_event_reads_its_envelope_from_fields_and_ignores_others(meta: bytes) -> None:
    event = decode(entry(type="AuthFailure", meta=meta, api_id="payments", colour="red", ts="t"), LIMIT)
    assert event == Event(id=ID, type="AuthFailure", meta=META, timestamp="t", api_id="payments")


def test_a_flat_event_makes_each_other_field_a_member_in_tyks_spelling() -> None:
    event = decode(
        entry(
            type="AuthFailure",
            message="Auth Failure",
            path="/orders/7",
            origin="203.0.113.7",
            key="abcd",
            colour="röt",
            org_id="acme",
            source="edge-1",
            traceparent="00-ab-cd-01",
        ),
        LIMIT,
    )
    assert event.meta == {**META, "colour": "röt"}
    assert (event.org_id, event.source, event.traceparent) == ("acme", "edge-1", "00-ab-cd-01")


def test_a_flat_event_with_both_spellings_of_a_member_keeps_both() -> None:
    event = decode(entry(type="AuthFailure", message="lower", Message="upper"), LIMIT)
    assert event.meta == {"message": "lower", "Message": "upper"}


def test_the_lower_case_members_of_a_map_event_stay_as_tyk_writes_them() -> None:
    assert decode(entry(type="OAuth2ScopeCheckFailed", path="/a", method="GET"), LIMIT).meta == {
        "path": "/a",
        "method": "GET",
    }


def test_d_wins_over_meta_and_meta_over_flat_fields() -> None:
    document = json.dumps({"type": "Packed"})
    assert decode(entry(d=document, meta="{}", type="Split"), LIMIT).type == "Packed"
    assert decode(entry(meta="{}", type="Split", message="m"), LIMIT).meta == {}


@pytest.mark.parametrize(
    ("meta", "api"),
    [
        ({"APIID": "a"}, "a"),
        ({"api_id": "b"}, "b"),
        ({"oauth2_api_id": "c"}, "c"),
        ({"HostInfo": {"MetaData": {"api_id": "d"}}}, "d"),
        ({"APIID": "", "oauth2_api_id": "c"}, "c"),
        ({"APIID": 7, "HostInfo": {"MetaData": []}}, ""),
        ({"HostInfo": "down"}, ""),
        ({"HostInfo": {"MetaData": {"api_id": 7}}}, ""),
    ],
)
def test_the_api_is_found_in_meta_where_the_envelope_does_not_say_it(meta: dict[str, Any], api: str) -> None:
    assert packed({"type": "X", "meta": meta}).api_id == api
    assert decode(entry(type="X", meta=json.dumps(meta)), LIMIT).api_id == api
    assert packed({"type": "X", "meta": meta, "api_id": "said"}).api_id == "said"


@pytest.mark.parametrize(
    ("ts", "timestamp"),
    [
        ("2026-11-23T10:00:00+01:00", "2026-11-23T10:00:00+01:00"),
        (
            "2026-08-21 12:39:47.123456789 +0000 UTC m=+12.345",
            "2026-08-21 12:39:47.123456789 +0000 UTC m=+12.345",
        ),
        ("yesterday", "yesterday"),
        (1_795_428_000, "2026-11-23T10:00:00.000Z"),
        ("1795428000", "2026-11-23T10:00:00.000Z"),
        (1_795_428_000.25, "2026-11-23T10:00:00.250Z"),
        ("1795428000.123456", "2026-11-23T10:00:00.123456Z"),
        (1_795_428_000_123, "2026-11-23T10:00:00.123Z"),
        ("1795428000123", "2026-11-23T10:00:00.123Z"),
        (99_999_999_999, "5138-11-16T09:46:39.000Z"),
        (100_000_000_000, "1973-03-03T09:46:40.000Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        ("", "2026-11-23T10:00:00.123Z"),
    ],
)
def test_a_timestamp_is_text_as_written_or_an_epoch(ts: str | float, timestamp: str) -> None:
    assert packed({"type": "X", "ts": ts}).timestamp == timestamp
    assert packed({"Type": "X", "TimeStamp": ts}).timestamp == timestamp
    assert decode(entry(type="X", ts=str(ts)), LIMIT).timestamp == timestamp


def test_a_msgpack_timestamp_becomes_rfc_3339_text_wherever_it_stands() -> None:
    moment = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
    document = {"type": "X", "ts": moment, "meta": {"ExpiresAt": [moment]}}
    event = decode(entry(d=msgspec.msgpack.encode(document)), LIMIT)
    assert event.timestamp == "2026-11-23T10:00:00.123456Z"
    assert event.meta == {"ExpiresAt": ["2026-11-23T10:00:00.123456Z"]}


def test_msgpack_binary_becomes_text() -> None:
    event = decode(entry(d=msgspec.msgpack.encode({"type": b"X", "meta": {"Key": "schlüssel".encode()}})), LIMIT)
    assert (event.type, event.meta) == ("X", {"Key": "schlüssel"})


@pytest.mark.parametrize(
    ("entry_id", "timestamp"),
    [
        ("1-1", "1970-01-01T00:00:00.001Z"),
        ("1795428000007-3", "2026-11-23T10:00:00.007Z"),
        ("18446744073709551615-0", "9999-12-31T23:59:59.615Z"),
    ],
)
def test_without_a_timestamp_the_entrys_id_gives_it_even_one_that_a_gateway_made_up(
    entry_id: str, timestamp: str
) -> None:
    assert decode(Entry(entry_id, {b"type": b"X"}), LIMIT).timestamp == timestamp


def test_numbers_of_any_length_and_nul_characters_survive() -> None:
    meta = {"big": 2**70, "small": -(2**63), "float": 1e308, "nul": "a\x00b"}
    assert decode(entry(d=json.dumps({"type": "X", "meta": meta})), LIMIT).meta == meta
