"""What is hidden of events and answers, also where somebody else repeats it."""

import base64
import json
from urllib.parse import quote

import pytest

from streamhooks.delivery.masking import (
    credentials,
    masked,
    withheld,
    without,
    without_credentials,
    without_secrets,
)
from streamhooks.delivery.request import build
from streamhooks.secret import Secret
from tests.delivery.making import make_event, make_handler, text

KEY = '5d8e1c"é/0fa2b7'


@pytest.mark.parametrize(
    "spelled", [KEY, json.dumps(KEY)[1:-1], json.dumps(KEY, ensure_ascii=False)[1:-1], quote(KEY, safe="")]
)
def test_a_credential_is_found_however_it_is_spelled(spelled: str) -> None:
    shown = without(f"no key <{spelled}> here", [KEY])
    assert shown == f"no key <{spelled[:4]}***> here"


def test_a_text_that_breaks_off_within_a_credential_shows_no_more_of_it() -> None:
    assert without("key 5d8e1c0f", ["5d8e1c0fa2b7"]) == "key 5d8e***"
    assert without("key 5d8e", ["5d8e1c0fa2b7"]) == "key 5d8e"


def test_a_text_is_not_torn_up_by_what_is_too_short_to_be_a_credential() -> None:
    assert without("a bad name", ["a", "n/a", ""]) == "a bad name"


def test_the_longer_of_two_credentials_is_hidden_first() -> None:
    assert without("abcdefgh abcdef", ["abcdef", "abcdefgh"]) == "abcd*** abcd***"


def test_a_request_of_the_caller_of_any_length_is_hidden() -> None:
    original = base64.b64encode(b"GET /w HTTP/1.1\r\nAuthorization: x\r\n\r\n" * 6000).decode()
    event = make_event({"OriginatingRequest": original, "Key": 12345678})
    assert without_credentials(f"cannot read {original}", event) == "cannot read R0VU***"
    assert without_credentials(f"cannot read {original[:100]}", event) == "cannot read R0VU***"
    assert without_credentials("parsing 12345678: no", event) == "parsing 1234***: no"


def test_what_is_masked_is_known() -> None:
    meta = {"Key": "5d8e1c0f", "a": [{"key": 12345, "OriginatingRequest": "R0VU"}], "KEY": True}
    assert credentials(meta) == ["5d8e1c0f", "12345", "R0VU"]
    assert masked(meta) == {"Key": "5d8e***", "a": [{"key": "1234***", "OriginatingRequest": "***"}], "KEY": True}
    assert withheld({"Key": "5d8e1c0f", "OriginatingRequest": "R0VU"}) == {
        "Key": "5d8e1c0f",
        "OriginatingRequest": "***",
    }


def test_an_answer_is_kept_without_the_secrets_that_the_endpoint_was_sent() -> None:
    headers = (("Authorization", Secret("Bearer hunter2-hunter2")), ("X-Team", "security"))
    request = build(make_event(), make_handler(headers=headers))
    answer = b'\xff{"Authorization": "Bearer hunter2-hunter2"} token hunter2-hunter2, X-Team: security, hunter2-hun'
    assert without_secrets(answer, request) == b'\xff{"Authorization": "***"} token ***, X-Team: security, ***'


def test_an_answer_to_a_request_without_secrets_is_kept_as_it_is() -> None:
    assert without_secrets(b"\xff\x00", build(make_event(), make_handler())) == b"\xff\x00"


def test_a_request_that_is_printed_shows_no_secret_path_or_body() -> None:
    handler = make_handler(
        '{"key": "{{.Meta.Key}}"}',
        path=text("/in?key={{.Meta.Key}}", "url"),
        headers=(("X-Door", Secret("hunter2")), ("Authorization", text("Bearer {{.Meta.Key}}"))),
    )
    request = build(make_event({"Key": "hunter2"}), handler)
    assert dict(request.headers)["Authorization"] == Secret("Bearer hunter2")
    printed = f"{request!r} {request} {request.headers}"
    assert "hunter2" not in printed
    assert repr(request) == "<Request POST http://hooks.example.com for h of 1700000000000-7 attempt 1>"
