"""Every kind of body that is taken, and what of it lies in the stream."""

import json

import msgspec

from streamhooks.store.connection import ask
from tests.flow.rig import STREAM, Rig
from tests.ingest.asking import FORM, JSON, LINES, RECORDS, door, ids_of, stored

EVENT = {"type": "AuthFailure", "meta": {"Message": "Auth Failure", "Path": "/w", "N": 5}, "api_id": "orders"}
OTHER = {"type": "KeyExpired", "meta": {"Key": "abc"}}
TYKS = {"Type": "AuthFailure", "Meta": {"Message": "m", "Key": "k"}, "TimeStamp": "2026-08-21 12:39:47.1 +0000 UTC"}
CLOUD = {"specversion": "1.0", "id": "1", "source": "/gw", "type": "AuthFailure", "data": {"Key": "k"}}


async def test_one_event_is_stored_as_it_was_written_and_delivered(rig: Rig) -> None:
    sent = b' {"type": "AuthFailure",  "meta": {"key": "abc"}}\r\n'
    async with door(rig, rig.handler()) as ours:
        answered = await ours.post(sent, f"{JSON}; charset=utf-8")
        await rig.settled(delivered=1)
    assert answered.status == 202
    assert answered.headers["Cache-Control"] == "no-store"
    [(id, fields)] = await ask(rig.redis, "XRANGE", STREAM, "-", "+")
    assert answered.json == {"ids": [id.decode()]}
    assert fields == {b"d": sent.strip()}
    assert len(rig.endpoint.received) == 1


MANY: list[tuple[str, bytes | str]] = [
    (JSON, json.dumps([EVENT, OTHER])),
    (JSON, "\ufeff" + json.dumps([EVENT, OTHER], indent=2)),
    (LINES, f"{json.dumps(EVENT)}\n\r\n  {json.dumps(OTHER)}"),
    ("application/ndjson", f"{json.dumps(EVENT)}\n{json.dumps(OTHER)}\n"),
    ("application/msgpack", msgspec.msgpack.encode([EVENT, OTHER])),
    ('APPLICATION/JSON ; charset="UTF-8"', json.dumps([EVENT, OTHER])),
]


async def test_several_events_are_stored_in_order_and_their_ids_told_in_it(rig: Rig) -> None:
    async with door(rig) as ours:
        for type, body in MANY:
            ids = (await ours.post(body, type)).ids
            events = (await stored(rig))[-2:]
            assert ids == ids_of(events)
            assert [(event.type, event.meta, event.api_id) for event in events] == [
                ("AuthFailure", EVENT["meta"], "orders"),
                ("KeyExpired", OTHER["meta"], ""),
            ]
    assert len(await stored(rig)) == 2 * len(MANY)


async def test_every_spelling_of_the_packed_form_is_taken(rig: Rig) -> None:
    async with door(rig) as ours:
        await ours.post(json.dumps([EVENT, TYKS, CLOUD]))
        await ours.post(msgspec.msgpack.encode(EVENT), "application/x-msgpack")
        await ours.post(msgspec.msgpack.encode(EVENT), "application/vnd.msgpack")
    first, tyks, cloud, *packed = await stored(rig)
    assert first.meta == EVENT["meta"]
    assert (tyks.type, tyks.meta, tyks.timestamp) == ("AuthFailure", TYKS["Meta"], TYKS["TimeStamp"])
    assert (cloud.type, cloud.meta, cloud.source) == ("AuthFailure", {"Key": "k"}, "/gw")
    assert [event.meta for event in packed] == [EVENT["meta"]] * 2


async def test_an_empty_array_is_a_statement_and_no_fault(rig: Rig) -> None:
    async with door(rig) as ours:
        assert (await ours.post("[]")).ids == []
        assert (await ours.post(b"\x90", "application/msgpack")).ids == []
    assert await stored(rig) == []


# Forms.


async def test_a_form_is_the_flat_form(rig: Rig) -> None:
    body = (
        "type=AuthFailure&message=Auth+Failure&path=%2Fw%3Fa%3D1%26b&origin=10.0.0.1&key=&api_id=orders&ts=1790000000"
    )
    async with door(rig) as ours:
        await ours.post(body, FORM)
    [event] = await stored(rig)
    assert (event.type, event.api_id, event.timestamp) == ("AuthFailure", "orders", "2026-09-21T14:13:20.000Z")
    assert event.meta == {"Message": "Auth Failure", "Path": "/w?a=1&b", "Origin": "10.0.0.1", "Key": ""}


