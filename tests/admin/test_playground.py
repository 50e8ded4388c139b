"""`/api/v1/render` and `/api/v1/fire`: what would be sent, and what comes of sending it."""

import asyncio
import json
from itertools import product
from typing import Any

from msgspec.structs import replace

from tests.admin.asking import ANY_PORT, door, opened
from tests.doors.command import command
from tests.flow.rig import Rig
from tests.servers import Answer

EVENT = {"type": "AuthFailure", "meta": {"Key": "5d8e1c0fa2b7", "Message": "no", "Path": "/w"}}


async def test_the_request_is_the_one_that_the_command_line_shows(rig: Rig) -> None:
    handler = rig.handler(header_map={"Authorization": "Bearer secret-of-ours", "X-Team": "security"})
    async with door(rig, handler) as ours:
        told = await ours.done("/api/v1/render", {"handler": "h", "event": "AuthFailure"})
    words = ("--handler", "h", "--event", "AuthFailure", "--config", rig.written(handler))
    ran = await command("render", "--json", *words)
    assert {name: told[name] for name in ran.json} == ran.json
    assert (told["unfired"], told["signed"]) == ("", False)
    assert ["Authorization", "***"] in told["headers"]
    assert "secret-of-ours" not in str(told)
    assert rig.endpoint.received == []


async def test_a_pasted_event_and_another_template_are_tried(rig: Rig) -> None:
    async with door(rig) as ours:
        text = '{"what": "{{ .Meta.Message }} at {{ .Meta.Path }}"}'
        told = await ours.done("/api/v1/render", {"handler": "h", "event": EVENT, "template": text})
        again = await ours.done("/api/v1/render", {"handler": "h", "event": EVENT})
    assert json.loads(told["body"]) == {"what": "no at /w"}
    assert json.loads(again["body"])["message"] == "no", "the handler itself has stayed as it was"
    assert told["fingerprint"] != again["fingerprint"]


async def test_without_an_event_the_first_example_that_fires_is_taken(rig: Rig) -> None:
    async with door(rig, rig.handler(on=["Quota*"])) as ours:
        told = await ours.done("/api/v1/render", {"handler": "h"})
        example = await ours.got("/api/v1/examples/QuotaExceeded")
    assert json.loads(told["body"])["event"] == "QuotaExceeded"
    assert example["meta"]["Key"]


async def test_where_a_worker_would_not_send_it_that_is_said(rig: Rig) -> None:
    handler = rig.handler(on=["KeyExpired", "AuthFailure"], when='{{ eq .APIID "payments" }}')
    async with door(rig, handler) as ours:
        told = await ours.done("/api/v1/render", {"handler": "h", "event": EVENT})
        assert told["unfired"] == "the condition (when) of h does not hold for this event"
        told = await ours.done("/api/v1/render", {"handler": "h", "event": {"type": "HostDown", "meta": {}}})
        assert told["unfired"] == "no HostDown event of this API and organisation fires h"


REFUSED: list[tuple[Any, int, str, str]] = [
    ({}, 400, "bad_request", "the body cannot be used: Object missing required field `handler`"),
    ({"handler": "x"}, 404, "no_such_handler", "there is no handler of this id; the configuration has h"),
    (
        {"handler": "h", "event": 5},
        400,
        "bad_request",
        "the body cannot be used: Expected `str | object`, got `int` - at `$.event`",
    ),
    (
        {"handler": "h", "event": {"meta": {}}},
        422,
        "no_type",
        "the event: type: is missing: every event has a type of 1 to 128 characters",
    ),
    ({"handler": "h", "template": "{{ .Meta.Key"}, 422, "parse", "unclosed action"),
    ({"handler": "h", "template": '{"a": {{ range .Meta }}1,{{ end }}}'}, 422, "json", "JSON"),
    ({"handler": "h", "template": "x" * 65000 + "{{ .ID }}"}, 422, "json", "JSON"),
]


async def test_what_cannot_be_tried_is_refused(rig: Rig) -> None:
    async with door(rig) as ours:
        for path, (body, status, kind, said) in product(["/api/v1/render", "/api/v1/fire"], REFUSED):
            refusal = (await ours.post(path, body)).refusal
            assert refusal[:2] == (status, kind)
            assert said in refusal[2]
    assert rig.endpoint.received == []


async def test_a_test_request_is_sent_once_outside_of_stream_and_cool_down(rig: Rig) -> None:
    handler = rig.handler(event_timeout=60, header_map={"Authorization": "Bearer secret-of-ours"})
    rig.endpoint.script(Answer(201, b"key 5d8e1c0fa2b7 by secret-of-ours", headers={"X-Seen": "secret-of-ours"}))
    async with door(rig, handler) as ours:
        first = await ours.done("/api/v1/fire", {"handler": "h", "event": EVENT})
        second = await ours.done("/api/v1/fire", {"handler": "h", "event": EVENT})
    assert len(rig.endpoint.received) == 2
    assert rig.endpoint.received[0].headers["authorization"] == "Bearer secret-of-ours"
    answer = first["answer"]
    assert (answer["status"], answer["body"], answer["headers"]["x-seen"]) == (201, "key *** by ***", "***")
    ids = [dict(told["request"]["headers"])["webhook-id"] for told in (first, second)]
    assert ids == [request.headers["webhook-id"] for request in rig.endpoint.received]
    assert len(set(ids)) == 2
    assert await rig.cool_downs() == {}


async def test_an_endpoint_that_does_not_answer_is_an_answer_too(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="reset"))
    async with door(rig) as ours:
        told = await ours.done("/api/v1/fire", {"handler": "h"})
    assert told["answer"]["failure"] in {"connect", "protocol"}


async def test_no_more_than_four_test_requests_are_under_way(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with door(rig) as ours:
        four = [asyncio.create_task(ours.done("/api/v1/fire", {"handler": "h"})) for _ in range(4)]
        await rig.endpoint.wait_for(4)
        answered = await ours.post("/api/v1/fire", {"handler": "h"})
        assert answered.refusal == (429, "too_many", "4 test requests are under way; wait for one of them")
        rig.endpoint.release()
        await asyncio.gather(*four)


async def test_a_test_request_takes_the_guarded_way(rig: Rig) -> None:
    loaded = rig.loaded(rig.handler(), admin=ANY_PORT)
    (handler,) = loaded.handlers
    shut = replace(handler, route=replace(handler.route, allow_cidrs=()))
    async with rig.running(replace(loaded, handlers=(shut,))) as worker, opened(rig, worker) as ours:
        told = await ours.done("/api/v1/fire", {"handler": "h"})
    assert told["answer"]["failure"] == "blocked"
    assert rig.endpoint.received == []
