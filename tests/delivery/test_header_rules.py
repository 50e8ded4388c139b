"""Which header lines may be configured and sent."""

from pathlib import Path

import pytest

from streamhooks.delivery.headers import MAX_CONFIGURED, MAX_TOTAL, line_length, name_fault, value_fault
from streamhooks.delivery.request import build
from streamhooks.errors import ConfigError
from streamhooks.files import load_mapping
from streamhooks.handlers.handler import Handler
from streamhooks.secret import revealed
from tests.delivery.making import make_event


@pytest.mark.parametrize("name", ["X-Team", "Authorization", "User-Agent", "Content-Type", "x_y", "Accept"])
def test_an_ordinary_name_is_good(name: str) -> None:
    assert name_fault(name) == ""


@pytest.mark.parametrize("name", ["", "X Team", "X:Team", "X\r\nY", "Ünï", "X-Team\n"])
def test_what_is_no_token_is_no_name(name: str) -> None:
    assert name_fault(name) == f"{name!r} is no header name: use letters, digits and - only"


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "content-length", "Transfer-Encoding", "Connection", "TE", "Expect", "Cookie", "Accept-Encoding"),
        *("Proxy-Authorization", "webhook-id", "Webhook-Signature", "Upgrade", "Keep-Alive", "Trailer"),
    ],
)
def test_framing_and_webhook_headers_cannot_be_set(name: str) -> None:
    assert name_fault(name) == f"{name} belongs to the connection or to streamhooks and cannot be set: remove it"


@pytest.mark.parametrize("value", ["", "a b\tc", "~!@#", "x" * 8192])
def test_visible_ascii_with_spaces_and_tabs_is_a_value(value: str) -> None:
    assert value_fault(value) == ""


RULE = "header values are visible ASCII, spaces and tabs"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("ab\r\nX-Evil: 1", f"a line break or control character at character 3: {RULE}"),
        ("a\n", f"a line break or control character at character 2: {RULE}"),
        ("\0", f"a line break or control character at character 1: {RULE}"),
        ("\x7f", f"a line break or control character at character 1: {RULE}"),
        ("grün", f"a character outside ASCII at character 3: {RULE}"),
        ("x" * 8193, "8193 bytes long, at most 8192 are allowed"),
    ],
    ids=["CRLF", "line feed at the end", "NUL", "DEL", "umlaut", "too long"],
)
def test_any_other_value_is_refused_without_being_shown(value: str, fault: str) -> None:
    assert value_fault(value) == fault


def test_bytes_are_counted_and_not_characters() -> None:
    assert value_fault("ü" * 4096, beyond_ascii=True) == ""
    assert value_fault("ü" * 4097, beyond_ascii=True) == "8194 bytes long, at most 8192 are allowed"
    assert line_length("X-A", "ü") == len("X-A: ü\r\n".encode())


def configured(size: int) -> Handler:
    """A handler whose header lines take so many bytes, four lines of them full."""
    lines = {f"X-{number}": "v" * (7168 - 7) for number in range(4)}
    rest = size - 4 * 7168
    handler = {"id": "h", "on": ["*"], "target_path": "https://hooks.example.com/"}
    return load_mapping({"handlers": [handler | {"header_map": lines | {"X-R": "v" * (rest - 7)}}]}, Path()).handlers[0]


def test_headers_that_a_configuration_may_hold_make_a_request() -> None:
    handler = configured(MAX_CONFIGURED)
    sent = build(make_event(), handler).headers
    assert MAX_CONFIGURED < sum(line_length(name, revealed(value)) for name, value in sent) < MAX_TOTAL


def test_headers_that_leave_no_room_for_ours_are_refused_when_the_configuration_is_read() -> None:
    with pytest.raises(ConfigError) as caught:
        configured(MAX_CONFIGURED + 1)
    assert [str(fault) for fault in caught.value.faults] == [
        "configuration: handlers[0].header_map: is 31745 bytes; must be at most 31744 in all"
    ]
