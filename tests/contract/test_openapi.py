"""docs/contract/openapi.yaml: valid, as the code says, with every route and every kind of refusal that there is."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from aiohttp import web
from openapi_spec_validator import validate

from streamhooks.admin.api_events import EventsApi
from streamhooks.admin.api_handlers import HandlersApi
from streamhooks.admin.api_history import HistoryApi
from streamhooks.admin.api_letters import LettersApi
from streamhooks.admin.api_story import StoryApi
from streamhooks.admin.api_trial import TrialApi
from streamhooks.ingest.kinds import TYPES
from tests.contract import openapi
from tests.contract.http_operations import EVERYWHERE, OPERATIONS

PACKAGE = Path(__file__).parents[2] / "streamhooks"
DOCUMENT = openapi.document()
BY_METHOD = {f"{told.method.upper()} {told.path}": told for told in OPERATIONS}


def test_the_file_is_what_the_code_says() -> None:
    assert openapi.FILE.read_text() == openapi.text(), "run scripts/contract"


def test_the_document_is_valid_openapi() -> None:
    validate(yaml.safe_load(openapi.FILE.read_text()))
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_route_of_the_api_is_told_and_no_other() -> None:
    nobody = cast("Any", None)  # routes are made without asking anything of a worker
    apis = [HandlersApi, LettersApi, HistoryApi, StoryApi, TrialApi, EventsApi]
    routes: list[web.RouteDef] = [route for api in apis for route in api(nobody).routes()]
    assert {name for name, told in BY_METHOD.items() if told.door == "api"} == {
        f"{route.method} {route.path}" for route in routes
    }


def test_what_needs_no_token_and_what_the_door_takes_is_told() -> None:
    site, door = (PACKAGE / "admin/site.py").read_text(), (PACKAGE / "ingest/door.py").read_text()
    public = re.search(r"public = \{(.*?)\}", site)
    assert public
    health = {told.path for told in OPERATIONS if told.door == "health"}
    assert health == set(re.findall(r'"(/\w+)"', public[1]))
    paths = {told.path for told in OPERATIONS if told.door == "ingest"}
    assert paths == set(re.findall(r'^\w*PATH = "(.+)"$', door, re.MULTILINE))


@pytest.mark.parametrize(("room", "doors"), [("admin", {"api"}), ("ingest", {"ingest"})])
def test_every_kind_of_refusal_is_told(room: str, doors: set[str]) -> None:
    told = {
        (status, word)
        for operation in OPERATIONS
        if operation.door in doors
        for status, words in (*openapi.kinds_of(operation).items(), *EVERYWHERE.items())
        for word in words
    }
    assert raised(room) == told


def raised(room: str) -> set[tuple[int, str]]:
    """What the code of a room refuses with, by status and kind."""
    text = "".join(path.read_text() for path in (PACKAGE / room).glob("*.py"))
    found = {(int(status), kind) for status, kind in re.findall(r'(?:Admin|Ingest)Error\(\s*(\d+), "(\w+)"', text)}
    found |= {(401, kind) for kind in re.findall(r'_unauthorized\("(\w+)"', text)}
    found |= {(400, kind) for kind in re.findall(r'unreadable\("(\w+)"', text)}
    if room == "ingest":
        assert "IngestError(503, kind, " in text
        found |= {(503, kind) for kind in re.findall(r'\("(redis_\w+)", "', text)}
    # What aiohttp raises by itself and nobody has met is told as it comes.
    return {(status, kind) for status, kind in found if kind != "http"}


def test_every_content_type_that_the_door_reads_is_told() -> None:
    for path in ("/v1/events", "/v1/access-log"):
        assert set(DOCUMENT["paths"][path]["post"]["requestBody"]["content"]) == set(TYPES)


def test_every_name_of_an_operation_is_given_once_and_all_are_described() -> None:
    operations = [told for item in DOCUMENT["paths"].values() for name, told in item.items() if name != "servers"]
    names = [told["operationId"] for told in operations]
    assert len(set(names)) == len(names) == len(OPERATIONS)
    assert [name for name, schema in DOCUMENT["components"]["schemas"].items()
            if not name.startswith("Event") and not schema.get("description")] == []  # fmt: skip
