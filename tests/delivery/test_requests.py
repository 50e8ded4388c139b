"""What becomes of an event and a handler: the body, the path, the headers, the ids."""

import hashlib
from typing import Any

import pytest

from streamhooks import __version__
from streamhooks.delivery.fingerprint import certificate_fingerprint, fingerprint
from streamhooks.delivery.request import RequestMaker, build, view, webhook_id
from streamhooks.errors import RequestError, TemplateError
from tests.delivery.making import make_event, make_handler, text

TEXT: dict[str, Any] = {"escape": "text", "content_type": "text/plain; charset=utf-8"}


def test_an_event_is_seen_under_the_names_of_tyk_and_of_its_older_days() -> None:
    event = make_event({"Key": "abc"}, api_id="payments", org_id="acme", source="edge-1")
    assert view(event) == {
        "Type": "AuthFailure",
        "Meta": {"Key": "abc"},
        "TimeStamp": "2026-11-23T10:00:00.000Z",
        "EventType": "AuthFailure",
        "EventMetaData": {"Key": "abc"},
        "ID": "1700000000000-7",
        "APIID": "payments",
        "OrgID": "acme",
        "Source": "edge-1",
        "Suppressed": 0,
    }


def test_the_originating_request_is_withheld_unless_asked_for() -> None:
    event = make_event({"Message": "m", "OriginatingRequest": "R0VU"})
    assert view(event)["Meta"] == {"Message": "m"}
    assert view(event, expose_originating_request=True)["Meta"] == {"Message": "m", "OriginatingRequest": "R0VU"}
    assert event.meta == {"Message": "m", "OriginatingRequest": "R0VU"}


def test_members_in_snake_case_are_found_under_their_go_names_too() -> None:
    event = make_event({"trigger_limit": 80, "key": "k", "Key": "K"}, type="TriggerExceeded")
    assert view(event)["Meta"] == {"trigger_limit": 80, "key": "k", "Key": "K", "TriggerLimit": 80}
    assert event.meta == {"trigger_limit": 80, "key": "k", "Key": "K"}


def test_a_request_is_the_rendered_body_with_its_headers_and_fingerprint() -> None:
    request = build(make_event(), make_handler())
    assert request.body == b'{"event": "AuthFailure", "key": "abc"}'
    assert (request.method, request.url) == ("POST", "http://hooks.example.com/in")
    assert (request.event_id, request.handler_id, request.attempt) == ("1700000000000-7", "h", 1)
    assert request.endpoint == "http://hooks.example.com"
    assert request.headers == (
        ("Content-Type", "application/json"),
        ("User-Agent", f"streamhooks/{__version__}"),
        ("webhook-id", "evt_1700000000000-7_0_aaa94026"),
    )
    assert request.fingerprint == fingerprint("POST", "http://hooks.example.com/in", request.body)


def test_a_fingerprint_that_was_given_is_carried_and_not_made_again() -> None:
    assert build(make_event(attempt=3), make_handler(), "f" * 32).fingerprint == "f" * 32


def test_a_certificate_event_has_the_fingerprint_of_its_fields() -> None:
    meta = {"cert_id": "c", "cert_name": "n", "expires_at": "2026-12-02T00:00:00Z", "days_remaining": 9}
    later = meta | {"days_remaining": 8}
    handler = make_handler('{"days": {{.Meta.DaysRemaining}}}')
    first, second = (build(make_event(m, type="CertificateExpiringSoon"), handler) for m in (meta, later))
    assert first.body != second.body
    assert first.fingerprint == second.fingerprint == certificate_fingerprint("CertificateExpiringSoon", meta)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_bodyless_method_sends_no_body_but_is_told_apart_by_it(method: str) -> None:
    handler = make_handler(method=method)
    request = build(make_event(), handler)
    other = build(make_event({"Key": "xyz"}), handler)
    assert request.body == b""
    assert "Content-Type" not in dict(request.headers)
    rendered = b'{"event": "AuthFailure", "key": "abc"}'
    assert request.fingerprint == fingerprint(method, "http://hooks.example.com/in", rendered)
    assert request.fingerprint != other.fingerprint