async def test_brackets_in_a_form_nest(rig: Rig) -> None:
    body = (
        "type=HostDown&hostinfo[CheckURL]=http://h/&hostinfo[MetaData][api_id]=orders&hostinfo%5BMethod%5D=GET"
        "&scopes[]=a&scopes[]=b&either[0][]=c&either[1][]=d&either[1][]=e&odd[1]=x"
    )
    async with door(rig) as ours:
        await ours.post(body, FORM)
    [event] = await stored(rig)
    assert event.meta == {
        "HostInfo": {"CheckURL": "http://h/", "MetaData": {"api_id": "orders"}, "Method": "GET"},
        "scopes": ["a", "b"],
        "either": [["c"], ["d", "e"]],
        "odd": {"1": "x"},
    }
    assert event.api_id == "orders"


async def test_a_form_may_hold_the_split_and_the_packed_form(rig: Rig) -> None:
    async with door(rig) as ours:
        await ours.post("type=AuthFailure&meta=%7B%22N%22%3A5%7D&ts=1790000000", FORM)
        await ours.post("d=%7B%22type%22%3A%22KeyExpired%22%7D", FORM)
    split, packed = await stored(rig)
    assert (split.type, split.meta, split.timestamp) == ("AuthFailure", {"N": 5}, "2026-09-21T14:13:20.000Z")
    assert (packed.type, packed.meta) == ("KeyExpired", {})


async def test_the_plus_that_an_html_template_has_escaped_is_a_plus(rig: Rig) -> None:
    async with door(rig) as ours:
        await ours.post("type=AuthFailure&message=Auth&#43;Failure&path=a%2Bb&#43;c\n", FORM)
    [event] = await stored(rig)
    assert event.meta == {"Message": "Auth Failure", "Path": "a+b c"}


# Records of access logs.


async def test_of_an_access_log_only_the_records_with_a_type_are_events(rig: Rig) -> None:
    body = json.dumps([EVENT, {"meta": {}}, {"type": "", "meta": {}}, {"type": None, "status": 200}, CLOUD])
    async with door(rig) as ours:
        answered = await ours.post(body, path=RECORDS)
        alone = await ours.post('{"status": 200}', path=RECORDS)
        packed = await ours.post(msgspec.msgpack.encode({"type": ""}), "application/msgpack", path=RECORDS)
    assert (answered.ids, answered.json["skipped"]) == (ids_of(await stored(rig)), 3)
    assert alone.json == packed.json == {"ids": [], "skipped": 1}
    assert [(event.type, event.meta) for event in await stored(rig)] == [
        ("AuthFailure", EVENT["meta"]),
        ("AuthFailure", {"Key": "k"}),
    ]


async def test_of_a_record_nothing_is_kept_but_the_envelope_and_meta(rig: Rig) -> None:
    record = TYKS | {"api_id": "orders", "request": {"headers": {"authorization": "Bearer canary"}}}
    async with door(rig) as ours:
        await ours.post(json.dumps(record), path=RECORDS)
    [(_, fields)] = await ask(rig.redis, "XRANGE", STREAM, "-", "+")
    assert b"canary" not in fields[b"d"]
    [event] = await stored(rig)
    assert (event.meta, event.timestamp, event.api_id) == (TYKS["Meta"], TYKS["TimeStamp"], "orders")


async def test_a_record_without_meta_is_flat(rig: Rig) -> None:
    record = {"type": "AuthFailure", "message": "401", "path": "/w", "status": 401, "ts": "1790000000", "source": "gw"}
    async with door(rig) as ours:
        await ours.post(json.dumps(record), path=RECORDS)
    [event] = await stored(rig)
    assert event.meta == {"Message": "401", "Path": "/w", "status": 401}
    assert (event.timestamp, event.source) == ("2026-09-21T14:13:20.000Z", "gw")


async def test_a_record_whose_type_is_wrong_is_no_silence(rig: Rig) -> None:
    wrongs = (
        {"type": 5},
        {"type": "x" * 129},
        {"specversion": "1.0"},
        {"type": "T", "meta": 5},
        {"type": "T", "ts": []},
    )
    async with door(rig) as ours:
        for wrong in wrongs:
            assert (await ours.post(json.dumps(wrong), path=RECORDS)).status == 400, wrong
        assert (await ours.post("5", path=RECORDS)).status == 400
    assert await stored(rig) == []


async def test_events_of_one_kind_meet_in_one_partition(rig: Rig) -> None:
    async with door(rig, stream={"partitions": 3}) as ours:
        body = json.dumps([{"type": "T", "meta": {}, "api_id": str(number % 9)} for number in range(90)])
        assert len((await ours.post(body)).ids) == 90
    apis = [{event.api_id for event in await stored(rig, f"gateway:events:{number}")} for number in range(3)]
    assert set.union(*apis) == {str(number) for number in range(9)}
    assert sum(len(found) for found in apis) == 9
