"""The fingerprint is what Tyk computes: the answers in the two files beside this one were given by real Go."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from streamhooks.delivery import gourl
from streamhooks.delivery.fingerprint import certificate_fingerprint, fingerprint, wire_bytes
from streamhooks.errors import RequestError

HERE = Path(__file__).parent
CHECKSUMS: dict[str, Any] = json.loads((HERE / "request-checksums.json").read_text())
GO_URLS: list[dict[str, str]] = [json.loads(line) for line in (HERE / "go-urls.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", CHECKSUMS["requests"], ids=lambda case: f"{case['Method']} {case['URL']}")
def test_a_request_is_written_and_hashed_as_go_does_it(case: dict[str, str]) -> None:
    method, url, body = case["Method"], case["URL"], case["Body"].encode()
    if case["Err"]:
        with pytest.raises(RequestError) as caught:
            wire_bytes(method, url, body)
        assert (caught.value.kind, str(caught.value)) == ("url", case["Err"])
        return
    assert wire_bytes(method, url, body) == case["Wire"].encode()
    assert fingerprint(method, url, body) == case["MD5"]


@pytest.mark.parametrize("case", GO_URLS, ids=lambda case: case["url"] or "empty")
def test_a_url_is_read_as_go_reads_it(case: dict[str, str]) -> None:
    if "error" in case:
        with pytest.raises(RequestError) as caught:
            gourl.target(case["url"])
        assert str(caught.value) == case["error"]
        return
    target = gourl.target(case["url"])
    assert target.request_uri.encode("latin-1").decode() == case["uri"]
    assert target.host.encode("latin-1").decode() == case["host"]


def test_an_ipv6_literal_that_is_none_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        gourl.target("http://[::zz]/")
    assert str(caught.value) == 'parse "http://[::zz]/": invalid host: ParseAddr("::zz"): unable to parse IP'


def test_a_method_that_is_no_token_is_refused_in_gos_words() -> None:
    with pytest.raises(RequestError) as caught:
        wire_bytes("PO ST", "http://example.com/", b"")
    assert (caught.value.kind, str(caught.value)) == ("method", 'net/http: invalid method "PO ST"')


def test_a_certificate_event_is_hashed_by_its_fields() -> None:
    meta = {"cert_id": "cid", "cert_name": "My Cert", "expires_at": "2026-09-01T00:00:00Z", "api_id": "api1"}
    assert certificate_fingerprint("CertificateExpiringSoon", meta) == CHECKSUMS["cert"]["md5"]


def test_gos_names_of_certificate_members_give_the_same_hash() -> None:
    meta = {"CertID": "cid", "CertName": "My Cert", "ExpiresAt": "2026-09-01T00:00:00Z", "APIID": "api1"}
    assert certificate_fingerprint("CertificateExpiringSoon", meta) == CHECKSUMS["cert"]["md5"]


@pytest.mark.parametrize(
    ("written", "hashed"),
    [
        ("2026-09-01T00:00:00Z", "2026-09-01 00:00:00 +0000 UTC"),
        ("2026-09-01T00:00:00+00:00", "2026-09-01 00:00:00 +0000 UTC"),
        ("2026-09-01T01:02:03.450Z", "2026-09-01 01:02:03.45 +0000 UTC"),
        ("2026-09-01T00:00:00+05:30", "2026-09-01 00:00:00 +0530 +0530"),
        ("2026-09-01T00:00:00.000-07:00", "2026-09-01 00:00:00 -0700 -0700"),
        ("soon", "soon"),
        ("", ""),
    ],
)
def test_the_time_of_an_expired_certificate_is_hashed_as_go_prints_it(written: str, hashed: str) -> None:
    expected = hashlib.md5(f"CertificateExpired{hashed}".encode(), usedforsecurity=False).hexdigest()
    assert certificate_fingerprint("CertificateExpired", {"expired_at": written}) == expected
