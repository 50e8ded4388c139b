"""Go's time.Time: an instant with nanoseconds in a zone, its layouts ("2006-01-02 15:04:05") and durations.

Only what a template can reach. Years 1 to 9999, the Gregorian calendar, zones as fixed offsets; nothing here looks at
a clock or at the zone of the machine.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec import Struct

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
RFC3339 = "2006-01-02T15:04:05Z07:00"
RFC3339_NANO = "2006-01-02T15:04:05.999999999Z07:00"
STRING = "2006-01-02 15:04:05.999999999 -0700 MST"
"""What printing a time gives."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST = 24 * 3600
"""Seconds of the largest offset that Go reads."""

_CHUNK = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm"
    r"|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|[.,](?:0+|9+)(?![0-9])"
)
_READ = {
    chunk: re.compile(pattern, re.ASCII | re.IGNORECASE if chunk[:3] in ("Jan", "Mon") else re.ASCII)
    for chunk, pattern in {
        "2006": r"(?P<year>\d{4})",
        "06": r"(?P<short_year>\d\d)",
        "01": r"(?P<month>\d\d)",
        "1": r"(?P<month>\d\d?)",
        "02": r"(?P<day>\d\d)",
        "2": r"(?P<day>\d\d?)",
        "_2": r" ?(?P<day>\d\d?)",
        "15": r"(?P<hour>\d\d?)",
        "03": r"(?P<hour>\d\d)",
        "3": r"(?P<hour>\d\d?)",
        "04": r"(?P<minute>\d\d)",
        "4": r"(?P<minute>\d\d?)",
        "05": r"(?P<second>\d\d)",
        "5": r"(?P<second>\d\d?)",
        "PM": r"(?P<half>[AP]M)",
        "pm": r"(?P<half>[ap]m)",
        "January": f"(?P<month_name>{'|'.join(MONTHS)})",
        "Jan": f"(?P<month_name>{'|'.join(name[:3] for name in MONTHS)})",
        "Monday": f"(?:{'|'.join(WEEKDAYS)})",
        "Mon": f"(?:{'|'.join(name[:3] for name in WEEKDAYS)})",
        "MST": r"(?P<zone>[A-Z]{4}T|[A-Z]{3}T|WITA|[A-Z]{3})",
        "-0700": r"(?P<offset>[+-]\d{4})",
        "-07:00": r"(?P<offset>[+-]\d\d:\d\d)",
        "-07": r"(?P<offset>[+-]\d\d)",
        "Z0700": r"(?P<offset>Z|[+-]\d{4})",
        "Z07:00": r"(?P<offset>Z|[+-]\d\d:\d\d)",
        "Z07": r"(?P<offset>Z|[+-]\d\d)",
    }.items()
}
_FRACTION = re.compile(r"[.,](?P<fraction>\d+)", re.ASCII)
"""Read after the seconds, whatever their layout says of it."""
_NEVER, _END = re.compile("(?!)"), re.compile(r"\Z")
_SPACES, _BLANKS = re.compile("( +)"), re.compile(" *")
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:ns|us|µs|μs|ms|s|m|h))++)")
"""Possessive (`++`), or a long number without a unit would take the square of its length."""
_DURATION_CHARS = 1000
_DURATION_PART = re.compile(r"(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)")