def test_compat_tyk_sends_the_body_of_a_get_and_tyks_user_agent() -> None:
    request = build(make_event(), make_handler(method="GET", compat="tyk"))
    assert request.body == b'{"event": "AuthFailure", "key": "abc"}'
    assert dict(request.headers)["User-Agent"] == "Tyk-Hookshot"
    assert dict(request.headers)["Content-Type"] == "application/json"


def test_the_url_is_sent_as_encoded_and_hashed_as_configured() -> None:
    handler = make_handler(target="http://Hooks.example.com/a b?q=ü", path="/a%20b?q=%C3%BC")
    request = build(make_event(), handler)
    assert request.url == "http://hooks.example.com/a%20b?q=%C3%BC"
    assert request.fingerprint == fingerprint("POST", "http://Hooks.example.com/a b?q=ü", request.body)


def test_a_handler_without_a_path_goes_to_its_target() -> None:
    assert build(make_event(), make_handler(path="")).url == "http://hooks.example.com/in"


def test_values_in_the_path_are_percent_encoded_and_hashed() -> None:
    handler = make_handler(path=text("/in/{{.Meta.Key}}?k={{.Meta.Key}}", "url"))
    request = build(make_event({"Key": "a/b?ü&"}), handler)
    assert request.url == "http://hooks.example.com/in/a%2Fb%3F%C3%BC%26?k=a%2Fb%3F%C3%BC%26"
    assert request.fingerprint == fingerprint("POST", request.url, request.body)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/in/{{.Meta.Key}}/x", "the rendered path holds a . or .. segment: an event may not move the target"),
        ("{{.Meta.Key}}", "the rendered path must begin with / and hold percent-encoded ASCII only"),
    ],
)
def test_an_event_cannot_lead_the_path_elsewhere(source: str, message: str) -> None:
    handler = make_handler(path=text(source, "url"), place="hooks.yaml: handlers[0]")
    with pytest.raises(RequestError) as caught:
        build(make_event({"Key": ".."}), handler)
    assert (caught.value.kind, str(caught.value)) == ("path", f"hooks.yaml: handlers[0]: {message}")


@pytest.mark.parametrize("key", ["%2e%2E", "a b", "\r\nX: 1", "é", "#x", "%zz"])
def test_a_path_that_was_not_encoded_is_refused(key: str) -> None:
    with pytest.raises(RequestError) as caught:
        build(make_event({"Key": key}), make_handler(path=text("/in/{{.Meta.Key}}", "text")))
    assert caught.value.kind == "path"


def test_a_path_beyond_8_kib_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        build(make_event({"Key": "x" * 8192}), make_handler(path=text("/{{.Meta.Key}}", "url")))
    assert str(caught.value) == "h: the rendered path is 8193 characters long, at most 8192 may be sent"


def test_headers_of_the_configuration_win_over_ours() -> None:
    handler = make_handler(headers=(("user-agent", "mine"), ("CONTENT-TYPE", "text/x"), ("X-Team", "security")))
    assert build(make_event(), handler).headers == (
        ("user-agent", "mine"),
        ("CONTENT-TYPE", "text/x"),
        ("X-Team", "security"),
        ("webhook-id", "evt_1700000000000-7_0_aaa94026"),
    )


def test_an_empty_content_type_is_not_sent() -> None:
    assert "Content-Type" not in dict(build(make_event(), make_handler(content_type="")).headers)


def test_header_values_are_rendered_and_alone_see_the_attempt() -> None:
    handler = make_handler(
        "{{.Attempt}}", headers=(("X-Try", text("{{.Attempt}}")), ("X-Key", text("<{{.Meta.Key}}>"))), **TEXT
    )
    request = build(make_event(attempt=4), handler)
    assert request.headers[:2] == (("X-Try", "4"), ("X-Key", "<abc>"))
    assert request.body == b"<no value>"
    assert request.fingerprint == build(make_event(attempt=5), handler).fingerprint


