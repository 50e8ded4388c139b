"""CloudEvents, XML and CSV: the members that their readers rely on."""

import csv
import io
import xml.etree.ElementTree as ET
from datetime import datetime
from urllib.parse import unquote_plus

import pytest
from msgspec.structs import replace

from streamhooks.event_types import NAMES, example
from streamhooks.model import Event
from tests.templates_shipped.shipped import HOSTILE, HOSTILE_IDS, body, document, events, hostile


@pytest.mark.parametrize("event", events(), ids=lambda event: event.type)
def test_a_cloud_event_has_all_attributes_that_version_1_0_requires(event: Event) -> None:
    made = document("cloudevents.json", event)
    assert made["specversion"] == "1.0"
    assert made["id"] == event.id
    assert made["source"].startswith("/gateway/")
    assert made["type"] == f"io.tyk.{event.type}"
    assert made["datacontenttype"] == "application/json"
    assert made["data"]["event"] == event.type
    assert ("time" in made) == bool(event.timestamp)


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_attributes_of_a_cloud_event_hold_nothing_that_the_format_forbids(text: str) -> None:
    """Section "Type System" of CloudEvents 1.0.2: no control characters; `source` is a URI-reference."""
    for type in NAMES:
        made = document("cloudevents.json", replace(hostile(type, text), type=text))
        for name in ("id", "source", "type"):
            assert made[name].isascii()
            assert made[name].isprintable()
            assert not set(made[name]) & set(' "<>\\^`{|}')
        assert unquote_plus(made["type"].removeprefix("io.tyk.")) == text


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-11-23T10:00:00.250Z", "2026-11-23T10:00:00.25Z"),
        ("2026-11-23T10:00:00+02:00", "2026-11-23T10:00:00+02:00"),
        ("2026-08-21 12:39:47.123456789 +0000 UTC", "2026-08-21T12:39:47Z"),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_time_of_a_cloud_event_is_rfc_3339_or_not_there(written: str, time: str | None) -> None:
    made = document("cloudevents.json", replace(example("HostUp"), timestamp=written))
    assert made.get("time") == time
    assert time is None or datetime.fromisoformat(time).tzinfo is not None


def test_a_cloud_event_tells_what_happened() -> None:
    assert document("cloudevents.json", example("OAuth2ExchangeFailed"))["data"] == {
        "event": "OAuth2ExchangeFailed",
        "org_id": "acme",
        "provider": "idp.example.com",
        "audience": "https://payments.example.com",
        "error": "invalid_grant",
        "error_description": "subject token has expired",
    }


def test_xml_tells_what_happened() -> None:
    root = ET.fromstring(body("event.xml", example("TriggerExceeded")))  # noqa: S314  # rendered by the test itself
    assert (root.tag, root.attrib) == ("event", {"type": "TriggerExceeded"})
    assert {child.tag: child.text for child in root} == {
        "message": "Quota trigger reached",
        "api": "payments",
        "organisation": "acme",
        "key": "5d8e***",
        "used": "83",
    }
    assert root.findall("used")[0].attrib == {"limit": "80"}


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_xml_gives_every_text_back_but_for_what_xml_cannot_hold(text: str) -> None:
    root = ET.fromstring(body("event.xml", hostile("AuthFailure", text)))  # noqa: S314  # rendered by the test itself
    possible = text.replace("\0", "").replace("\x1f", "")
    assert root.findtext("message") == possible
    assert root.findtext("path") == possible


def rows(event: Event) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body("event.csv", event), newline=""), strict=True))


@pytest.mark.parametrize("event", events(), ids=lambda event: event.type)
def test_csv_has_two_lines_of_the_same_columns_for_every_type(event: Event) -> None:
    names, values = rows(event)
    assert names == [
        *("event", "message", "api_id", "org_id", "path", "origin", "key", "reason", "host", "response_code"),
        *("usage_percentage", "cert_id", "provider"),
    ]
    assert len(values) == len(names)
    assert values[0] == event.type


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_csv_gives_every_text_back_and_no_spreadsheet_runs_it(text: str) -> None:
    names, values = rows(hostile("AuthFailure", text))
    shown = dict(zip(names, values, strict=True))["message"]
    assert shown == (f"'{text}" if text.startswith("=") else text)
