"""What every form of an event says beside its Meta: the type, the time, the API; read and written by the same rules.

Kinds of WireError: `no_type`, `bad_type`, `bad_field`.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from streamhooks import payload
from streamhooks.errors import WireError
from streamhooks.model import Meta

MAX_TYPE: Final = 128
"""Characters of a type."""
MAX_TIMESTAMP: Final = 128
"""Characters of a `ts` that is text; Tyk's longest, with a monotonic part, has about 60."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_EPOCH = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253402300799
"""9999-12-31T23:59:59Z: an id may hold 64 bits of milliseconds, a date cannot."""


def type_of(value: object, place: str) -> str:
    if value is None:
        raise WireError("no_type", f"is missing: every event has a type of 1 to {MAX_TYPE} characters", place)
    if not isinstance(value, str):
        raise WireError("bad_type", f"is {payload.word(value)}: a type is a string", place)
    if not 0 < len(value) <= MAX_TYPE:
        raise WireError("bad_type", f"has {len(value)} characters: a type has 1 to {MAX_TYPE}", place)
    if not value.isprintable() and _CONTROL.search(value):
        raise WireError("bad_type", "holds a control character: leave it out", place)
    return value


def api_of(meta: Meta) -> str:
    """The API that an event is about where its envelope does not say: the places where Tyk's own events have it."""
    for name in ("APIID", "api_id", "oauth2_api_id"):
        value = meta.get(name)
        if value and isinstance(value, str):
            return value
    host = meta.get("HostInfo")
    data = host.get("MetaData") if isinstance(host, dict) else None
    value = data.get("api_id") if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def timestamp_of(value: object, entry_id: str, place: str) -> str:
    """Text as the gateway wrote it; numbers, also written as text, as RFC 3339 in UTC; nothing: the entry's time."""
    if value is None or value == "":
        return _entry_time(entry_id)
    if isinstance(value, str):
        if ":" not in value and _EPOCH.fullmatch(value):
            return _epoch(float(value) if "." in value else int(value), place)
        if len(value) > MAX_TIMESTAMP or (not value.isprintable() and _CONTROL.search(value)):
            message = f"is no time: write RFC 3339 or an epoch, at most {MAX_TIMESTAMP} characters, none a control one"
            raise WireError("bad_field", message, place)
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(value, place)
    raise WireError("bad_field", f"is {payload.word(value)}: it must be RFC 3339 text or an epoch number", place)


def _epoch(value: float, place: str) -> str:
    """Seconds below 1e11 (the year 5138), else milliseconds (from 1973 on)."""
    try:
        length = timedelta(seconds=value) if abs(value) < 1e11 else timedelta(milliseconds=value)
        return payload.rfc3339(_EPOCH_START + length)
    except (OverflowError, ValueError):
        message = "is an epoch outside the years 1 to 9999: give seconds below 1e11, or milliseconds"
        raise WireError("bad_field", message, place) from None


def _entry_time(entry_id: str) -> str:
    milliseconds = entry_id.partition("-")[0].zfill(4)
    return f"{_second(milliseconds[:-3])}.{milliseconds[-3:]}Z"


@lru_cache(maxsize=64)
def _second(seconds: str) -> str:
    """`2026-11-23T10:00:00`; entries of one second come together, and formatting a date costs more than a look-up."""
    moment = _EPOCH_START + timedelta(seconds=min(int(seconds), _LAST_SECOND))
    return moment.replace(tzinfo=None).isoformat()
