"""Which header lines may go on the wire.

aiohttp lets names with spaces, a second Content-Length and a Transfer-Encoding through, which together smuggle a
request past a proxy. So names and values are checked here: names when a configuration is read, values again whenever
an event was rendered into them. Nothing is repaired: what is wrong is refused, and the message never shows the value,
which may be a secret.
"""

import re

MAX_VALUE = 8 * 1024
"""Bytes of one value; servers commonly refuse longer ones."""
MAX_TOTAL = 32 * 1024
"""Bytes of all header lines together, `: ` and line ends counted."""
MAX_CONFIGURED = MAX_TOTAL - 1024
"""Bytes of the lines that a configuration may hold, so that ours find room beside them."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110 section 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e]*\Z")
_BEYOND_ASCII = re.compile(r"[\t\x20-\x7e\x80-\ud7ff\ue000-\U0010ffff]*\Z")  # RFC 9110 section 5.5, obs-text as UTF-8
_NOT_A_VALUE = re.compile(r"[^\t\x20-\x7e]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_FRAMING = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept-encoding",
        "cookie",
    }
)
_OURS = ("proxy-", "webhook-")


def name_fault(name: str) -> str:
    """What is wrong with a header name from a configuration; empty: nothing."""
    if not _TOKEN.match(name):
        return f"{name!r} is no header name: use letters, digits and - only"
    lower = name.lower()
    if lower in _FRAMING or lower.startswith(_OURS):
        return f"{name} belongs to the connection or to streamhooks and cannot be set: remove it"
    return ""


def value_fault(value: str, beyond_ascii: bool = False) -> str:
    """What is wrong with a header value; empty: nothing.

    `beyond_ascii` lets other characters through as UTF-8, as Go does: for `compat: tyk`.
    """
    if not (_BEYOND_ASCII if beyond_ascii else _VALUE).match(value):
        found = (_CONTROL if beyond_ascii else _NOT_A_VALUE).search(value)
        at = found.start() + 1 if found else 0
        what = "a character outside ASCII" if found and found[0] > "\x7f" else "a line break or control character"
        return f"{what} at character {at}: header values are visible ASCII, spaces and tabs"
    if (length := _bytes(value)) > MAX_VALUE:
        return f"{length} bytes long, at most {MAX_VALUE} are allowed"
    return ""


def line_length(name: str, value: str) -> int:
    """Bytes that a header line takes on the wire."""
    return len(name) + _bytes(value) + 4


def _bytes(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode())
