"""Which header lines may be configured and sent."""

import pytest

from streamhooks.delivery.headers import name_fault, value_fault


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
