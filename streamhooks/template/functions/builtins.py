"""The functions that every Go template has."""

from collections.abc import Callable
from typing import Any

from streamhooks.template.functions.calling import FunctionError, Value, functions
from streamhooks.template.functions.comparison import eq, ge, gt, le, lt, ne
from streamhooks.template.functions.prices import PRICES
from streamhooks.template.functions.textual import html, js, urlquery
from streamhooks.template.literals import from_bytes, to_bytes
from streamhooks.template.printf import sprint, sprintf, sprintln
from streamhooks.template.values import MISSING, GoInt, Missing, Uint8, kind, type_name
from streamhooks.template.verbs import FormatError


class Boxed:
    """An argument of slice that came straight from the data: Go's slice does not look inside an interface."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def _not(value: Value) -> bool:
    """Whether it is empty."""
    return not value


def _and(first: Value, *others: Value) -> object:
    """The first argument that is empty, else the last.

    For the walker's tables; short-circuiting is done where arguments are evaluated.
    """
    return next((value for value in (first, *others) if not value), (first, *others)[-1])


def _or(first: Value, *others: Value) -> object:
    """The first argument that is not empty, else the last."""
    return next((value for value in (first, *others) if value), (first, *others)[-1])


def _call(of: Value, *_: Value) -> object:
    """Calls a function; no event holds one, so this always fails.

    The walker adds the argument's name.
    """
    if of is None or of is MISSING:
        raise FunctionError("call of nil")
    raise FunctionError(f"non-function %s of type {type_name(of)}")


def _print(*values: object) -> str:
    """All as text, with a space between two that are no texts."""
    return sprint(values)


def _println(*values: object) -> str:
    """All as text with spaces between, and a line break."""
    return sprintln(values)


def _printf(layout: str, *values: object) -> str:
    """The arguments in a format with Go's verbs."""
    try:
        return sprintf(layout, values)
    except FormatError as error:
        raise FunctionError(str(error)) from None


def length(of: Value) -> int:
    """The bytes of a string, the items of a list or map."""
    match of:
        case str():
            return GoInt(len(of) if of.isascii() else len(to_bytes(of)))
        case list() | dict() | bytes():
            return GoInt(len(of))
        case Missing():
            raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
        case None:
            raise FunctionError("len of nil pointer")
        case _:
            raise FunctionError(f"len of type {type_name(of)}")


def index(of: Value, *keys: Value) -> object:
    """`index x 1 "a"` is x[1]["a"]: a list, a map, or the bytes of a string. A map's missing key gives null."""
    if of is None or of is MISSING:
        raise FunctionError("index of untyped nil")
    for key in keys:
        if of is None:
            raise FunctionError("index of nil pointer")
        of = _item(of, key)
    return of


def _item(of: object, key: object) -> object:
    if isinstance(of, dict):
        if key is None or key is MISSING:
            raise FunctionError("value is nil; should be of type string")
        if not isinstance(key, str):
            raise FunctionError(f"value has type {type_name(key)}; should be string")
        return of.get(key)
    if isinstance(of, str):
        of = to_bytes(of)
        what = "string"
    elif isinstance(of, list | bytes):
        what = "slice"
    else:
        raise FunctionError(f"can't index item of type {type_name(of)}")
    at = _position(key, len(of))
    if at == len(of):
        raise FunctionError(f"reflect: {what} index out of range")
    return Uint8(of[at]) if isinstance(of, bytes) else of[at]


def _position(key: object, last: int) -> int:
    """An index from 0 to `last`."""
    if key is None or key is MISSING:
        raise FunctionError("cannot index slice/array with nil")
    if kind(key) not in ("int", "uint"):
        what = "interface {}" if isinstance(key, Boxed) else type_name(key)
        raise FunctionError(f"cannot index slice/array with type {what}")
    at = int(key)  # type: ignore[call-overload]  # its kind is an integer
    if not 0 <= at <= last:
        raise FunctionError(f"index out of range: {at}")
    return int(at)


def slice_(of: Value, *bounds: Value) -> object:
    """`slice x 1 2` is x[1:2] of a list or of the bytes of a string."""
    if of is None or of is MISSING:
        raise FunctionError("slice of untyped nil")
    if len(bounds) > 3:
        raise FunctionError(f"too many slice indexes: {len(bounds)}")
    if not isinstance(of, str | list | bytes):
        raise FunctionError(f"can't slice item of type {type_name(of)}")
    if isinstance(of, str) and len(bounds) == 3:
        raise FunctionError("cannot 3-index slice a string")
    items = to_bytes(of) if isinstance(of, str) else of
    marks = [_position(bound, len(items)) for bound in bounds]
    low, high = [*marks, *(0, len(items))[len(marks) :]][:2]
    for before, after in [(low, high), *([(high, marks[2])] if len(marks) == 3 else [])]:
        if before > after:
            raise FunctionError(f"invalid slice index: {before} > {after}")
    part = items[low:high]
    return from_bytes(part) if isinstance(of, str) else part  # type: ignore[arg-type]  # a slice of a string's bytes


_CALLS: dict[str, Callable[..., Any]] = {
    "and": _and,
    "call": _call,
    "eq": eq,
    "ge": ge,
    "gt": gt,
    "html": html,
    "index": index,
    "js": js,
    "le": le,
    "len": length,
    "lt": lt,
    "ne": ne,
    "not": _not,
    "or": _or,
    "print": _print,
    "printf": _printf,
    "println": _println,
    "slice": slice_,
    "urlquery": urlquery,
}
BUILTINS = functions(_CALLS, PRICES)
