"""Go's ways to write a float64: the shortest that reads back as the same number, or with a given precision.

Python and Go both round exactly, so that the digits are Python's and only their arrangement is Go's.
"""

import math

PLAIN_MIN, PLAIN_MAX = 1e-4, 1e6
"""Between these, %v writes no exponent."""


def shortest(value: float) -> str:
    """What %v and %g print."""
    text = repr(value)
    if PLAIN_MIN <= value < PLAIN_MAX or -PLAIN_MAX < value <= -PLAIN_MIN:
        return text.removesuffix(".0")
    if "e" in text:  # below 1e-4 and from 1e16 Python writes an exponent as well, and writes it as Go does
        return text
    return _shortest_rare(value, -4, 6)


def json_number(value: float) -> str:
    """What encoding/json writes: exponents only below 1e-6 and from 1e21. NaN and infinities have no such form."""
    if PLAIN_MIN <= value < 1e16 or -1e16 < value <= -PLAIN_MIN:
        return repr(value).removesuffix(".0")
    text = _shortest_rare(value, -6, 21)
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}" if mark and exponent[0] == "-" else text


def _shortest_rare(value: float, low: int, high: int) -> str:
    if not math.isfinite(value):
        return special(value)
    sign = "-" if math.copysign(1, value) < 0 else ""
    digits, point = shortest_digits(value)
    exponent = point - 1
    if value and (exponent < low or exponent >= high):
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{rest}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}" if value else f"{sign}0"
    if point >= len(digits):
        return sign + digits.ljust(point, "0")
    return f"{sign}{digits[:point]}.{digits[point:]}"


def special(value: float) -> str:
    """NaN, +Inf or -Inf."""
    if math.isnan(value):
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"


def shortest_digits(value: float) -> tuple[str, int]:
    """The shortest digits that name the number, and where the point stands: 0.012 is ("12", -1)."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return digits.rstrip("0") or "0", point


def formatted(value: float, verb: str, precision: int) -> str:
    """The number for a verb of e E f g G x X b; precision -1 is the shortest. No flags, only a minus."""
    if not math.isfinite(value):
        return special(value)
    match verb:
        case "e" | "E" | "f":
            return f"{value:.{precision}{verb}}"
        case "x" | "X":
            text = _hexadecimal(value, precision)
            return text.upper() if verb == "X" else text
        case "b":
            return _binary(value)
        case _:
            pass
    text = shortest(value) if precision < 0 else f"{value:.{precision}g}"
    return text.upper() if verb == "G" else text


def _binary(value: float) -> str:
    """Mantissa and power of two, %b."""
    sign = "-" if math.copysign(1, value) < 0 else ""
    if not value:
        return f"{sign}0p-1074"
    exponent = max(math.frexp(abs(value))[1] - 53, -1074)
    mantissa = int(math.ldexp(abs(value), 1074)) if exponent == -1074 else int(math.ldexp(abs(value), -exponent))
    return f"{sign}{mantissa}p{exponent:+d}"


def _hexadecimal(value: float, precision: int) -> str:
    """0x1.8p+01."""
    sign = "-" if math.copysign(1, value) < 0 else ""
    if not value:
        zeros = f".{'0' * precision}" if precision > 0 else ""
        return f"{sign}0x0{zeros}p+00"
    fraction, exponent = math.frexp(abs(value))
    bits, exponent = int(math.ldexp(fraction, 53)), exponent - 1
    if 0 <= precision < 13:
        unit = 1 << (52 - 4 * precision)
        half, rest = unit >> 1, bits & (unit - 1)
        bits -= rest
        if rest > half or (rest == half and bits & unit):
            bits += unit
        if bits >> 53:
            bits, exponent = bits >> 1, exponent + 1
    digits = f"{bits & (1 << 52) - 1:013x}"
    digits = digits.rstrip("0") if precision < 0 else digits[:precision].ljust(precision, "0")
    point = f".{digits}" if digits else ""
    return f"{sign}0x1{point}p{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
