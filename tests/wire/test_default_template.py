"""The shipped default body: JSON for every event, with the members that the first documentation of webhooks names."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from streamhooks.delivery.request import view
from streamhooks.event_types import NAMES, TYPES, example
from streamhooks.model import Entry, Event
from streamhooks.template import Template
from streamhooks.wire import decode

SOURCE = (Path(__file__).parents[2] / "templates" / "default_webhook.json").read_text()
TEMPLATE = Template.parse(SOURCE, name="default_webhook.json", escape="json")
NASTY = 'a"b\\c\nd</script>\u2028\x00é'

KEYED = {"message", "path", "origin", "key"}
BREAKER = {"message": "Breaker Tripped", "path": "/orders/7", "api_id": "payments"}
CERTIFICATE = {
    "cert_id": "9f2c4e71a0b85d36",
    "cert_name": "api.example.com",
    "cert_role": "client",
    "api_id": "payments",
}
FURTHER: dict[str, dict[str, Any]] = {
    "VersionFailure": {"reason": "Requested endpoint is forbidden"},
    "BreakerTriggered": {**BREAKER, "circuit_event": 0},
    "BreakerTripped": {**BREAKER, "circuit_event": 0},
    "BreakerReset": {**BREAKER, "message": "Breaker Reset", "circuit_event": 1},
    "HostDown": {
        "message": "Uptime test failed",
        "host": {
            "check_url": "http://10.0.3.4:8000/health",
            "method": "GET",
            "response_code": 503,
            "tcp_error": False,
        },
    },
    "HostUp": {"message": "Uptime test succeeded"},
    "TriggerExceeded": {
        "message": "Quota trigger reached",
        "key": "5d8e1c0fa2b74f6a9c3e",
        "org_id": "acme",
        "trigger_limit": 80,
        "usage_percentage": 83,
    },
    "TokenCreated": {"message": "Key generated.", "key": "5d8e1c0fa2b74f6a9c3e", "org_id": "acme"},
    "UpstreamOAuthError": {"message": "token endpoint answered 401", "api_id": "payments"},
    "CertificateExpiringSoon": {**CERTIFICATE, "expires_at": "2026-12-02T00:00:00Z", "days_remaining": 9},
    "CertificateExpired": {**CERTIFICATE, "expired_at": "2026-11-19T00:00:00Z", "days_since_expiry": 4},
    "OAuth2ScopeCheckFailed": {
        "path": "/orders/7",
        "method": "POST",
        "required_scopes": ["payments:write"],
        "required_alternatives": [["payments:admin"], ["payments:write", "mfa"]],
        "granted_scopes": ["payments:read"],
        "client": "mobile-app",
    },
    "OAuth2ExchangeSucceeded": {
        "provider": "idp.example.com",
        "outcome": "success",
        "audience": "https://payments.example.com",
        "scopes_requested": ["payments:write"],
    },
    "OAuth2ExchangeFailed": {
        "outcome": "idp_error",
        "error": "invalid_grant",
        "error_description": "subject token has expired",
    },
}


def body(event: Event) -> Any:
    return json.loads(TEMPLATE.render(view(event)))


@pytest.mark.parametrize("name", NAMES)
def test_every_event_type_gives_json_that_names_it(name: str) -> None:
    sent = body(example(name))
    assert sent["event"] == name
    assert sent["api_id"] == "payments"
    assert sent.get("message", "") == TYPES[name].message


@pytest.mark.parametrize("name", [name for name in NAMES if "Origin" in {m.name for m in TYPES[name].members}])
def test_events_of_a_key_have_message_path_origin_and_key(name: str) -> None:
    meta = example(name).meta
    sent = body(example(name))
    assert {member: sent[member] for member in KEYED} == {member: meta[member.capitalize()] for member in KEYED}


@pytest.mark.parametrize("name", FURTHER)
def test_an_event_that_has_more_gives_more(name: str) -> None:
    sent = body(example(name))
    assert {member: sent[member] for member in FURTHER[name]} == FURTHER[name]


def test_an_event_with_nothing_but_its_meta_gives_exactly_the_documented_members() -> None:
    entry = Entry("1-0", {b"type": b"AuthFailure", b"message": b"m", b"path": b"/p", b"origin": b"o", b"key": b"k"})
    assert body(decode(entry, 1000)) == {
        "event": "AuthFailure",
        "message": "m",
        "path": "/p",
        "origin": "o",
        "key": "k",
    }


@pytest.mark.parametrize("name", [*NAMES, "OrderLost"])
def test_a_missing_member_never_breaks_the_json(name: str) -> None:
    whole = example(name)
    assert body(replace(whole, meta={}, api_id="", org_id=""))["event"] == name
    for left_out in whole.meta:
        meta = {member: value for member, value in whole.meta.items() if member != left_out}
        assert body(replace(whole, meta=meta))["event"] == name


@pytest.mark.parametrize("name", [*NAMES, "OrderLost"])
@pytest.mark.parametrize("value", [NASTY, "", None, 0, -1.5, True, [], [1, [2]], {}, {"a": {"b": None}}], ids=repr)
def test_no_value_of_any_member_breaks_the_json(name: str, value: Any) -> None:
    whole = example(name)
    for changed in whole.meta:
        assert body(replace(whole, meta={**whole.meta, changed: value}))["event"] == name
    sent = body(replace(whole, meta=dict.fromkeys(whole.meta, value)))
    assert sent["event"] == name


def test_strings_arrive_as_they_were() -> None:
    event = Event("1-0", NASTY, {"Message": NASTY, "Path": NASTY}, "t", api_id=NASTY, org_id=NASTY)
    assert body(event) == {"event": NASTY, "message": NASTY, "path": NASTY, "api_id": NASTY, "org_id": NASTY}
    keyed = Event("1-0", "AuthFailure", dict.fromkeys(("Message", "Path", "Origin", "Key"), NASTY), "t")
    assert body(keyed) == {"event": "AuthFailure", **dict.fromkeys(KEYED, NASTY)}


def test_an_unknown_type_gives_the_members_that_it_carries_and_no_others() -> None:
    assert body(Event("1-0", "OrderLost", {"Message": "lost", "Origin": "o", "Colour": "red"}, "t")) == {
        "event": "OrderLost",
        "message": "lost",
        "origin": "o",
    }


@pytest.mark.parametrize("name", NAMES)
def test_neither_the_callers_request_nor_a_time_of_the_event_is_sent(name: str) -> None:
    event = example(name)
    text = TEMPLATE.render(view(event, expose_originating_request=True))
    for value in (event.meta.get("OriginatingRequest", event.id), event.id, event.timestamp):
        assert value not in text


def test_a_flat_host_event_whose_info_is_text_gives_it_as_text() -> None:
    entry = Entry("1-0", {b"type": b"HostDown", b"hostinfo": b"10.0.0.1 is down"})
    assert body(decode(entry, 1000)) == {"event": "HostDown", "host": "10.0.0.1 is down"}
