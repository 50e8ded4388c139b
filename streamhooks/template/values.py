"""Go's values in Python: which type a value has, whether it is true, and how %v prints it.

What comes from an event is str, int, float, bool, None, list and dict. The rest of Go's types that a template can
meet are below; int64 is a plain int. Three kinds of nothing: MISSING (no such key), None (null inside data), and the
literal nil, which functions get as None.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from streamhooks.errors import TemplateError
from streamhooks.template.floats import shortest
from streamhooks.template.gotime import MONTHS, WEEKDAYS, Time, duration_text

INT64_MIN, INT64_MAX, UINT64_MAX = -(2**63), 2**63 - 1, 2**64 - 1


class Missing:
    """No such key: false, prints as `<no value>`, and any field of it is missing too."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __getitem__(self, name: str) -> "Missing":
        return self

    def get(self, name: str, default: object) -> "Missing":
        del name, default
        return self

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


class GoInt(int):
    """An `int`: constants, lengths, indexes. Data are int64."""

    __slots__ = ()


class Uint8(int):
    """A byte, as index takes it from a string."""

    __slots__ = ()


class Uint64(int):
    """An unsigned number that would also fit an int64."""

    __slots__ = ()


class Month(int):
    """A time.Month: prints its name."""

    __slots__ = ()


class Weekday(int):
    """A time.Weekday, Sunday is 0: prints its name."""

    __slots__ = ()


class Duration(int):
    """A time.Duration in nanoseconds: prints as 1h30m."""

    __slots__ = ()


class Raw(str):
    """Text that is JSON already: json mode puts it where it stands bare, without quoting it again."""

    __slots__ = ()


class Markup(str):
    """Text that is XML already: xml mode puts it into text as it is."""

    __slots__ = ()


TYPE_NAMES: dict[type, str] = {
    str: "string",
    Raw: "string",
    Markup: "string",
    bool: "bool",
    float: "float64",
    complex: "complex128",
    GoInt: "int",
    Uint8: "uint8",
    Uint64: "uint64",
    Month: "time.Month",
    Weekday: "time.Weekday",
    Duration: "time.Duration",
    list: "[]interface {}",
    dict: "map[string]interface {}",
    bytes: "[]uint8",
    Time: "time.Time",
    type(None): "<nil>",
    Missing: "<nil>",
}
_KINDS = {
    str: "string",
    Raw: "string",
    Markup: "string",
    bool: "bool",
    float: "float",
    complex: "complex",
    GoInt: "int",
    Month: "int",
    Weekday: "int",
    Duration: "int",
    Uint8: "uint",
    Uint64: "uint",
}
UNSIGNED = frozenset({Uint8, Uint64})


def type_name(value: object) -> str:
    """The Go type, as %T prints it."""
    cls = value.__class__
    if cls is int:
        return _int_type(value)  # type: ignore[arg-type]  # its class is int
    return TYPE_NAMES.get(cls) or cls.__name__


def _int_type(value: int) -> str:
    if INT64_MIN <= value <= INT64_MAX:
        return "int64"
    return "uint64" if 0 < value <= UINT64_MAX else "float64"


def kind(value: object) -> str:
    """What it compares as: string, int, uint, float, bool, complex; empty for everything else."""
    cls = value.__class__
    if cls is int:
        return "int" if INT64_MIN <= value <= INT64_MAX else "uint" if 0 < value <= UINT64_MAX else "float"  # type: ignore[operator]  # its class is int
    return _KINDS.get(cls, "")


def display(value: object) -> str:
    """What {{value}} prints on its own: %v, and `<no value>` for nothing."""
    cls = value.__class__
    if cls is str:
        return value  # type: ignore[return-value]  # its class is str
    if cls is int:
        return str(value) if INT64_MIN <= value <= UINT64_MAX else shortest(float(value))  # type: ignore[operator,arg-type]  # its class is int
    if cls is GoInt:
        return int.__repr__(value)
    if cls is float:
        return shortest(value)  # type: ignore[arg-type]  # its class is float
    if value is None or value is MISSING:
        return "<no value>"
    return plain(value)


