"""Durations: what people write ("1m30s", 10) and the float seconds that the program counts in.

The grammar is Go's, narrowed to whole-to-fine order, each unit once, and widened by `d` (24 h), because retention and
dead letters are kept for days. No sign: no setting of ours can be negative.
"""

import math
import re


class DurationError(ValueError):
    """Not a duration: neither a number of seconds nor a text of number and unit, or negative, or not finite."""


_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"(\d+(?:\.\d+)?)"
_PATTERN = re.compile("".join(f"(?:{_NUMBER}{unit})?" for unit in _UNITS), re.ASCII)
_PLAIN = re.compile(_NUMBER, re.ASCII)


def seconds(value: object) -> float:
    """Seconds of `"10s"`, `"1m30s"`, `"24h"`, `"30d"`, `"250ms"`, or of a number, which counts seconds itself.

    Raises DurationError.
    """
    if isinstance(value, bool):
        raise DurationError
    if isinstance(value, int | float):
        return _finite(float(value))
    if not isinstance(value, str) or not value:
        raise DurationError
    if _PLAIN.fullmatch(value):
        return _finite(float(value))
    match = _PATTERN.fullmatch(value)
    if match is None:
        raise DurationError
    parts = zip(match.groups(), _UNITS.values(), strict=True)
    return _finite(sum(float(number) * unit for number, unit in parts if number is not None))


def spelled(amount: float) -> str:
    """The shortest spelling that `seconds` reads back: 90.0 is `1m30s`. To the millisecond."""
    left, text = round(amount * 1000), ""
    for unit, size in _UNITS.items():
        count, left = divmod(left, round(size * 1000))
        if count:
            text += f"{count}{unit}"
    return text or "0s"


def rounded(amount: float) -> str:
    """Seconds, as short as tells people enough: `340ms`, `12s`, `3h5m`."""
    if amount < 1:
        return spelled(amount)
    if amount < 3600:
        return spelled(round(amount))
    return spelled(round(amount / 60) * 60)


def _finite(amount: float) -> float:
    if not math.isfinite(amount) or amount < 0:
        raise DurationError
    return amount
