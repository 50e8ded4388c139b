"""What generated code calls. Each is right for every value, or gives up: then the walker runs the template again.

Giving up costs time, never correctness: rendering is pure, so the walker starts from the beginning and says exactly
what Go says.
"""

from collections.abc import Callable, Iterable, Sequence
from json.encoder import encode_basestring
from typing import Any

from streamhooks.errors import TemplateError
from streamhooks.template.costs import CHUNK
from streamhooks.template.escape_html import HTML, NOTHING, html_text
from streamhooks.template.functions.calling import Function
from streamhooks.template.functions.comparison import eq, ne
from streamhooks.template.functions.prices import QUOTING, WRITING
from streamhooks.template.jsontext import json_string
from streamhooks.template.limits import COPIED_PER_STEP, OUTPUT_CHARS, STEPS, TEMPLATE_DEPTH, Meter
from streamhooks.template.values import (
    INT64_MIN,
    MISSING,
    UINT64_MAX,
    GoInt,
    Markup,
    Raw,
    Uint8,
    display,
    kind,
    type_name,
)
from streamhooks.template.verbs import Verb, written


class GiveUpError(Exception):
    """Something that the fast way does not do. `meter` has what it left, where it was charged for what it did."""

    def __init__(self, meter: Meter | None = None) -> None:
        super().__init__()
        self.meter = meter


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


def printed(value: object, meter: Meter) -> str:
    """What is printed of anything but a short string."""
    cls = value.__class__
    if cls is int and INT64_MIN <= value <= UINT64_MAX:  # type: ignore[operator]  # its class is int
        return str(value)
    if cls in BIG:
        meter.pay_printing(value)
    text = display(value)
    meter.write(text)
    return text


def paid(meter: Meter, function: Function, *values: object) -> object:
    """A call with arguments that cost something."""
    meter.pay(function.price, values)
    return function.call(*values)


def printer(verb: Verb) -> Callable[[object, Meter], str]:
    """What writes a value for one verb of a constant format: the common case at once, all others exactly."""
    plain_width = verb.width is None and not (verb.sharp or verb.plus or verb.space or verb.zero)
    price = QUOTING if verb.verb in "qxX" else WRITING

    def exact(value: object, meter: Meter) -> str:
        shown = value[: verb.precision] if isinstance(value, str) else value
        meter.pay(price, (shown,))
        return written(value, verb)

    if verb.verb == "d" and plain_width and verb.precision is None:

        def whole(value: object, meter: Meter) -> str:
            if value.__class__ is int and INT64_MIN <= value <= UINT64_MAX:
                return str(value)
            return exact(value, meter)

        return whole
    if verb.verb in "feEg" and plain_width and verb.precision is not None:
        layout = f"%.{verb.precision}{verb.verb}"

        def real(value: object, meter: Meter) -> str:
            if value.__class__ is float and value - value == 0:  # not so for NaN, Inf
                return layout % value
            return exact(value, meter)

        return real
    return exact


def paying(function: Function) -> Callable[[object, Meter], str]:
    """An escaper that is paid for, and gives up to the walker where what it hides from the last check is no Unicode."""
    call, price, hides = function.call, function.price, function.name in _HIDING
    keeps_numbers = function.name not in _CHANGING_NUMBERS

    def escaped(value: Any, meter: Meter) -> str:
        cls = value.__class__
        if keeps_numbers and cls is int and INT64_MIN <= value <= UINT64_MAX:
            return str(value)
        if cls in BIG or (cls is str and len(value) > CHUNK):
            meter.pay(price, (value,))
        if hides:
            text = value if cls is str else display(value)
            if not text.isascii():
                text.encode()
        made: str = call(value)
        meter.write(made)
        return made

    return escaped


_HIDING = frozenset({"_form", "_url", "_xml_text", "_xml_attribute"})
"""Escapers that replace half surrogates, of which the walker's data have none."""
_CHANGING_NUMBERS = frozenset({"_json_whole", "_json_quoted", NOTHING})
"""Escapers after which a whole number is more than its digits, or less."""
QUICK = {
    "_json_whole": "QUOTED({0})",
    "_json_string": "QUOTED({0})[1:-1]",
    "_json_value": "STRING({0})",
    HTML: "HTML({0})",
}
"""Escapers, and what does for a string all that they would do."""
BIG = frozenset((list, dict, bytes, Raw, Markup))
SIZED = BIG | {str}

NAMESPACE: dict[str, object] = {
    "__builtins__": {},
    "M": MISSING,
    "P": printed,
    "PAID": paid,
    "NEW": Meter,
    "BIG": BIG,
    "SIZED": SIZED,
    "QUOTED": encode_basestring,
    "STRING": json_string,
    "HTML": html_text,
    "EQ": eq,
    "NE": ne,
    "STR": text_argument,
    "TYPED": typed_argument,
    "ENTRY": entry,
    "ELEMENTS": elements,
    "PAIRS": pairs,
    "INDEXES": indexes,
    "GiveUp": GiveUpError,
    "Error": TemplateError,
    "KeyError": KeyError,
    "str": str,
    "list": list,
    "len": len,
    "zip": zip,
    "None": None,
    "OUTPUT": OUTPUT_CHARS,
    "DEPTH": TEMPLATE_DEPTH,
    "COPIED": COPIED_PER_STEP,
}
"""The only names that generated code sees, besides its own constants: no builtins."""