def plain(value: object) -> str:
    """%v without flags; null is `<nil>` as everywhere inside lists and maps."""
    cls = value.__class__
    if cls is str:
        return value  # type: ignore[return-value]  # its class is str
    if cls is int:
        return str(value) if INT64_MIN <= value <= UINT64_MAX else shortest(float(value))  # type: ignore[operator,arg-type]  # its class is int
    printed = _PRINTED.get(cls)
    return printed(value) if printed else _unusual(value)


def _list(value: list[object]) -> str:
    return f"[{' '.join([plain(item) for item in value])}]"


def _dict(value: dict[str, object]) -> str:
    return f"map[{' '.join([f'{key}:{plain(value[key])}' for key in sorted(value)])}]"


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _complex(value: complex) -> str:
    imaginary = shortest(value.imag)
    return f"({shortest(value.real)}{'' if imaginary[0] in '+-' else '+'}{imaginary}i)"


def _bytes(value: bytes) -> str:
    return f"[{' '.join(map(str, value))}]"


def _month(value: int) -> str:
    return MONTHS[value - 1]


def _weekday(value: int) -> str:
    return WEEKDAYS[value - 1]


_PRINTED: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "<nil>",
    Missing: lambda _: "<nil>",
    bool: _bool,
    float: shortest,
    complex: _complex,
    list: _list,
    dict: _dict,
    bytes: _bytes,
    Time: str,
    GoInt: int.__repr__,
    Uint8: int.__repr__,
    Uint64: int.__repr__,
    Month: _month,
    Weekday: _weekday,
    Duration: duration_text,
}
"""By class: going through isinstance, one after the other, takes three times as long."""


def _unusual(value: object) -> str:
    """What is no class of Go's, but of a kind with one."""
    match value:
        case str():
            return str(value)
        case int():
            return plain(int(value))
        case float():
            return shortest(value)
        case list():
            return _list(value)
        case dict():
            return _dict(value)
        case datetime():
            return str(Time.of(value))
        case _:
            return "<nil>"


def normal(value: object, pay: Callable[[int], None]) -> object:
    """The data as the exact walker wants them: no half surrogates, no int beyond uint64, times as Time.

    `pay` gets the steps that each list and map takes. Raises TemplateError where there is something that no event can
    hold.
    """
    cls = value.__class__
    if cls is str:
        return value if value.isascii() else whole_text(value)  # type: ignore[attr-defined,arg-type]  # its class is str
    if cls is dict:
        pay(1 + len(value))  # type: ignore[arg-type]  # its class is dict
        return {whole_text(str(key)): normal(item, pay) for key, item in value.items()}  # type: ignore[attr-defined]  # its class is dict
    if cls is list:
        pay(2 + len(value) // 2)  # type: ignore[arg-type]  # its class is list
        return [normal(item, pay) for item in value]  # type: ignore[attr-defined]  # its class is list
    if cls is int:
        return value if INT64_MIN <= value <= UINT64_MAX else float(value)  # type: ignore[operator,arg-type]  # its class is int
    match value:
        case bool() | None | int() | float() | bytes() | Time() | complex() | Missing():
            return value
        case str():
            return whole_text(value)
        case list() | tuple():
            return normal([*value], pay)
        case Mapping():
            return normal({**value}, pay)
        case datetime():
            return Time.of(value)
        case _:
            pass
    raise TemplateError(
        "data",
        f"template: cannot use a value of type {type(value).__name__}\n"
        "Data are strings, numbers, booleans, None, lists and dicts with string keys.",
    )


def whole_text(text: str) -> str:
    """The text with U+FFFD for each half surrogate; pairs of halves are put together, as JSON means them."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