class Time(Struct, frozen=True):
    """An instant: seconds since 1970 in UTC, nanoseconds, and the zone it is shown in."""

    seconds: int
    nanos: int = 0
    offset: int = 0
    """Seconds east of UTC."""
    zone: str = "UTC"
    """Empty for an offset without a name."""

    @classmethod
    def of(cls, moment: datetime) -> "Time":
        """From Python's datetime; one without a zone is UTC."""
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        offset = int((aware.utcoffset() or timedelta()).total_seconds())
        since = aware - _EPOCH
        return cls(since.days * 86400 + since.seconds, since.microseconds * 1000, offset, "" if offset else "UTC")

    def civil(self) -> datetime:
        """Its date and wall clock in its zone, to the second."""
        return _EPOCH + timedelta(seconds=self.seconds + self.offset)

    def utc(self) -> "Time":
        return Time(self.seconds, self.nanos)

    def plus(self, nanos: int) -> "Time":
        """`nanos` nanoseconds later."""
        carried, rest = divmod(self.nanos + nanos, 10**9)
        return Time(self.seconds + carried, rest, self.offset, self.zone)

    def __str__(self) -> str:
        return self.format(STRING)

    def __bool__(self) -> bool:
        return True

    def format(self, layout: str) -> str:
        """The time in a layout of Go's."""
        civil = self.civil()
        return _CHUNK.sub(lambda found: self._chunk(found.group(), civil), layout)

    def _chunk(self, chunk: str, civil: datetime) -> str:  # noqa: C901, PLR0912  # Go's table of layouts, one line for each
        match chunk:
            case "2006":
                return f"{civil.year:04d}"
            case "06":
                return f"{civil.year % 100:02d}"
            case "01" | "1":
                return _padded(civil.month, chunk)
            case "02" | "2" | "_2":
                return _padded(civil.day, chunk)
            case "002" | "__2":
                return _padded(civil.timetuple().tm_yday, chunk)
            case "15":
                return f"{civil.hour:02d}"
            case "03" | "3":
                return _padded(civil.hour % 12 or 12, chunk)
            case "04" | "4":
                return _padded(civil.minute, chunk)
            case "05" | "5":
                return _padded(civil.second, chunk)
            case "January" | "Jan":
                return MONTHS[civil.month - 1][: len(chunk) if chunk == "Jan" else None]
            case "Monday" | "Mon":
                return WEEKDAYS[civil.weekday()][: len(chunk) if chunk == "Mon" else None]
            case "PM" | "pm":
                half = "AP"[civil.hour >= 12] + "M"
                return half if chunk == "PM" else half.lower()
            case "MST":
                return self.zone or _offset(self.offset, "-0700")
            case _:
                pass
        if chunk[0] in ".,":
            return _fraction(self.nanos, chunk)
        return "Z" if chunk[0] == "Z" and not self.offset else _offset(self.offset, chunk)


def _padded(number: int, chunk: str) -> str:
    return str(number).rjust(len(chunk), "0" if chunk[0] == "0" else " ")


def _fraction(nanos: int, chunk: str) -> str:
    digits = f"{nanos:09d}"[: len(chunk) - 1]
    if chunk[1] == "9":
        digits = digits.rstrip("0")
    return chunk[0] + digits if digits else ""


def _offset(offset: int, chunk: str) -> str:
    minutes, seconds = divmod(abs(offset), 60)
    parts = [f"{minutes // 60:02d}", f"{minutes % 60:02d}", f"{seconds:02d}"]
    wanted = len(chunk.replace(":", "")) // 2
    return ("-" if offset < 0 else "+") + (":" if ":" in chunk else "").join(parts[:wanted])


@lru_cache(256)
def _steps(layout: str) -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    """How a layout is read: a text, what comes after it, and whether that may be absent."""
    steps: list[tuple[str, re.Pattern[str], bool]] = []
    chunks = list(_CHUNK.finditer(layout))
    at = 0
    for found, following in zip(chunks, [*chunks[1:], None], strict=True):
        chunk, text = found.group(), layout[at : found.start()]
        at = found.end()
        if chunk[0] not in ".,":
            steps.append((text, _READ.get(chunk, _NEVER), False))
        elif chunk[1] == "9":
            steps.append((text, _FRACTION, True))
        else:
            steps.append((text, re.compile(rf"[.,](?P<fraction>\d{{{len(chunk) - 1}}})", re.ASCII), False))
        if chunk in ("05", "5") and (following is None or following.group()[0] not in ".,"):
            steps.append(("", _FRACTION, True))
    return (*steps, (layout[at:], _END, False))


