"""Each of Tyk's 24 events through the whole pipeline: the bytes and the fingerprint that Tyk would make of it."""

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from streamhooks import wire
from streamhooks.event_types import NAMES, example
from tests.flow.rig import Rig

md5 = partial(hashlib.md5, usedforsecurity=False)
JSON = "application/json"
MESSAGE = """It's "over" <limit> & more+"""
ESCAPED = "It&#39;s &#34;over&#34; &lt;limit&gt; &amp; more&#43;"
KEY = "5d8e1c0fa2b74f6a9c3e"
ALERT = '{{"type": "{}", "message": "' + ESCAPED + '", "path": "/orders/7", "key": "' + KEY + '"}}\n'
ANY = '{{"type": "{}", "message": "' + ESCAPED + '"}}\n'
TOKEN = '{{"event": "{}", "org": "acme", "key": "' + KEY + '"}}\n'
EXCHANGE = '{{"event": "OAuth2Exchange{}", "provider": "idp.example.com", "outcome": "{}"}}\n'
HOST = "{}: http://10.0.3.4:8000/health answered 503\n"
SCOPE = '<denied api="exchange"><path>/orders/7</path><granted>payments:read </granted></denied>\n'
CERTIFICATE = (
    '{{"event": "Certificate{}", "certificate": "api.example.com", "id": "9f2c4e71a0b85d36", "role": "client"}}\n'
)
QUOTA = '{"event": "TriggerExceeded", "org": "acme", "limit": 80, "used": 83}\n'


class Row(Struct, frozen=True):
    event: str
    api: str
    method: str
    path: str
    body: str
    content_type: str = JSON
    header_map: dict[str, str] = {}


TABLE = [
    Row("AuthFailure", "keys", "POST", "/hooks/keys", ALERT.format("AuthFailure")),
    Row("QuotaExceeded", "keys", "GET", "/hooks/keys", ALERT.format("QuotaExceeded")),
    Row("RatelimitExceeded", "keys", "PUT", "/hooks/keys", ALERT.format("RatelimitExceeded")),
    Row("OrgRateLimitExceeded", "keys", "PATCH", "/hooks/keys", ALERT.format("OrgRateLimitExceeded")),
    Row("KeyExpired", "orders", "POST", "/hooks/orders", ALERT.format("KeyExpired")),
    Row("VersionFailure", "legacy", "GET", "/hooks/legacy", ANY.format("VersionFailure")),
    Row("BreakerTripped", "exported", "POST", "/hooks/exported", ANY.format("BreakerTripped")),
    Row("BreakerReset", "exported", "POST", "/hooks/exported", ANY.format("BreakerReset")),
    Row("BreakerTriggered", "exported", "PATCH", "/hooks/exported", ANY.format("BreakerTriggered")),
    Row("HostDown", "first", "POST", "/hooks/host", HOST.format("HostDown"), ""),
    Row("HostUp", "second", "DELETE", "/hooks/host", HOST.format("HostUp"), ""),
    Row("RateLimitSmoothingUp", "payments", "POST", "/hooks/oas", ALERT.format("RateLimitSmoothingUp"),
        header_map={"X-Tyk": "v"}),
    Row("RateLimitSmoothingDown", "payments", "PUT", "/hooks/oas", ALERT.format("RateLimitSmoothingDown")),
    Row("OrgQuotaExceeded", "catalog", "POST", "/hooks/global", ALERT.format("OrgQuotaExceeded"),
        header_map={"Authorization": "Bearer not-a-real-one"}),
    Row("UpstreamOAuthError", "mixed", "POST", "/hooks/mixed", ANY.format("UpstreamOAuthError")),
    Row("CertificateExpired", "both", "POST", "/hooks/certificates", CERTIFICATE.format("Expired"),
        header_map={"X-Team": "pki"}),
    Row("CertificateExpiringSoon", "both", "POST", "/hooks/certificates", CERTIFICATE.format("ExpiringSoon"),
        header_map={"X-Team": "pki"}),
    Row("OAuth2ExchangeSucceeded", "exchange", "POST", "/hooks/oauth", EXCHANGE.format("Succeeded", "success")),
    Row("OAuth2ExchangeFailed", "exchange", "POST", "/hooks/oauth", EXCHANGE.format("Failed", "idp_error")),
    Row("OAuth2ScopeCheckFailed", "exchange", "POST", "/hooks/oauth", SCOPE, ""),
    Row("TokenCreated", "", "POST", "/hooks/tokens", TOKEN.format("TokenCreated")),
    Row("TokenUpdated", "", "POST", "/hooks/tokens", TOKEN.format("TokenUpdated")),
    Row("TokenDeleted", "", "POST", "/hooks/tokens", TOKEN.format("TokenDeleted")),
    Row("TriggerExceeded", "", "POST", "/hooks/monitor", QUOTA, header_map={"X-Monitor": "quota"}),
]  # fmt: skip
"""One webhook for each event, with a template of our own making: Tyk's default one is not at hand."""
OURS = {"webhook-id", "accept-encoding"}
"""Header lines that Tyk does not send, or not so."""


