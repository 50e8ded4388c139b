"""PagerDuty and Opsgenie: what becomes one alert, and what ends it."""

from typing import Any

import pytest
from msgspec.structs import replace

from streamhooks.event_types import NAMES, example
from streamhooks.model import Event
from tests.templates_shipped.shipped import HOSTILE, HOSTILE_IDS, document, events, hostile

INFO = {
    *("HostUp", "BreakerReset", "RateLimitSmoothingUp", "RateLimitSmoothingDown", "OAuth2ExchangeSucceeded"),
    *("TokenCreated", "TokenUpdated", "TokenDeleted"),
}
CRITICAL = {"HostDown", "BreakerTripped", "BreakerTriggered", "CertificateExpired"}


def pagerduty(event: Event) -> Any:
    return document("pagerduty.json", event)


def opsgenie(event: Event) -> Any:
    return document("opsgenie.json", event)


@pytest.mark.parametrize("event", events(), ids=lambda event: event.type)
def test_pagerduty_gets_all_that_it_requires(event: Event) -> None:
    alert = pagerduty(event)
    assert set(alert) == {"routing_key", "event_action", "dedup_key", "payload"}
    assert alert["event_action"] == ("resolve" if event.type in ("HostUp", "BreakerReset") else "trigger")
    payload = alert["payload"]
    assert payload["summary"].startswith(f"{event.type}: ")
    assert payload["source"]
    assert payload["class"] == event.type
    errors = {"UpstreamOAuthError": "error", "OAuth2ExchangeFailed": "error"}
    quiet = "info" if event.type in INFO else errors.get(event.type, "warning")
    assert payload["severity"] == ("critical" if event.type in CRITICAL else quiet)


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_pagerduty_takes_every_alert(text: str) -> None:
    """Limits of the Events API v2: 255 characters of dedup_key, 1024 of summary, 512 KB in all."""
    for type in NAMES:
        for event in (hostile(type, text), replace(example(type), type=text)):
            alert = pagerduty(event)
            assert 0 < len(alert["dedup_key"]) <= 255
            assert 0 < len(alert["payload"]["summary"]) <= 1024
            assert 0 < len(alert["payload"]["source"]) <= 255
            assert alert["payload"]["severity"] in {"critical", "error", "warning", "info"}
            assert len(str(alert).encode()) < 512 * 1024


@pytest.mark.parametrize(("raised", "ended"), [("HostDown", "HostUp"), ("BreakerTripped", "BreakerReset")])
def test_what_was_raised_is_resolved_by_the_same_key(raised: str, ended: str) -> None:
    down, up = pagerduty(example(raised)), pagerduty(example(ended))
    assert (down["event_action"], up["event_action"]) == ("trigger", "resolve")
    assert down["dedup_key"] == up["dedup_key"]
    assert opsgenie(example(raised))["alias"] == opsgenie(example(ended))["alias"]


def test_breaker_triggered_belongs_to_the_same_alert_and_ends_it_with_circuit_event_1() -> None:
    tripped, reset = example("BreakerTriggered"), example("BreakerTriggered")
    reset.meta["CircuitEvent"] = 1
    assert pagerduty(tripped)["event_action"] == "trigger"
    assert pagerduty(reset)["event_action"] == "resolve"
    assert pagerduty(reset)["dedup_key"] == pagerduty(example("BreakerTripped"))["dedup_key"]


@pytest.mark.parametrize(
    ("type", "member", "value"),
    [
        ("HostDown", "HostInfo", {"CheckURL": "http://10.0.3.5:8000/health"}),
        ("BreakerTripped", "Path", "/other"),
        ("CertificateExpired", "cert_id", "0000"),
        ("QuotaExceeded", "Key", "another"),
    ],
)
def test_another_host_path_certificate_or_key_is_another_alert(type: str, member: str, value: object) -> None:
    one, other = example(type), example(type)
    other.meta[member] = value
    assert pagerduty(one)["dedup_key"] != pagerduty(other)["dedup_key"]
    assert opsgenie(one)["alias"] != opsgenie(other)["alias"]


def test_two_apis_are_two_alerts_and_two_messages_are_one() -> None:
    event = example("HostDown")
    again = replace(event, id="2-0", meta={**event.meta, "Message": "other words"})
    assert pagerduty(replace(event, api_id="other"))["dedup_key"] != pagerduty(event)["dedup_key"]
    assert pagerduty(again)["dedup_key"] == pagerduty(event)["dedup_key"]


def test_the_routing_key_that_is_shipped_is_one_that_pagerduty_refuses() -> None:
    """A key has 32 characters, and a body with any other number is answered by 400."""
    assert len(pagerduty(example("HostDown"))["routing_key"]) != 32


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_opsgenie_takes_every_alert(text: str) -> None:
    """Limits of the Alert API, in characters."""
    for event in (*events(), *(hostile(type, text) for type in NAMES), replace(example("HostUp"), type=text)):
        alert = opsgenie(event)
        assert 0 < len(alert["message"]) <= 130
        assert 0 < len(alert["alias"]) <= 512
        assert len(alert["description"]) <= 15000
        assert len(alert["entity"]) <= 512
        assert 0 < len(alert["source"]) <= 100
        assert alert["priority"] in {"P1", "P2", "P3", "P4", "P5"}
        assert all(0 < len(tag) <= 50 for tag in alert["tags"])
        assert all(isinstance(value, str) for value in alert["details"].values())
        assert sum(len(name) + len(value) for name, value in alert["details"].items()) <= 8000


def test_opsgenie_shows_what_happened_and_where() -> None:
    assert opsgenie(example("BreakerTripped")) == {
        "message": "BreakerTripped: Breaker Tripped",
        "alias": "breaker/payments//orders/7/",
        "description": "Breaker Tripped",
        "priority": "P1",
        "source": "gateway",
        "entity": "/orders/7",
        "tags": ["BreakerTripped"],
        "details": {"api_id": "payments", "org_id": "acme", "path": "/orders/7"},
    }