def parse_time(layout: str, value: str) -> Time | None:
    """The time that `value` spells in `layout`, UTC where it names no offset; None where it does not fit.

    As Go does, from left to right and never back: what it costs is the length of both.
    """
    parts: dict[str, str | None] = {}
    at = 0
    for text, pattern, optional in _steps(layout):
        at = _after(text, value, at)
        found = pattern.match(value, at) if at >= 0 else None
        if found:
            parts |= found.groupdict()
            at = found.end()
        elif at < 0 or not optional:
            return None
    return _assembled(parts)


def _after(text: str, value: str, at: int) -> int:
    """Where `value` goes on after a layout's text; -1 if it has another. A run of spaces stands for any other."""
    if " " not in text:
        return at + len(text) if value.startswith(text, at) else -1
    for word in _SPACES.split(text):
        if word[:1] == " ":
            if value[at : at + 1] not in ("", " "):
                return -1
            at = _BLANKS.match(value, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        elif value.startswith(word, at):
            at += len(word)
        else:
            return -1
    return at


def _assembled(parts: dict[str, str | None]) -> Time | None:
    year = int(parts.get("year") or 0)
    if parts.get("short_year"):
        short = int(parts["short_year"] or 0)
        year = short + (1900 if short >= 69 else 2000)
    month = int(parts.get("month") or 1)
    if parts.get("month_name"):
        named = (parts["month_name"] or "").title()
        month = 1 + next(n for n, name in enumerate(MONTHS) if name.startswith(named))
    hour = int(parts.get("hour") or 0)
    if parts.get("half"):
        hour = hour % 12 + (12 if (parts["half"] or "").upper() == "PM" else 0)
    fraction = (parts.get("fraction") or "")[:9].ljust(9, "0")
    try:
        wall = datetime(year, month, int(parts.get("day") or 1), hour, int(parts.get("minute") or 0),
                        int(parts.get("second") or 0), tzinfo=UTC)  # fmt: skip  # reads as one date
    except ValueError:
        return None
    offset, zone = _zone(parts.get("offset"), parts.get("zone"))
    if abs(offset) > _FARTHEST:
        return None
    since = wall - _EPOCH
    return Time(since.days * 86400 + since.seconds - offset, int(fraction), offset, zone)


def _zone(offset: str | None, name: str | None) -> tuple[int, str]:
    if offset is None or offset == "Z":
        return 0, name or "UTC"
    digits = offset[1:].replace(":", "").ljust(4, "0")
    seconds = (int(digits[:2]) * 60 + int(digits[2:4])) * 60
    seconds = -seconds if offset[0] == "-" else seconds
    return seconds, name or ("" if seconds else "UTC")


def parse_duration(text: str) -> int | None:
    """Nanoseconds of a duration such as "-1h30m"; None if it is none."""
    if len(text) > _DURATION_CHARS or not _DURATION.fullmatch(text):
        return None
    nanos = 0
    for whole, fraction, unit in _DURATION_PART.findall(text.lstrip("+-")):
        scale = _UNITS[unit]
        nanos += int(whole or 0) * scale + int(fraction or 0) * scale // 10 ** len(fraction)
    if nanos >= 2**63:
        return None
    return -nanos if text[0] == "-" else nanos


def duration_text(nanos: int) -> str:
    """A duration as Go prints it: "2h10m5s"."""
    if not nanos:
        return "0s"
    sign, size = ("-" if nanos < 0 else ""), abs(nanos)
    for unit in ("ns", "µs", "ms"):
        scale = _UNITS[unit]
        if size < scale * 1000:
            return f"{sign}{_decimal(size, scale)}{unit}"
    minutes, rest = divmod(size, _UNITS["m"])
    text = f"{_decimal(rest, _UNITS['s'])}s"
    if minutes:
        text = f"{minutes % 60}m{text}"
    if minutes >= 60:
        text = f"{minutes // 60}h{text}"
    return sign + text


def _decimal(size: int, scale: int) -> str:
    whole, rest = divmod(size, scale)
    digits = str(rest).rjust(len(str(scale)) - 1, "0").rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
