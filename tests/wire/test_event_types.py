"""The table of Tyk's event types against what is known of them."""

import json

import pytest

from streamhooks.event_types import NAMES, TYPES, aliases, canonical_member, example

WITHOUT_MESSAGE = {"OAuth2ScopeCheckFailed", "OAuth2ExchangeSucceeded", "OAuth2ExchangeFailed"}


def test_there_are_24_types_and_each_name_is_there_once() -> None:
    assert len(NAMES) == 24
    assert len(set(NAMES)) == 24


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("AuthFailure", {"Message", "Path", "Origin", "Key", "OriginatingRequest"}),
        ("VersionFailure", {"Message", "Path", "Origin", "Key", "Reason", "OriginatingRequest"}),
        ("BreakerTripped", {"Message", "Path", "APIID", "CircuitEvent", "OriginatingRequest"}),
        ("HostDown", {"Message", "HostInfo", "OriginatingRequest"}),
        (
            "TriggerExceeded",
            {"Message", "OrgID", "Key", "TriggerLimit", "UsagePercentage", "OriginatingRequest"},
        ),
        ("TokenDeleted", {"Message", "Org", "Key", "OriginatingRequest"}),
        ("UpstreamOAuthError", {"Message", "APIID", "OriginatingRequest"}),
    ],
)
def test_a_type_has_the_members_that_templates_name(name: str, members: set[str]) -> None:
    assert {member.name for member in TYPES[name].members} == members


def test_members_whose_json_is_snake_case_have_aliases_to_their_go_names() -> None:
    assert aliases("TriggerExceeded") == {
        "org_id": "OrgID",
        "key": "Key",
        "trigger_limit": "TriggerLimit",
        "usage_percentage": "UsagePercentage",
    }
    assert aliases("CertificateExpired") == {
        "cert_id": "CertID",
        "cert_name": "CertName",
        "expired_at": "ExpiredAt",
        "days_since_expiry": "DaysSinceExpiry",
        "api_id": "APIID",
        "cert_role": "CertRole",
    }


@pytest.mark.parametrize("name", ["AuthFailure", "OAuth2ScopeCheckFailed", "MyOwnEvent", ""])
def test_a_type_whose_json_is_spelled_as_go_spells_it_has_no_aliases(name: str) -> None:
    assert aliases(name) == {}


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("message", "Message"),
        ("path", "Path"),
        ("origin", "Origin"),
        ("key", "Key"),
        ("reason", "Reason"),
        ("apiid", "APIID"),
        ("usagepercentage", "UsagePercentage"),
        ("Message", "Message"),
        ("colour", "colour"),
        ("oauth2_provider", "oauth2_provider"),
    ],
)
def test_a_lower_case_member_gets_tyks_spelling_and_others_stay(name: str, spelled: str) -> None:
    assert canonical_member(name) == spelled


def test_a_member_that_its_type_spells_in_lower_case_stays() -> None:
    assert canonical_member("path", "OAuth2ScopeCheckFailed") == "path"
    assert canonical_member("path", "AuthFailure") == "Path"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_every_member_under_its_json_name_and_is_json(name: str) -> None:
    event = example(name)
    assert event.type == name
    assert set(event.meta) == {member.json for member in TYPES[name].members}
    assert json.loads(json.dumps(event.meta, allow_nan=False)) == event.meta
    assert ("Message" in event.meta) == (name not in WITHOUT_MESSAGE)
    assert event.meta.get("Message", "") == TYPES[name].message


def test_an_unknown_type_has_an_example_with_a_message() -> None:
    event = example("OrderLost")
    assert event.type == "OrderLost"
    assert event.meta == {"Message": "OrderLost was fired"}


def test_an_example_may_be_changed_without_changing_the_next_one() -> None:
    example("HostDown").meta["HostInfo"]["MetaData"]["api_id"] = "changed"
    assert example("HostDown").meta["HostInfo"]["MetaData"]["api_id"] == "payments"