def test_the_table_has_all_of_tyks_events() -> None:
    assert sorted(row.event for row in TABLE) == sorted(NAMES)
    assert len(NAMES) == 24


def packed(event: str, api: str) -> dict[str, Any]:
    """The example of an event as Tyk's JSON, with a message that must be escaped."""
    meta = example(event).meta
    for name, value in meta.items():
        if value == "payments":  # the API of the examples
            meta[name] = api
    if "Message" in meta:
        meta["Message"] = MESSAGE
    if "HostInfo" in meta:
        meta["HostInfo"]["MetaData"]["api_id"] = api
    return wire.encode(event, meta, ts="2026-11-23T10:00:00Z", api_id=api)


def raw_request(method: str, host: str, path: str, body: bytes) -> bytes:
    """What Go writes of a request before any header is set."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Go-http-client/1.1\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def fingerprint(row: Row, host: str) -> str:
    """As the facts have it: of the request, or of a certificate's fields."""
    if row.event.startswith("Certificate"):
        moment = "2026-12-02" if row.event == "CertificateExpiringSoon" else "2026-11-19"
        text = f"{row.event}9f2c4e71a0b85d36api.example.com{moment} 00:00:00 +0000 UTCboth"
        return md5(text.encode()).hexdigest()
    return md5(raw_request(row.method, host, row.path, row.body.encode())).hexdigest()


@pytest.mark.parametrize("row", TABLE, ids=[row.event for row in TABLE])
async def test_an_event_becomes_the_bytes_and_the_fingerprint_that_tyk_makes(
    rig: Rig, tyk_files: Path, row: Row
) -> None:
    async with rig.working(tyk={"config": "tyk.conf", "apis": "apps/*.json", "compat": "tyk"}):
        await rig.add(packed(row.event, row.api))
        (request,) = await rig.endpoint.wait_for(1)
        await rig.settled(delivered=1)
        (cool_down,) = await rig.cool_downs()
    assert (request.method, request.path) == (row.method, row.path)
    assert request.body.decode() == row.body
    assert {name: value for name, value in request.headers.items() if name not in OURS} == {
        "host": rig.endpoint.url.removeprefix("http://"),
        "user-agent": "Tyk-Hookshot",
        "content-length": str(len(row.body.encode())),
        "content-type": row.content_type,
        **{name.lower(): value for name, value in row.header_map.items()},
    }
    assert cool_down.rpartition(":")[2] == fingerprint(row, rig.endpoint.url.removeprefix("http://"))


async def test_an_event_with_the_default_template_is_sent_with_the_seeds_members(rig: Rig, tyk_files: Path) -> None:
    apis = {"AuthFailure": "widgets", "RatelimitExceeded": "legacy", "OrgRateLimitExceeded": "payments"}
    async with rig.working(tyk={"apis": "apps/*.json"}):
        for event, api in apis.items():
            await rig.add(packed(event, api))
        requests = await rig.endpoint.wait_for(3)
        await rig.settled(delivered=3)
    bodies = {body["event"]: body for body in (json.loads(request.body) for request in requests)}
    assert bodies == {
        event: {
            "event": event,
            "message": MESSAGE,
            "path": "/orders/7",
            "origin": "203.0.113.7",
            "key": KEY,
            "api_id": api,
        }
        for event, api in apis.items()
    }


SEED = """
    {
        "handler_name":"eh_web_hook_handler",
        "handler_meta": {
            "method": "POST",
            "target_path": "http://posttestserver.com/post.php?dir=tyk-event-test",
            "template_path": "templates/default_webhook.json",
            "header_map": {"X-Tyk-Test-Header": "Tyk v1.BANANA"},
            "event_timeout": 10
        }
    }
"""
"""The handler of the documentation that streamhooks began with, its brace closed."""


