"""A running worker is asked over HTTP whatever the OpenAPI document allows, and what it does not.

It must answer just what the document says: a status that is told there, the media type, the members, none of them more
and none less, and never an error of its own. The answers are closed here, so that a member which nobody has told of is
found; in the document they are open, for members may be added. Everything is derandomized: a failure is one again.
"""

import asyncio
import copy
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from streamhooks.store.pauses import Pauses
from tests.admin.asking import TOKEN
from tests.contract import openapi
from tests.contract.http_operations import CONFIRMS, OPERATIONS, Operation
from tests.contract.openapi import JSON
from tests.flow.conftest import records, rig
from tests.flow.rig import Rig

__all__ = ["records", "rig"]
Fuzzed: TypeAlias = APIOperation[Any, Any, Any, Any]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = "events"
"""Its answer never ends; tests/admin/test_feed.py reads it."""
CONSTANT = settings(
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""How each operation is asked: the same every time."""
GOOD: dict[str, dict[str, Any]] = {
    "pauseHandler": {"why": "maintenance", "for": "1h"},
    "resumeHandler": {"rate": "50/s"},
    "replayDeadLetters": {"all": True},
    "replayHistory": {"all": True, "dry_run": True},
    "render": {"handler": "h", "event": "AuthFailure"},
    "fire": {"handler": "h"},
    "publish": {"type": "AuthFailure", "meta": {"Key": "abc"}},
    "publishRecords": {"type": ""},
}
"""Bodies that are rarely met by chance."""
CONFIRMED = {CONFIRMS["name"]: CONFIRMS["const"]}
UNWRITTEN = ("msgpack", "ndjson")
"""Media types that the fuzzer cannot write; tests/ingest/test_any_request.py does."""


def closed() -> dict[str, Any]:
    """The document with answers that may hold nothing else, and without what cannot be written."""
    document = copy.deepcopy(openapi.document())
    for schema in document["components"]["schemas"].values():
        if schema.get("additionalProperties") is True:
            schema["additionalProperties"] = False
    for item in document["paths"].values():
        item.pop("servers")
        content = item.get("post", {}).get("requestBody", {}).get("content", {})
        for kind in [kind for kind in content if kind.endswith(UNWRITTEN)]:
            del content[kind]
    return document


SCHEMA = schemathesis.openapi.from_dict(closed())
FOUND: dict[str, Fuzzed] = {
    result.ok().definition.raw["operationId"]: result.ok()
    for result in SCHEMA.get_all_operations()
    if isinstance(result, Ok)
}


@pytest.mark.parametrize("told", [told for told in OPERATIONS if told.name != ENDLESS], ids=lambda told: told.name)
async def test_a_worker_answers_as_the_document_says(told: Operation, rig: Rig) -> None:
    rig.endpoint.script(422, 200)
    sections = {"admin": {"listen": "127.0.0.1:0"}, "ingest": {"listen": "127.0.0.1:0"}}
    async with rig.working(rig.handler(event_timeout=60), rig.handler("quiet", on=["Nothing"]), **sections):
        dead, delivered = await rig.publish("a"), await rig.publish("b")
        await rig.settled(dead=1, delivered=1)
        listening = "ingest_listens" if told.door == "ingest" else "admin_listens"
        (said,) = rig.records.of(listening)
        known = {"id": "h" if "/handlers/" in told.path else dead, "type": "AuthFailure"}
        if told.name == "resumeHandler":
            await Pauses(rig.redis, rig.keys).pause("h", "operator", "", 0)
        seen = await asyncio.to_thread(asked, FOUND[told.name], f"http://{said['address']}", known)
        assert seen[told.status], f"never answered as it should be where all is well: {seen}"
        assert delivered
    assert rig.records.of("admin_failed", "ingest_failed", "internal_error") == []


async def test_without_the_token_everything_but_health_is_refused_as_the_document_says(rig: Rig) -> None:
    sections = {"admin": {"listen": "127.0.0.1:0", "token": TOKEN}, "ingest": {"listen": "127.0.0.1:0", "token": TOKEN}}
    async with rig.working(rig.handler(), **sections):
        addresses = {"ingest": rig.records.of("ingest_listens"), "api": rig.records.of("admin_listens")}
        for told in OPERATIONS:
            if told.door != "health":
                url = f"http://{addresses[told.door][0]['address']}"
                assert await asyncio.to_thread(status_without_token, FOUND[told.name], url) == 401, told.name


def status_without_token(operation: Fuzzed, url: str) -> int:
    """What a good request without a token is answered."""
    there = {parameter.name: "1795428000000-0" for parameter in operation.path_parameters}
    case = operation.Case(path_parameters=there, headers=CONFIRMED)
    if body := GOOD.get(operation.definition.raw["operationId"]):
        case = operation.Case(path_parameters=there, headers=CONFIRMED, body=body, media_type=JSON)
    return int(case.call_and_validate(base_url=url, checks=CHECKS, timeout=10).status_code)


def asked(operation: Fuzzed, url: str, known: Mapping[str, str]) -> Counter[int]:
    """Asks what is good, what is allowed and what is not, of what there is and of what there is not.

    How often each status was answered.
    """
    seen: Counter[int] = Counter()
    there = {parameter.name: known[parameter.name] for parameter in operation.path_parameters}
    with requests.Session() as session:

        def ask(case: Case[Any]) -> None:
            seen[case.call_and_validate(base_url=url, session=session, checks=CHECKS, timeout=10).status_code] += 1

        name = operation.definition.raw["operationId"]
        if name in GOOD:
            ask(operation.Case(path_parameters=there, headers=CONFIRMED, body=GOOD[name], media_type=JSON))
        for mode in GenerationMode:
            for paths in [None, there] if there else [None]:
                try:
                    asked_at_random(ask, operation.as_strategy(generation_mode=mode, path_parameters=paths))
                except Unsatisfiable:  # what takes nothing cannot be asked what it does not take
                    assert mode is GenerationMode.NEGATIVE
    return seen


def asked_at_random(ask: Callable[[Case[Any]], None], strategy: Any) -> None:
    """Asks CONSTANT.max_examples times."""

    @CONSTANT
    @given(case=strategy)
    def answers(case: Case[Any]) -> None:
        ask(case)

    answers()
