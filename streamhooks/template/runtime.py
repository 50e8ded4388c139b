"""What generated code calls. Each is right for every value, or gives up: then the walker runs the template again.

Giving up costs time, never correctness: rendering is pure, so the walker starts from the beginning and says exactly
what Go says.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from streamhooks.template.functions.builtins import index, length
from streamhooks.template.functions.comparison import eq, ne
from streamhooks.template.limits import OUTPUT_CHARS, STEPS, TEMPLATE_DEPTH
from streamhooks.template.printf import sprint
from streamhooks.template.values import INT64_MIN, MISSING, UINT64_MAX, GoInt, Uint8, display, kind, plain, type_name
from streamhooks.template.verbs import Verb, written


class GiveUpError(Exception):
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
        case _:
            pass
    if value is MISSING:
        return ()
    if not isinstance(value, int) or kind(value) not in ("int", "uint") or value > STEPS:
        raise GiveUpError
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
        case _:
            pass
    if value is MISSING:
        return ()
    raise GiveUpError


def indexes(count: int) -> Iterable[GoInt]:
    """0 to `count` - 1 as Go's ints."""
    return _INDEXES[:count] if count <= len(_INDEXES) else map(GoInt, range(count))


def text_argument(value: object) -> object:
    """An argument that must be a string."""
    if type_name(value) != "string":
        raise GiveUpError
    return value


def typed_argument(value: object, wanted: str) -> object:
    """An argument that must have one Go type; nothing is a nil list or map."""
    if value is MISSING and wanted in ("[]interface {}", "map[string]interface {}"):
        return None
    if type_name(value) != wanted:
        raise GiveUpError
    return value


def entry(of: object, name: str) -> Any:  # whatever the data hold
    """One step of a field chain where a missing key is an error."""
    if of.__class__ is not dict:
        raise GiveUpError
    return of[name]


def printer(verb: Verb) -> Callable[[object], str]:
    """What writes a value for one verb of a constant format: the common case at once, all others exactly."""
    plain_width = verb.width is None and not (verb.sharp or verb.plus or verb.space or verb.zero)
    if verb.verb == "d" and plain_width and verb.precision is None:

        def whole(value: object) -> str:
            if value.__class__ is int and INT64_MIN <= value <= UINT64_MAX:
                return str(value)
            return written(value, verb)

        return whole
    if verb.verb in "feEg" and plain_width and verb.precision is not None:
        layout = f"%.{verb.precision}{verb.verb}"

        def real(value: object) -> str:
            if value.__class__ is float and value - value == 0:  # not so for NaN, Inf
                return layout % value
            return written(value, verb)

        return real
    return lambda value: written(value, verb)


def guarded(escaper: Callable[[object], str]) -> Callable[[object], str]:
    """An escaper whose output no longer shows half surrogates: they give up before it, to the walker's clean data."""

    def escaped(value: object) -> str:
        text = value if value.__class__ is str else display(value)
        if not text.isascii():
            text.encode()
        return escaper(value)

    return escaped


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
    "GiveUp": GiveUpError,
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