@pytest.mark.parametrize("form", ["ours", "tyk"])
async def test_the_seeds_own_handler_sends_what_it_says(rig: Rig, tmp_path: Path, form: str) -> None:
    """Through a proxy, which alone is connected to: the target is a host that we do not have."""
    block: dict[str, Any] = {"events": {"AuthFailure": [json.loads(SEED)]}}
    (tmp_path / "api.json").write_text(json.dumps({"api_id": "widgets", "event_handlers": block}))
    handlers: dict[str, Any] = {"event_handlers": block} if form == "ours" else {"tyk": {"apis": "api.json"}}
    async with rig.working(**handlers, defaults={"proxy": rig.endpoint.url}):
        for _ in range(2):
            await rig.add(packed("AuthFailure", "widgets"))
        (request,) = await rig.endpoint.wait_for(1)
        await rig.settled(delivered=1, suppressed=1)
        (cool_down,) = await rig.cool_downs()
    host, path = "posttestserver.com", "/post.php?dir=tyk-event-test"
    assert (request.method, request.path) == ("POST", f"http://{host}{path}")
    assert (request.headers["host"], request.headers["x-tyk-test-header"]) == (host, "Tyk v1.BANANA")
    assert request.headers["content-type"] == JSON
    seeds = {"event": "AuthFailure", "message": MESSAGE, "path": "/orders/7", "origin": "203.0.113.7", "key": KEY}
    assert json.loads(request.body).items() >= seeds.items()
    assert cool_down.rpartition(":")[2] == md5(raw_request("POST", host, path, request.body)).hexdigest()


TIMES = [
    ("CertificateExpiringSoon", "{{.Meta.ExpiresAt}}", "2026-12-02 00:00:00 &#43;0000 UTC", "2026-12-02T00:00:00Z"),
    ("CertificateExpired", "{{.Meta.ExpiredAt}}", "2026-11-19 00:00:00 &#43;0000 UTC", "2026-11-19T00:00:00Z"),
    ("HostDown", "{{.Meta.HostInfo.Timeout}}", "2s", "2000000000"),
    ("HostDown", "{{.TimeStamp}}", "2026-11-23 10:00:00 &#43;0000 UTC", "2026-11-23T10:00:00Z"),
]


@pytest.mark.parametrize(("event", "body", "tyks", "ours"), TIMES, ids=[row[1] for row in TIMES])
async def test_times_and_durations_are_printed_as_tyk_prints_them(
    rig: Rig, tmp_path: Path, event: str, body: str, tyks: str, ours: str
) -> None:
    (tmp_path / "t.txt").write_text(body)
    meta = {"method": "POST", "target_path": f"{rig.endpoint.url}/x", "template_path": "t.txt"}
    entries = [
        {"handler_name": "eh_web_hook_handler", "handler_meta": {**meta, "compat": compat, "header_map": {"X": compat}}}
        for compat in ("tyk", "")
    ]
    (tmp_path / "api.json").write_text(json.dumps({"api_id": "a", "event_handlers": {"events": {event: entries}}}))
    async with rig.working(tyk={"apis": "api.json"}):
        await rig.add(packed(event, "a"))
        requests = await rig.endpoint.wait_for(2)
        await rig.settled(delivered=2)
    assert {request.headers["x"]: request.body.decode() for request in requests} == {"tyk": tyks, "": ours}


async def test_two_webhooks_of_one_event_are_both_sent(rig: Rig, tyk_files: Path) -> None:
    async with rig.working(tyk={"apis": "apps/*.json"}):
        await rig.add(packed("QuotaExceeded", "orders"))
        requests = await rig.endpoint.wait_for(2)
        await rig.settled(delivered=2)
    assert sorted((request.method, request.path) for request in requests) == [
        ("POST", "/hooks/orders"),
        ("PUT", "/hooks/billing"),
    ]


async def test_an_unknown_method_a_user_in_the_url_and_headers_are_sent_as_by_tyk(rig: Rig, tyk_files: Path) -> None:
    async with rig.working(tyk={"apis": "apps/13-odd.json"}):
        await rig.add(packed("AuthFailure", "odd"))
        (request,) = await rig.endpoint.wait_for(1)
        await rig.settled(delivered=1)
    assert (request.method, request.path, request.body.decode()) == ("GET", "/hooks/odd", ANY.format("AuthFailure"))
    assert request.headers["authorization"] == "Basic aG9vazpwQHNz"
    assert request.headers["content-type"] == "application/vnd.acme+json"
    assert request.headers["host"] == rig.endpoint.url.removeprefix("http://")
    assert (b"X-Lower", b"1") in request.raw_headers


async def test_an_event_of_another_api_or_of_none_fires_nothing_of_an_api(rig: Rig, tyk_files: Path) -> None:
    async with rig.working(tyk={"config": "tyk.conf", "apis": "apps/*.json"}):
        await rig.add(packed("AuthFailure", "somebody-elses"))
        await rig.add({"type": "AuthFailure", "message": "of no API"})
        await rig.add(packed("TokenCreated", "widgets"))
        await rig.settled(unmatched=3)
    assert not rig.endpoint.received
