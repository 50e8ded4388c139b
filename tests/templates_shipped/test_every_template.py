"""What all shipped templates have in common."""

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest
from msgspec.structs import replace

from streamhooks.delivery.request import build
from streamhooks.event_types import NAMES, example
from streamhooks.files import SHIPPED
from streamhooks.model import Event
from tests.templates_shipped.shipped import (
    HANDLERS,
    HOSTILE,
    HOSTILE_IDS,
    KEY,
    OWN,
    TEMPLATES,
    body,
    events,
    handler,
    hostile,
)


def parse(template: str, text: str) -> object:
    """The body by a parser of its format; an error of the parser fails the test."""
    match template.rpartition(".")[2]:
        case "json":
            return json.loads(text)
        case "xml":
            return ET.fromstring(text)  # noqa: S314  # rendered by the test itself
        case ending:
            assert ending == "csv"
            return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def shape(parsed: object) -> object:
    """A document without its values: what no value may change."""
    match parsed:
        case dict():
            return {name: shape(member) for name, member in parsed.items()}
        case list():
            return [shape(item) for item in parsed]
        case ET.Element():
            return parsed.tag, sorted(parsed.attrib), [shape(child) for child in parsed]
        case _:
            return "value"


def test_these_templates_are_shipped() -> None:
    assert set(TEMPLATES) == {
        *("cloudevents.json", "default_webhook.json", "discord.json", "event.csv", "event.xml", "opsgenie.json"),
        *("pagerduty.json", "slack.json", "teams.json"),
    }


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("event", events(), ids=lambda event: event.type)
def test_a_template_renders_its_format_for_every_type(template: str, event: Event) -> None:
    assert parse(template, body(template, event)) is not None


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_no_value_changes_the_structure(template: str, text: str) -> None:
    for type in NAMES:
        harmless = parse(template, body(template, hostile(type, "x")))
        assert shape(parse(template, body(template, hostile(type, text)))) == shape(harmless), type


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_no_name_of_a_type_changes_the_structure(template: str, text: str) -> None:
    harmless = parse(template, body(template, replace(example("AuthFailure"), type="Other")))
    assert shape(parse(template, body(template, replace(example("AuthFailure"), type=text)))) == shape(harmless)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("value", [True, 0, 7, 1.5, None, [], ["a", 1], {"a": "b"}, "x"], ids=repr)
def test_members_of_another_kind_than_tyks_do_no_harm(template: str, value: object) -> None:
    """A plug-in may fire events of any type with whatever it likes."""
    for type in NAMES:
        event = example(type)
        odd = replace(event, meta=dict.fromkeys(event.meta, value))
        assert parse(template, body(template, odd)) is not None, type


@pytest.mark.parametrize("template", OWN)
def test_the_key_is_masked(template: str) -> None:
    for event in events():
        assert KEY not in body(template, event), event.type
    assert "5d8e***" in body(template, example("AuthFailure"))


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_originating_request_is_not_shown_even_where_templates_may_see_it(template: str) -> None:
    allowed = handler(template, expose_originating_request=True)
    for event in events():
        request = build(event, allowed)
        assert b"R0VUIC9vcmRlcnMv" not in request.body, event.type


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name != "cloudevents.json"])
def test_the_same_event_at_another_time_has_the_same_body(template: str) -> None:
    for event in events():
        later = replace(event, id="1795428999999-0", timestamp="2026-11-23T11:00:00Z")
        assert body(template, later) == body(template, event), event.type


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_runs_compiled(template: str) -> None:
    assert HANDLERS[template].body.generated is not None


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_says_at_its_head_what_it_is_for(template: str) -> None:
    assert (SHIPPED / template).read_text("utf-8").startswith("{{- /*")
