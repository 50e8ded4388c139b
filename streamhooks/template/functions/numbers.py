"""Numbers, and questions about values. Sums are int64 and wrap as Go's do; division goes towards zero."""

import math
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from streamhooks.template.functions.calling import FunctionError
from streamhooks.template.gotime import Time
from streamhooks.template.literals import read_float, read_integer
from streamhooks.template.values import MISSING, GoInt, type_name

_KINDS = {"[]interface {}": "slice", "[]uint8": "slice", "map[string]interface {}": "map", "time.Time": "struct"}


def int64(value: object) -> int:
    """The value as a whole number: a float is cut off, text is read, what is no number is 0."""
    match value:
        case bool() | int():
            return _wrapped(int(value))
        case float():
            return _wrapped(int(value)) if math.isfinite(value) else -(2**63)
        case str():
            whole, _, fraction = value.partition(".")
            read = read_integer(whole if not fraction.strip("0") else value)
            return read if read is not None and -(2**63) <= read < 2**63 else 0
        case _:
            return 0


def _wrapped(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


def int_(value: object) -> GoInt:
    """The value as a whole number, as int64."""
    return GoInt(int64(value))


def float64(value: object) -> float:
    """The value as a float; what is no number is 0."""
    match value:
        case bool() | int() | float():
            return float(value)
        case str():
            return read_float(value.strip()) or 0.0
        case _:
            return 0.0


def atoi(text: str) -> GoInt:
    """The number that a text is in decimals, else 0."""
    try:
        return GoInt(int(text)) if text.isascii() and text.lstrip("+-").isdigit() else GoInt(0)
    except ValueError:
        return GoInt(0)


def add(*values: object) -> int:
    """The sum of whole numbers."""
    return _wrapped(sum(map(int64, values)))


def add1(value: object) -> int:
    """One more."""
    return _wrapped(int64(value) + 1)


def sub(left: object, right: object) -> int:
    """The difference of whole numbers."""
    return _wrapped(int64(left) - int64(right))


def mul(first: object, *others: object) -> int:
    """The product of whole numbers."""
    product = int64(first)
    for other in others:
        product = _wrapped(product * int64(other))
    return product


def div(left: object, right: object) -> int:
    """Towards zero."""
    numerator, denominator = int64(left), int64(right)
    if not denominator:
        raise FunctionError("runtime error: integer divide by zero")
    quotient = abs(numerator) // abs(denominator)
    return _wrapped(quotient if (numerator < 0) == (denominator < 0) else -quotient)


def mod(left: object, right: object) -> int:
    """What div leaves; its sign is that of the first."""
    return int64(left) - div(left, right) * int64(right)


def max_(first: object, *others: object) -> int:
    """The largest, as whole numbers."""
    return max(map(int64, (first, *others)))


def min_(first: object, *others: object) -> int:
    """The smallest, as whole numbers."""
    return min(map(int64, (first, *others)))


def ceil(value: object) -> float:
    """The next whole number that is not less."""
    return _rounded(math.ceil, float64(value))


def floor(value: object) -> float:
    """The next whole number that is not more."""
    return _rounded(math.floor, float64(value))


def _rounded(rounding: object, value: float) -> float:
    if not math.isfinite(value):
        return value
    return float(math.ceil(value) if rounding is math.ceil else math.floor(value))


def round_(value: object, places: int) -> float:
    """To `places` decimals; from a half on up, away from it down."""
    power = 10.0 ** max(-300, min(300, places))
    digit = power * float64(value)
    if not math.isfinite(digit):
        return digit
    up = math.modf(digit)[0] >= 0.5
    return (math.ceil(digit) if up else math.floor(digit)) / power


def _decimal(value: object) -> Decimal:
    return Decimal(repr(float64(value)))


def addf(*values: object) -> float:
    """Decimal arithmetic: 0.1 and 0.2 are 0.3."""
    return float(sum(map(_decimal, values), Decimal(0)))


def subf(first: object, *others: object) -> float:
    """The first less all others, in decimal arithmetic."""
    return float(_decimal(first) - sum(map(_decimal, others), Decimal(0)))


def mulf(first: object, *others: object) -> float:
    """The product, in decimal arithmetic."""
    product = _decimal(first)
    for other in others:
        product *= _decimal(other)
    return float(product)


def divf(first: object, *others: object) -> float:
    """To 16 decimals."""
    quotient = _decimal(first)
    for other in others:
        try:
            quotient = (quotient / _decimal(other)).quantize(Decimal("1e-16"))
        except (InvalidOperation, ZeroDivisionError):
            raise FunctionError("decimal division by 0") from None
    return float(quotient)


# Questions.


def default(fallback: object, *given: object) -> object:
    """The value, or `fallback` where it is empty: `default "none" .Meta.Key`."""
    return given[0] if given and given[0] else fallback


def coalesce(*values: object) -> object:
    """The first that is not empty."""
    return next((value for value in values if value), None)


def ternary(yes: object, no: object, condition: bool) -> object:
    """`yes` where the condition is true, else `no`."""
    return yes if condition else no


def empty(value: object) -> bool:
    """Whether it is nothing: null, false, 0, an empty text, list or map."""
    return not value


def all_(*values: object) -> bool:
    """Whether none is empty."""
    return all(values)


def any_(*values: object) -> bool:
    """Whether one is not empty."""
    return any(values)


def type_of(value: object) -> str:
    """The Go type: int64."""
    return type_name(value)


def type_is(name: str, value: object) -> bool:
    """Whether typeOf gives this name."""
    return type_name(value) == name


def kind_of(value: object) -> str:
    """The Go kind: map, slice, string, int64."""
    name = type_name(value)
    if value is None or value is MISSING:
        return "invalid"
    return "struct" if isinstance(value, Time) else _KINDS.get(name, name)


def kind_is(name: str, value: object) -> bool:
    """Whether kindOf gives this name."""
    return kind_of(value) == name


def fail(message: str) -> str:
    """Ends the rendering: the event goes to the dead letters."""
    raise FunctionError(message)


NUMBERS: dict[str, Callable[..., Any]] = {
    "add": add,
    "add1": add1,
    "addf": addf,
    "all": all_,
    "any": any_,
    "atoi": atoi,
    "ceil": ceil,
    "coalesce": coalesce,
    "default": default,
    "div": div,
    "divf": divf,
    "empty": empty,
    "fail": fail,
    "float64": float64,
    "floor": floor,
    "int": int_,
    "int64": int64,
    "kindIs": kind_is,
    "kindOf": kind_of,
    "max": max_,
    "min": min_,
    "mod": mod,
    "mul": mul,
    "mulf": mulf,
    "round": round_,
    "sub": sub,
    "subf": subf,
    "ternary": ternary,
    "typeIs": type_is,
    "typeOf": type_of,
}
