"""What is not taken, and the exact answer; nothing of such a request is ever stored."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from streamhooks.errors import ConfigError
from streamhooks.files import load_mapping
from streamhooks.ingest.access import DELAY
from streamhooks.ingest.kinds import TYPES
from tests.flow.rig import Rig
from tests.ingest.asking import BEARER, FORM, JSON, LINES, TOKEN, door, stored

ONE = '{"type": "T", "meta": {}}'


# Events.


async def test_one_bad_event_refuses_all_and_every_bad_one_is_named(rig: Rig) -> None:
    bad = ['{"meta": {}}', '{"type": "T", "meta": []}', "5", '{"type": "T", "meta": {"a": {"b": NaN}}}']
    async with door(rig) as ours:
        answered = await ours.post(f"{ONE}\n\n" + "\n".join(bad), LINES)
    assert answered.refusal == (400, "bad_events", "4 of 5 events are none: nothing was taken")
    no_map = "is no map: write a JSON object that begins with { or a MessagePack map"
    assert answered.json["events"] == [
        {
            "index": 1,
            "line": 3,
            "kind": "no_type",
            "place": "type",
            "reason": "is missing: every event has a type of 1 to 128 characters",
        },
        {"index": 2, "line": 4, "kind": "not_a_map", "place": "meta", "reason": no_map},
        {"index": 3, "line": 5, "kind": "not_a_map", "place": "", "reason": no_map},
        {
            "index": 4,
            "line": 6,
            "kind": "not_finite",
            "place": "",
            "reason": "holds a number that is not finite (NaN, Infinity or beyond 1e308): leave it out",
        },
    ]
    assert await stored(rig) == []


async def test_in_an_array_bad_events_are_named_by_their_place_in_it(rig: Rig) -> None:
    async with door(rig) as ours:
        answered = await ours.post(f'[{ONE}, {{"type": 5}}]')
    assert answered.refusal == (400, "bad_events", "1 of 2 events is none: nothing was taken")
    assert answered.json["events"] == [
        {"index": 1, "kind": "bad_type", "place": "type", "reason": "is a number: a type is a string"}
    ]


async def test_a_body_is_read_as_what_its_content_type_says_and_as_nothing_else(rig: Rig) -> None:
    packed = msgspec.msgpack.encode({"type": "T"})
    async with door(rig) as ours:
        for body, type in (
            (packed, JSON),
            (packed, LINES),
            (ONE, "application/msgpack"),
            ("[" + ONE + "]", "application/msgpack"),
        ):
            assert (await ours.post(body, type)).json["events"][0]["kind"] == "not_a_map", (body, type)
    assert await stored(rig) == []


WHOLE: list[tuple[str, bytes | str, str, str]] = [
    (JSON, "", "empty", "is empty: send an event, or several"),
    (LINES, " \r\n\n ", "empty", "is empty: send an event, or several"),
    (JSON, "[1", "malformed", "is not a whole JSON array (Input data was truncated)"),
    (JSON, "[1] 2", "malformed", "is not a whole JSON array (trailing characters (byte 5))"),
    (JSON, "[" * 5000, "too_deep", "is nested too deep to be events: flatten it"),
    ("application/msgpack", b"\xdd\xff\xff\xff\xff", "malformed",
     "is not a whole MessagePack array (Input data was truncated)"),
    ("application/msgpack", b"\x91" * 5000, "too_deep", "is nested too deep to be events: flatten it"),
    ("application/cloudevents-batch+json", "{}", "not_an_array", "is no JSON array: a batch begins with ["),
]  # fmt: skip


async def test_a_body_that_holds_no_events_is_told_why(rig: Rig) -> None:
    async with door(rig) as ours:
        for type, body, kind, said in WHOLE:
            assert (await ours.post(body, type)).refusal == (400, kind, f"the body {said}")


FORMS = [
    ("message=x", "type", "is missing: every event has a type of 1 to 128 characters"),
    ("type=T&message=Auth Failure", "message",
     "holds b' ' as it is: percent-encode names and values (in a template: urlquery)"),
    ("type=T&path=/a%zz", "path",
     "holds a % that begins no percent-encoding: write it as %25 (in a template: urlquery)"),
    ("type=T&path=%ff", "path", "byte 0 is not UTF-8: write text in UTF-8, binary data in base64"),
    ("type=T&key=1&key=2", "key", "is given twice: keep one of them"),
    ("type=T&=2", "field 2", "has no name: write NAME=VALUE"),
    ("type=T&a[b]=1&a[b]=2", "a[b]", "is given twice: keep one of them"),
    ("type=T&a[b]=1&a[b][c]=2", "a[b][c]", "is a value and has members: keep one of them"),
    ("type=T&path[a]=1&path=2", "Path", "is given with brackets and without: keep one of them"),
    ("type=T&" + "a" + "[b]" * 9 + "=1", "a" + "[b]" * 9, "has more than 8 brackets: flatten it"),
    ("type=T&d=%7B%7D", "d", "stands alone: it is the whole event"),
    ("type=T" + "&a=1" * 1000, "", "the form has more than 1000 fields: send fewer"),
    ("type=T&ts=%09", "ts",
     "is no time: write RFC 3339 or an epoch, at most 128 characters, none a control one"),
]  # fmt: skip


async def test_a_form_that_is_none_is_told_why(rig: Rig) -> None:
    async with door(rig) as ours:
        for body, place, reason in FORMS:
            answered = await ours.post(body, FORM)
            assert answered.refusal == (400, "bad_events", "1 of 1 event is none: nothing was taken")
            [found] = answered.json["events"]
            assert (found["place"], found["reason"]) == (place, reason)
    assert await stored(rig) == []


async def test_an_event_is_bounded_by_the_setting_of_the_worker(rig: Rig) -> None:
    large = json.dumps({"type": "T", "meta": {"a": "x" * 2000}})
    form = "type=T&a=" + "%01" * 600  # 1.8 KB here, six bytes a character as JSON
    async with door(rig, worker={"max_event_bytes": 1500}) as ours:
        said = "the event has 2032 bytes, at most 1500 are read (worker.max_event_bytes): send less"
        assert (await ours.post(large)).json["events"][0]["reason"] == said
        said = "the event has 3628 bytes, at most 1500 are read (worker.max_event_bytes): send less"
        assert (await ours.post(form, FORM)).json["events"][0]["reason"] == said
        said = "the form has 4507 bytes, too many for an event of 1500 (worker.max_event_bytes)"
        assert (await ours.post("type=T&" + "a" * 4500, FORM)).json["events"][0]["reason"] == said


# Content types.


NO_TYPES = [
    ("", "it is empty or none"),
    ("json", "it is empty or none"),
    ("application/json charset=utf-8", "it is empty or none"),
    ("text/plain", "it is another one"),
    ("application/json5", "it is another one"),
    ("application/cloudevents+avro", "it is another one"),
    ("multipart/form-data; boundary=x", "it is another one"),
]


async def test_a_content_type_that_is_not_read_is_refused(rig: Rig) -> None:
    types = ", ".join(TYPES)
    async with door(rig) as ours:
        for type, why in NO_TYPES:
            answered = await ours.post(ONE, type)
            said = f"no Content-Type that is read here, {why}: send one of {types}"
            assert answered.refusal == (415, "wrong_content_type", said)
            assert answered.headers["Accept"] == types


async def test_a_body_in_another_charset_or_compressed_is_refused(rig: Rig) -> None:
    async with door(rig) as ours:
        for charset in ("latin1", '"utf-16"', "UTF-8; charset=latin1"):
            answered = await ours.post(ONE, f"{JSON}; charset={charset}")
            said = "the charset of Content-Type is not utf-8: write the body in UTF-8 and say so"
            assert answered.refusal == (415, "wrong_charset", said)
        for encoding in ("gzip", "br", "identity, gzip"):
            answered = await ours.post(b"\x1f\x8b", headers={"Content-Encoding": encoding})
            said = "the body is compressed (Content-Encoding): send it as it is"
            assert answered.refusal == (415, "compressed", said)
            assert answered.headers["Accept-Encoding"] == "identity"
        assert (await ours.post(ONE, headers={"Content-Encoding": "identity"})).status == 202
        twice = await ours.raw(
            b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
            b"Content-Type: application/json\r\nContent-Type: application/x-ndjson\r\n\r\n{}"
        )
        assert twice.startswith(b"HTTP/1.0 400 ")
        bytes_of = await ours.post('{"type": "T\xe9"}'.encode("latin1"))
        assert bytes_of.json["events"][0]["reason"].startswith("is not UTF-8: write strings in UTF-8")


async def test_binary_mode_wants_json(rig: Rig) -> None:
    async with door(rig) as ours:
        answered = await ours.post(b"<a/>", "text/xml", {"ce-specversion": "1.0", "ce-type": "T"})
    said = "the data of a CloudEvent in binary mode is a JSON object: send Content-Type: application/json"
    assert answered.refusal == (415, "wrong_content_type", said)


# Paths and methods.


async def test_other_paths_methods_and_queries_are_refused(rig: Rig) -> None:
    async with door(rig) as ours:
        for path in ("/", "/v1/event", "/v1/events/", "/metrics"):
            said = "there is nothing at this path; events are published to /v1/events"
            assert (await ours.ask("POST", path)).refusal == (404, "no_such_path", said)
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answered = await ours.ask(method, "/v1/events")
            assert answered.refusal == (405, "wrong_method", f"{method} is not possible here; POST is")
            assert answered.headers["Allow"] == "POST"
        said = "there is nothing to be said in a query: leave it out"
        assert (await ours.post(ONE, path="/v1/events?token=x")).refusal == (400, "bad_query", said)


# Who may publish.


async def test_without_a_good_token_nothing_is_taken(rig: Rig) -> None:
    async with door(rig, ingest={"token": TOKEN}) as ours:
        for header in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}, {"Authorization": TOKEN}):
            answered = await ours.post(ONE, headers=header)
            said = "give a token of ingest.token as Authorization: Bearer TOKEN"
            assert answered.refusal == (401, "no_token", said)
            assert answered.headers["WWW-Authenticate"] == 'Bearer realm="streamhooks"'
        for wrong in (f"{TOKEN}x", TOKEN[:-1], "\u00e9", TOKEN.upper()):
            began = asyncio.get_running_loop().time()
            answered = await ours.post(ONE, headers={"Authorization": f"Bearer {wrong}"})
            assert answered.refusal == (401, "wrong_token", "the token is not one of ingest.token")
            assert answered.headers["WWW-Authenticate"] == 'Bearer realm="streamhooks", error="invalid_token"'
            assert asyncio.get_running_loop().time() - began >= DELAY
        assert (await ours.ask("GET", "/nothing")).status == 401
        assert (await ours.post(ONE, headers=BEARER)).status == 202
        assert (await ours.post(ONE, headers={"Authorization": f"bearer  {TOKEN}"})).status == 202
    assert len(await stored(rig)) == 2
    assert TOKEN not in rig.records.text


async def test_several_tokens_are_good_while_one_is_exchanged(rig: Rig) -> None:
    async with door(rig, ingest={"token": TOKEN, "tokens": ["next-one", ""]}) as ours:
        for token in (TOKEN, "next-one"):
            assert (await ours.post(ONE, headers={"Authorization": f"Bearer {token}"})).status == 202
        assert (await ours.post(ONE, headers={"Authorization": "Bearer last-one"})).status == 401
    async with door(rig, ingest={"tokens": ["next-one"]}) as ours:
        assert (await ours.post(ONE)).status == 401


async def test_a_browsers_page_may_not_publish(rig: Rig) -> None:
    async with door(rig) as ours:
        for headers in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "none"}):
            answered = await ours.post("type=T", FORM, headers)
            assert answered.refusal == (403, "browser", "a browser's page may not publish")
    assert await stored(rig) == []


async def test_without_a_token_the_door_opens_on_a_loopback_address_only(tmp_path: Path) -> None:
    for listen in ("127.0.0.1:0", "localhost:0", "[::1]:0"):
        assert load_mapping({"ingest": {"listen": listen}}, tmp_path).settings.ingest.listen == listen
    open_to_all = {"listen": "0.0.0.0:0", "tokens": ["x"]}
    assert load_mapping({"ingest": open_to_all}, tmp_path).settings.ingest.listen == "0.0.0.0:0"


async def test_a_port_that_is_taken_is_a_fault(rig: Rig) -> None:
    async with door(rig) as ours:
        loaded = rig.loaded(rig.handler(), ingest={"listen": ours.address})
        said = f"cannot listen on {ours.address}: the port is taken; name another address, or end what listens there"
        with pytest.raises(ConfigError) as refused:
            async with rig.running(loaded):
                pass
    assert [str(fault) for fault in refused.value.faults] == [f"configuration: ingest.listen: {said}"]


async def test_without_ingest_listen_there_is_no_door(rig: Rig) -> None:
    async with rig.working(rig.handler()):
        assert rig.records.of("ingest_listens") == []
