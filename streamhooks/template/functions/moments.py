"""The methods of time.Time that a template can call on a time: `{{.At.Format "2006-01-02"}}`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from streamhooks.template.functions.calling import FunctionError, functions
from streamhooks.template.functions.prices import DATE
from streamhooks.template.gotime import Time
from streamhooks.template.limits import LAYOUT_CHARS
from streamhooks.template.values import Duration, GoInt, Month, Weekday

UNEXPORTED = frozenset({"wall", "ext", "loc"})
"""Fields of Go's struct that a template cannot read; their error differs from that of unknown names."""


def _civil(part: Callable[[datetime], int]) -> Callable[[Time], GoInt]:
    def read(moment: Time) -> GoInt:
        return GoInt(part(moment.civil()))

    return read


def bounded_layout(layout: str) -> str:
    """A layout that is not too long to be one."""
    if len(layout) > LAYOUT_CHARS:
        raise FunctionError(f"a layout of {len(layout)} characters; at most {LAYOUT_CHARS} are allowed")
    return layout


def _format(moment: Time, layout: str) -> str:
    return moment.format(bounded_layout(layout))


def _string(moment: Time) -> str:
    return str(moment)


def _utc(moment: Time) -> Time:
    return moment.utc()


def _unix(moment: Time) -> int:
    return moment.seconds


def _unix_milli(moment: Time) -> int:
    return moment.seconds * 1000 + moment.nanos // 10**6


def _unix_nano(moment: Time) -> int:
    return moment.seconds * 10**9 + moment.nanos


def _nanosecond(moment: Time) -> GoInt:
    return GoInt(moment.nanos)


def _month(moment: Time) -> Month:
    return Month(moment.civil().month)


def _weekday(moment: Time) -> Weekday:
    return Weekday((moment.civil().weekday() + 1) % 7)


def _is_zero(moment: Time) -> bool:
    return moment.seconds == -62135596800 and not moment.nanos


def _order(moment: Time) -> tuple[int, int]:
    return moment.seconds, moment.nanos


def _before(moment: Time, other: Time) -> bool:
    return _order(moment) < _order(other)


def _after(moment: Time, other: Time) -> bool:
    return _order(moment) > _order(other)


def _equal(moment: Time, other: Time) -> bool:
    return _order(moment) == _order(other)


def _sub(moment: Time, other: Time) -> Duration:
    return Duration((moment.seconds - other.seconds) * 10**9 + moment.nanos - other.nanos)


def _add_date(moment: Time, years: int, months: int, days: int) -> Time:
    """Go's AddDate: the 31st of a shorter month runs over into the next one."""
    civil = moment.civil()
    year, month = divmod(civil.year * 12 + civil.month - 1 + years * 12 + months, 12)
    try:
        first = datetime(year, month + 1, 1, tzinfo=UTC)
    except ValueError:
        raise FunctionError("a year outside 1 to 9999") from None
    start = datetime(civil.year, civil.month, 1, tzinfo=UTC)
    return Time(moment.seconds + ((first - start).days + days) * 86400, moment.nanos, moment.offset, moment.zone)


_CALLS: dict[str, Callable[..., Any]] = {
    "AddDate": _add_date,
    "After": _after,
    "Before": _before,
    "Day": _civil(lambda civil: civil.day),
    "Equal": _equal,
    "Format": _format,
    "Hour": _civil(lambda civil: civil.hour),
    "IsZero": _is_zero,
    "Minute": _civil(lambda civil: civil.minute),
    "Month": _month,
    "Nanosecond": _nanosecond,
    "Second": _civil(lambda civil: civil.second),
    "String": _string,
    "Sub": _sub,
    "UTC": _utc,
    "Unix": _unix,
    "UnixMilli": _unix_milli,
    "UnixNano": _unix_nano,
    "Weekday": _weekday,
    "Year": _civil(lambda civil: civil.year),
    "YearDay": _civil(lambda civil: civil.timetuple().tm_yday),
}
METHODS = functions(_CALLS, dict.fromkeys(_CALLS, DATE))
"""By name; the time itself is their first parameter."""
