"""Times and durations as Tyk's templates have them, from what JSON brings."""

import pytest

from streamhooks.delivery.govalues import go_time, with_go_values
from streamhooks.delivery.request import build, permitted, view
from tests.delivery.making import make_event, make_handler


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23 10:00:00 +0000 UTC"),
        ("2026-11-23T10:00:00.120+02:00", "2026-11-23 10:00:00.12 +0200 +0200"),
        ("2026-11-23 10:00:00.123456789 +0000 UTC m=+12.345", "2026-11-23 10:00:00.123456789 +0000 UTC m=+12.345"),
        ("soon", "soon"),
        ("", ""),
    ],
)
def test_a_time_is_printed_as_go_prints_it_and_another_text_stays(text: str, printed: str) -> None:
    assert go_time(text) == printed


def test_with_compat_a_time_has_gos_methods_and_prints_as_gos() -> None:
    body = '{{.Meta.ExpiresAt}} {{.Meta.ExpiresAt.Format "2006-01-02"}} {{as_rfc3339 .Meta.ExpiresAt}} {{.TimeStamp}}'
    event = make_event({"expires_at": "2026-12-02T00:00:00Z"}, type="CertificateExpiringSoon")
    handler = make_handler(body, escape="text", compat="tyk")
    told = "2026-12-02 00:00:00 +0000 UTC 2026-12-02 2026-12-02T00:00:00Z 2026-11-23 10:00:00 +0000 UTC"
    assert build(event, handler).body.decode() == told
    assert event.meta == {"expires_at": "2026-12-02T00:00:00Z"}


def test_what_spells_no_time_or_duration_stays_as_it_is() -> None:
    for event, meta in (
        ("CertificateExpired", {"ExpiredAt": "yesterday"}),
        ("CertificateExpired", {"ExpiredAt": 7}),
        ("HostDown", {"HostInfo": {"Timeout": "2s"}}),
        ("HostDown", {"HostInfo": {"Timeout": True}}),
        ("HostDown", {"HostInfo": "10.0.0.1"}),
        ("OurOwn", {"ExpiresAt": "2026-12-02T00:00:00Z", "HostInfo": {"Timeout": 1}}),
    ):
        assert with_go_values(event, meta) is meta


def test_by_our_own_rules_times_stay_as_json_has_them() -> None:
    event = make_event({"expires_at": "2026-12-02T00:00:00Z"}, type="CertificateExpiringSoon")
    assert view(event)["Meta"] == {"expires_at": "2026-12-02T00:00:00Z", "ExpiresAt": "2026-12-02T00:00:00Z"}


def test_an_event_is_permitted_to_a_handler_without_the_originating_request_unless_it_asks_for_it() -> None:
    event = make_event({"Key": "abc", "OriginatingRequest": "R0VU"})
    assert permitted(event, make_handler()).meta == {"Key": "abc"}
    assert permitted(event, make_handler(expose_originating_request=True)) is event
    other = make_event()
    assert permitted(other, make_handler()) is other
