"""Times. Nothing here knows what time it is, and the zone is UTC unless the time itself has another.

Events carry times as text, so that every function that takes a time also takes RFC 3339, the way Go prints times
(which is Tyk's TimeStamp), and seconds since 1970.
"""

import re
from collections.abc import Callable
from typing import Any

from streamhooks.template.functions.calling import FunctionError, Value, WrongTypeError
from streamhooks.template.functions.moments import bounded_layout
from streamhooks.template.gotime import RFC3339, Time, parse_duration, parse_time
from streamhooks.template.values import MISSING, type_name

TYK_LAYOUT = "2006-01-02 15:04:05.999999 -0700 MST"
_ZERO = Time(-62135596800)
_MONOTONIC = re.compile(r" m=[+-][0-9.]+$")


def moment(value: object) -> Time | None:
    """The time that a value is or spells; None if it is none."""
    match value:
        case Time():
            return value
        case bool():
            return None
        case int():
            return Time(int(value)) if abs(value) < 2**37 else None
        case str():
            text = _MONOTONIC.sub("", value)
            return parse_time(RFC3339, text) or parse_time(TYK_LAYOUT, text)
        case _:
            return None


def _needed(value: object) -> Time:
    found = moment(value)
    if found is None:
        raise FunctionError(f"not a time: {value!r}; give a time, RFC 3339 text or seconds since 1970")
    return found


def as_rfc3339(value: Value) -> str:
    """A time, or a text that spells one, in RFC 3339."""
    if value is MISSING:
        raise WrongTypeError("invalid value; expected time.Time")
    found = moment(value) if isinstance(value, Time | str) else None
    if found is None:
        raise WrongTypeError(f"wrong type for value; expected time.Time; got {type_name(value)}")
    return found.format(RFC3339)


def as_rfc3339_from_string(text: str) -> str:
    """Tyk's TimeStamp in RFC 3339; any other text as it is."""
    found = parse_time(TYK_LAYOUT, text)
    return found.format(RFC3339) if found else text


def date(layout: str, value: object) -> str:
    """A time in a layout of Go's, in UTC."""
    return _needed(value).utc().format(bounded_layout(layout))


def date_in_zone(layout: str, value: object, zone: str) -> str:
    """A time in a layout and a zone. UTC is the only zone here: the host's zone files are none of a template's."""
    if zone not in ("", "UTC", "Local", "Etc/UTC", "GMT"):
        raise FunctionError(f"the zone {zone} is not available; only UTC is")
    return _needed(value).utc().format(bounded_layout(layout))


def html_date(value: object) -> str:
    """2026-01-02."""
    return date("2006-01-02", value)


def html_date_in_zone(value: object, zone: str) -> str:
    """2026-01-02, in a zone: UTC, the only one here."""
    return date_in_zone("2006-01-02", value, zone)


def unix_epoch(value: object) -> str:
    """Seconds since 1970, as text."""
    return str(_needed(value).seconds)


def to_date(layout: str, text: str) -> Time:
    """The time that a text spells in a layout; the year 1 if it does not."""
    return parse_time(bounded_layout(layout), text) or _ZERO


def date_modify(duration: str, value: object) -> Time:
    """The time a duration later ("-1h30m" is earlier); unchanged by what is no duration."""
    nanos = parse_duration(duration)
    return _needed(value).plus(nanos or 0)


DATES: dict[str, Callable[..., Any]] = {
    "as_rfc3339": as_rfc3339,
    "as_rfc3339_from_string": as_rfc3339_from_string,
    "date": date,
    "dateInZone": date_in_zone,
    "dateModify": date_modify,
    "htmlDate": html_date,
    "htmlDateInZone": html_date_in_zone,
    "toDate": to_date,
    "unixEpoch": unix_epoch,
}
