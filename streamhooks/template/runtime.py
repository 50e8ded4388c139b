"""What generated code calls. Each is right for every value, or gives up: then the walker runs the template again.

Giving up costs time, never correctness: rendering is pure, so the walker starts from the beginning and says exactly
what Go says.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from streamhooks.template.functions.builtins import index, length
from streamhooks.template.functions.comparison import eq, ne
from streamhooks.template.limits import OUTPUT_CHARS, STEPS, TEMPLATE_DEPTH
from streamhooks.template.printf import sprint, written
from streamhooks.template.values import MISSING, GoInt, Uint8, display, kind, plain, type_name


class GiveUp(Exception):
    """Something that the fast way does not do."""


_INDEXES: tuple[GoInt, ...] = tuple(map(GoInt, range(1024)))


def elements(value: object) -> Sequence[object]:
    """What a range without an index goes over, for anything but a list."""
    match value:
        case list():
            return value
        case None:
            return ()
        case dict():
            return [value[key] for key in sorted(value)]
        case bytes():
            return [Uint8(byte) for byte in value]
    if value is MISSING:
        return ()
    if not isinstance(value, int) or kind(value) not in ("int", "uint") or value > STEPS:
        raise GiveUp
    made: Callable[[int], object] = value.__class__
    return [made(number) for number in range(value)] if value.__class__ is not int else range(value)


def pairs(value: object) -> Sequence[tuple[object, object]]:
    """What a range with an index goes over: indexes or keys, with the elements."""
    match value:
        case list():
            return list(zip(indexes(len(value)), value, strict=True))
        case None:
            return ()
        case dict():
            return [(key, value[key]) for key in sorted(value)]
        case bytes():
            return [(GoInt(at), Uint8(byte)) for at, byte in enumerate(value)]
    if value is MISSING:
        return ()
    raise GiveUp


def indexes(count: int) -> Iterable[GoInt]:
    """0 to `count` - 1 as Go's ints."""
    return _INDEXES[:count] if count <= len(_INDEXES) else map(GoInt, range(count))


def text_argument(value: object) -> object:
    """An argument that must be a string."""
    if type_name(value) != "string":
        raise GiveUp
    return value


def typed_argument(value: object, wanted: str) -> object:
    """An argument that must have one Go type; nothing is a nil list or map."""
    if value is MISSING and wanted in ("[]interface {}", "map[string]interface {}"):
        return None
    if type_name(value) != wanted:
        raise GiveUp
    return value


def entry(of: object, name: str) -> Any:  # noqa: ANN401  # whatever the data hold
    """One step of a field chain where a missing key is an error."""
    if of.__class__ is not dict:
        raise GiveUp
    return of[name]  # type: ignore[index]  # its class is dict


NAMESPACE: dict[str, object] = {
    "__builtins__": {},
    "M": MISSING,
    "P": display,
    "V": plain,
    "EQ": eq,
    "NE": ne,
    "LEN": length,
    "INDEX": index,
    "PRINT": sprint,
    "WRITE": written,
    "STR": text_argument,
    "TYPED": typed_argument,
    "ENTRY": entry,
    "ELEMENTS": elements,
    "PAIRS": pairs,
    "INDEXES": indexes,
    "GiveUp": GiveUp,
    "KeyError": KeyError,
    "str": str,
    "list": list,
    "len": len,
    "zip": zip,
    "None": None,
    "OUTPUT": OUTPUT_CHARS,
    "DEPTH": TEMPLATE_DEPTH,
}
"""The only names that generated code sees, besides its own constants: no builtins."""
