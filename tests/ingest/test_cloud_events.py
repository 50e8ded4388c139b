"""CloudEvents 1.0 over HTTP, made by the package of the specification's own people."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tests.flow.rig import Rig
from tests.ingest.asking import Answered, Door, door, stored

DATA: list[dict[str, Any]] = [
    {"Message": "Auth Failure", "Path": "/w", "Key": "abc", "N": 5, "Deep": {"a": [1, None, True]}},
    {"Message": 'quotes " and \\ and \n and \u20ac and \U0001f512', "Path": "/a?b=c&d=%20"},
    {},
]
ATTRIBUTES = {
    "type": "AuthFailure",
    "source": "/gateways/1",
    "id": "a-1",
    "time": datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    "datacontenttype": "application/json",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "subject": 'caf\u00e9 "au lait" 100%',
}


def made(data: dict[str, Any], **attributes: Any) -> CloudEvent:
    return CloudEvent(attributes=ATTRIBUTES | attributes, data=data)


async def sent(ours: Door, message: HTTPMessage) -> Answered:
    return await ours.ask("POST", "/v1/events", {**message.headers}, message.body)


@pytest.mark.parametrize("mode", [to_binary, to_structured], ids=["binary", "structured"])
async def test_an_event_comes_through_in_each_mode(rig: Rig, mode: Any) -> None:
    async with door(rig) as ours:
        for data in DATA:
            assert len((await sent(ours, mode(made(data), JSONFormat()))).ids) == 1
    events = await stored(rig)
    assert [event.meta for event in events] == DATA
    for event in events:
        assert (event.type, event.source) == ("AuthFailure", "/gateways/1")
        assert event.timestamp == "2026-11-23T10:00:00Z"
        assert event.traceparent == ATTRIBUTES["traceparent"]


async def test_the_attributes_of_a_binary_event_are_unquoted_and_decoded(rig: Rig) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": '"/a\\"b%20\u20ac"', "ce-type": "Caf%C3%A9"}
    async with door(rig) as ours:
        assert (await ours.post(b'{"Key": "k"}', headers=headers)).status == 202
        assert (await ours.post(b"", "", headers=headers)).status == 202
        assert (await ours.post(b"{}", "application/vnd.acme+json; charset=utf-8", headers=headers)).status == 202
    events = await stored(rig)
    assert [(event.type, event.source) for event in events] == [("Caf\u00e9", '/a"b \u20ac')] * 3
    assert [event.meta for event in events] == [{"Key": "k"}, {}, {}]


async def test_a_batch_comes_through_and_may_be_empty(rig: Rig) -> None:
    batch = [
        json.loads(to_structured(made(data, id=str(number)), JSONFormat()).body) for number, data in enumerate(DATA)
    ]
    type = "application/cloudevents-batch+json; charset=utf-8"
    async with door(rig) as ours:
        assert len((await ours.post(json.dumps(batch), type)).ids) == 3
        assert (await ours.post("[]", type)).ids == []
    assert [event.meta for event in await stored(rig)] == DATA


async def test_structured_mode_wins_over_attributes_in_headers(rig: Rig) -> None:
    message = to_structured(made({"Key": "body"}), JSONFormat())
    async with door(rig) as ours:
        await sent(ours, HTTPMessage({**message.headers, "ce-specversion": "1.0", "ce-type": "Other"}, message.body))
    [event] = await stored(rig)
    assert (event.type, event.meta) == ("AuthFailure", {"Key": "body"})


BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "T"}
BAD: list[tuple[dict[str, str], bytes, str, str]] = [
    ({}, b"[1]", "data", "is no map: write a JSON object that begins with { or a MessagePack map"),
    (
        {}, b'{"a": 1}, "type": "Forged", "data": {}', "data",
        "is not JSON (trailing characters (byte 9)): write one whole JSON map",
    ),
    ({"ce-specversion": "0.3"}, b"{}", "specversion", 'is no version that is read here: send CloudEvents "1.0"'),
    ({"ce-data": "{}"}, b"{}", "ce-data", "is no attribute of an event: names are of a to z and 0 to 9"),
    ({"ce-api_id": "x"}, b"{}", "ce-api_id", "is no attribute of an event: names are of a to z and 0 to 9"),
    ({"ce-subject": "%ff"}, b"{}", "ce-subject", "byte 0 is not UTF-8: write text in UTF-8, binary data in base64"),
    ({"ce-type": "%00"}, b"{}", "type", "holds a control character: leave it out"),
    ({"ce-type": "x" * 129}, b"{}", "type", "has 129 characters: a type has 1 to 128"),
]  # fmt: skip


async def test_a_binary_event_that_is_none_is_told_why(rig: Rig) -> None:
    async with door(rig) as ours:
        for headers, body, place, reason in BAD:
            answered = await ours.post(body, headers=BINARY | headers)
            assert answered.refusal == (400, "bad_events", "1 of 1 event is none: nothing was taken")
            [found] = answered.json["events"]
            assert (found["place"], found["reason"]) == (place, reason)


async def test_what_the_content_type_calls_a_cloud_event_is_one(rig: Rig) -> None:
    said = "is missing: the Content-Type says that this is a CloudEvent, which has one"
    packed = '{"type": "T", "meta": {}}'
    async with door(rig) as ours:
        one = await ours.post(packed, "application/cloudevents+json")
        many = await ours.post(f"[{packed}]", "application/cloudevents-batch+json")
        twice = await ours.raw(
            b"POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nce-specversion: 1.0\r\n"
            b"ce-type: A\r\nce-type: B\r\n\r\n"
        )
    for answered in (one, many):
        assert answered.json["events"] == [{"index": 0, "kind": "bad_field", "place": "specversion", "reason": said}]
    assert b'"place":"ce-type","reason":"is given twice: keep one of them"' in twice
    assert await stored(rig) == []