def test_a_body_for_a_bodyless_method_needs_no_content_type_beside_rendered_headers() -> None:
    handler = make_handler(method="GET", headers=(("X-Key", text("{{.Meta.Key}}")),))
    assert [name for name, _ in build(make_event(), handler).headers] == ["X-Key", "User-Agent", "webhook-id"]


def test_a_rendered_header_with_a_line_break_is_refused_without_being_shown() -> None:
    handler = make_handler(headers=(("X-Key", text("{{.Meta.Key}}")),))
    with pytest.raises(RequestError) as caught:
        build(make_event({"Key": "s3cret\r\nX-Evil: 1"}), handler)
    assert (caught.value.kind, str(caught.value)) == (
        "header",
        (
            "h: header X-Key: a line break or control character at character 7: "
            "header values are visible ASCII, spaces and tabs"
        ),
    )


def test_rendered_headers_beyond_32_kib_together_are_refused() -> None:
    handler = make_handler(headers=tuple((f"X-{n}", text("{{.Meta.Key}}")) for n in range(5)))
    with pytest.raises(RequestError) as caught:
        build(make_event({"Key": "x" * 8000}), handler)
    assert caught.value.kind == "header"
    assert caught.value.message.endswith(" bytes long together, at most 32768 may be sent")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ((("X", "a\nb"),), "header X: a line break or control character at character 2"),
        (tuple((f"X-{n}", "x" * 8000) for n in range(5)), "the headers are "),
    ],
    ids=["a line break", "too many bytes"],
)
def test_constant_headers_are_refused_when_the_maker_is_made(headers: Any, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        RequestMaker(make_handler(headers=headers))
    assert caught.value.kind == "header"
    assert caught.value.message.startswith(message)


def test_a_url_that_go_refuses_is_refused_when_the_maker_is_made() -> None:
    with pytest.raises(RequestError) as caught:
        RequestMaker(make_handler(target="http://example.com/%zz"))
    assert str(caught.value) == 'parse "http://example.com/%zz": invalid URL escape "%zz"'


@pytest.mark.parametrize("body", ["{", "", "{} x", "[1,]", '{"a": NaN}', "\ufeff{}"])
def test_a_json_body_that_is_none_is_refused(body: str) -> None:
    with pytest.raises(TemplateError) as caught:
        build(make_event(), make_handler(body))
    assert caught.value.kind == "json"


def test_a_body_that_is_not_meant_as_json_is_not_checked() -> None:
    assert build(make_event(), make_handler("{", **TEXT)).body == b"{"


def test_a_template_that_fails_says_so_in_gos_words() -> None:
    with pytest.raises(TemplateError) as caught:
        build(make_event(), make_handler("{{index .Meta.Key 99}}", **TEXT))
    assert "error calling index: index out of range: 99" in str(caught.value)


def test_the_webhook_id_is_the_same_for_each_attempt_and_another_for_each_handler_and_run() -> None:
    tail = hashlib.sha256(b"security-slack").hexdigest()[:8]
    assert webhook_id("1700000000000-7", 3, "security-slack") == f"evt_1700000000000-7_3_{tail}"
    assert webhook_id("1700000000000-7", 3, "security-slack", "r2") == f"evt_1700000000000-7_3_{tail}_rr2"
    maker = RequestMaker(make_handler(id="security-slack"), 3)
    ids = {
        dict(maker.make(make_event(attempt=attempt), suffix_run=run).headers)["webhook-id"]
        for attempt, run in ((1, ""), (2, ""), (9, ""), (1, "5"))
    }
    assert ids == {f"evt_1700000000000-7_3_{tail}", f"evt_1700000000000-7_3_{tail}_r5"}


def test_a_webhook_id_holds_no_dot_even_where_the_handlers_id_does() -> None:
    """The signature joins id, time and body by dots."""
    assert "." not in webhook_id("1-0", 0, "team.hook")
