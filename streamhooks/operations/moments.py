"""Times as people write and read them: `2h` ago, RFC 3339, the milliseconds of Redis."""

import re
from datetime import UTC, datetime

from streamhooks.settings.duration import DurationError, seconds
from streamhooks.settings.rules import RefusedError
from streamhooks.store.ids import is_id

_EPOCH = re.compile(r"(\d{10})|(\d{13})", re.ASCII)


def moment(text: str, now: float) -> str:
    """A time as XRANGE takes it: milliseconds, or an id as it stands. `now` in seconds. Raises RefusedError."""
    if is_id(text):
        return text
    epoch = _EPOCH.fullmatch(text)
    if epoch:
        return epoch[2] or f"{epoch[1]}000"
    try:
        if not text.isdecimal():
            return str(max(0, round((now - seconds(text)) * 1000)))
    except DurationError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        said = "is no time; write 2h (ago), 2026-11-23T10:00:00Z, or the id of an entry"
        raise RefusedError(said) from None
    return str(max(0, round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)))


def utc(milliseconds: int) -> str:
    """RFC 3339 in UTC, to the second."""
    if not 0 < milliseconds < 253402300800000:
        return "-"
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_of(id: str) -> str:
    """The time in the id of an entry."""
    return utc(int(id.partition("-")[0] or 0))
