"""One value for one verb of a format: what `%5.2f` or `%#v` makes of it.

A verb that a value does not have is part of the output, as in Go (`%!d(string=x)`). What would print an address (%p
of a map or list) or the inside of a struct is refused.
"""

import re

from msgspec import Struct, structs

from streamhooks.template import floats
from streamhooks.template.gotime import Time
from streamhooks.template.literals import quote, to_bytes
from streamhooks.template.values import MISSING, UNSIGNED, Duration, Month, Uint8, Weekday, kind, plain, type_name

_BACKQUOTABLE = re.compile("[^\\x00-\\x08\\x0a-\\x1f\\x7f`\\ufeff\\ud800-\\udfff]*")
"""What can stand between backquotes: one line of text without a backquote."""
_BASES = {"b": "b", "o": "o", "O": "o", "x": "x", "X": "X", "d": "d", "v": "d"}


class FormatError(Exception):
    """What a format may not ask for."""


class Verb(Struct, frozen=True):
    """One `%…` of a format."""

    verb: str = "v"
    sharp: bool = False
    zero: bool = False
    plus: bool = False
    minus: bool = False
    space: bool = False
    width: int | None = None
    precision: int | None = None
    go_syntax: bool = False
    """%#v."""
    erring: bool = False
    """Inside `%!d(…)`: no String() methods."""


PLAIN = Verb()


def written(value: object, verb: Verb) -> str:
    """One value for one verb."""
    if value is None or value is MISSING:
        return padded("<nil>", verb) if verb.verb in "Tv" else _bad(value, verb)
    if verb.verb == "T":
        return padded(type_name(value)[: verb.precision], verb)
    if verb.verb == "p":
        if isinstance(value, list | dict | bytes):
            raise FormatError("%p would print an address")
        return _bad(value, verb)
    return _value(value, verb)


def _value(value: object, verb: Verb) -> str:
    if isinstance(value, Time | Month | Weekday | Duration) and not verb.erring:
        by_method = _by_method(value, verb)
        if by_method is not None:
            return by_method
    match value:
        case bool():
            return padded("true" if value else "false", verb) if verb.verb in "tv" else _bad(value, verb)
        case str():
            return _string(value, verb)
        case int():
            return _integer(value, verb) if kind(value) != "float" else _float(float(value), verb)
        case float():
            return _float(value, verb)
        case complex():
            return _complex(value, verb)
        case bytes():
            return _bytes(value, verb)
        case list():
            return _list(value, verb)
        case dict():
            return _map(value, verb)
        case Time() if verb.verb == "v":
            return padded(str(value), verb)
    raise FormatError(f"%{verb.verb} of a {type_name(value)} would print its insides")


def _by_method(value: object, verb: Verb) -> str | None:
    """What String() or GoString() of a time, month, weekday or duration gives, where the verb asks for it."""
    if verb.go_syntax:
        return padded(_go_time(value), verb) if isinstance(value, Time) else None
    return _string(plain(value), verb) if verb.verb in "vsxXq" else None


def _go_time(value: Time) -> str:
    civil = value.civil()
    zone = "time.UTC" if value.zone == "UTC" and not value.offset else f'time.Location("{value.zone}")'
    month = plain(Month(civil.month))
    return (
        f"time.Date({civil.year}, time.{month}, {civil.day}, {civil.hour}, {civil.minute}, {civil.second}, "
        f"{value.nanos}, {zone})"
    )


def padded(text: str, verb: Verb) -> str:
    """To the width, with zeros where they are asked for on the left."""
    if verb.width is None or len(text) >= verb.width:
        return text
    if verb.minus:
        return text.ljust(verb.width)
    return text.rjust(verb.width, "0" if verb.zero else " ")


def _spaced(verb: Verb) -> Verb:
    """The same verb, padding with spaces."""
    return structs.replace(verb, zero=False)


def _bad(value: object, verb: Verb) -> str:
    """%!d(string=x): the value again, with the flags it came with."""
    if value is None or value is MISSING:
        return f"%!{verb.verb}(<nil>)"
    again = structs.replace(verb, verb="v", erring=True)
    return f"%!{verb.verb}({type_name(value)}={written(value, again)})"


def _string(text: str, verb: Verb) -> str:
    match verb.verb:
        case "v" if verb.go_syntax:
            return _quoted(text, verb)
        case "v" | "s":
            return padded(text if verb.precision is None else text[: verb.precision], verb)
        case "q":
            return _quoted(text, verb)
        case "x" | "X":
            return _hex(to_bytes(text), verb)
        case _:
            return _bad(text, verb)


def _quoted(text: str, verb: Verb) -> str:
    text = text if verb.precision is None else text[: verb.precision]
    if verb.sharp and _BACKQUOTABLE.fullmatch(text):
        return padded(f"`{text}`", verb)
    return padded(quote(text, verb.plus), verb)


def _hex(raw: bytes, verb: Verb) -> str:
    raw = raw if verb.precision is None else raw[: verb.precision]
    digits = raw.hex(" ") if verb.space and raw else raw.hex()
    if verb.verb == "X":
        digits = digits.upper()
    if verb.sharp and raw:
        prefix = f"0{verb.verb}"
        digits = prefix + digits.replace(" ", f" {prefix}")
    return padded(digits, verb)


def _bytes(raw: bytes, verb: Verb) -> str:
    match verb.verb:
        case "v" if verb.go_syntax:
            each = structs.replace(verb, verb="x", sharp=True, go_syntax=False)
            return f"[]byte{{{', '.join(_integer(byte, each) for byte in raw)}}}"
        case "s" | "q":
            return _string(raw.decode("utf-8", "surrogateescape"), verb)
        case "x" | "X":
            return _hex(raw, verb)
        case _:
            pass
    return f"[{' '.join(_integer(Uint8(byte), verb) for byte in raw)}]"


def _integer(value: int, verb: Verb) -> str:
    letter = verb.verb
    if letter in "cqU":
        return _character(value, verb)
    if letter not in _BASES:
        return _bad(value, verb)
    if verb.go_syntax and (value.__class__ in UNSIGNED or kind(value) == "uint"):
        return padded(f"{int(value):#x}", verb)
    sign = "-" if value < 0 else "+" if verb.plus else " " if verb.space else ""
    if verb.precision is not None:
        if verb.precision == 0 and value == 0:
            return " " * (verb.width or 0)
        fill = verb.precision
    else:
        fill = (verb.width or 0) - len(sign) if verb.zero and not verb.minus else 0
    digits = f"{abs(int(value)):{_BASES[letter]}}".rjust(fill, "0")
    return padded(sign + _prefix(digits, verb) + digits, _spaced(verb) if verb.zero else verb)


def _prefix(digits: str, verb: Verb) -> str:
    match verb.verb:
        case "O":
            return "0o" + ("0" if verb.sharp and digits[0] != "0" else "")
        case "b" | "x" | "X" if verb.sharp:
            return f"0{verb.verb}"
        case "o" if verb.sharp and digits[0] != "0":
            return "0"
    return ""


def _character(value: int, verb: Verb) -> str:
    """%c, %q and %U of a number."""
    valid = 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000
    char = chr(value) if valid else "\ufffd"
    if verb.verb == "c":
        return padded(char, verb)
    if verb.verb == "q":
        return padded(quote(char, verb.plus, "'"), verb)
    code = f"U+{value if value >= 0 else value + 2**64:0{max(4, verb.precision or 0)}X}"
    if verb.sharp and 0 <= value <= 0x10FFFF and chr(value).isprintable():
        code += f" '{chr(value)}'"
    return padded(code, _spaced(verb))


def _float(value: float, verb: Verb) -> str:
    match verb.verb:
        case "e" | "E" | "f" | "F":
            letter, precision = verb.verb.replace("F", "f"), 6
        case "v" | "g" | "G" | "x" | "X" | "b":
            letter, precision = verb.verb.replace("v", "g"), -1
        case _:
            return _bad(value, verb)
    precision = precision if verb.precision is None else verb.precision
    text = floats.formatted(value, letter, precision)
    sign, number = ("-", text[1:]) if text[0] == "-" else ("+", text.removeprefix("+"))
    if number in ("NaN", "Inf"):
        shown = verb.plus or sign == "-" or text[0] == "+"
        mark = sign if shown and not (number == "NaN" and not verb.plus) else " " if verb.space else ""
        return padded((" " if verb.space and sign == "+" and not verb.plus else mark) + number, _spaced(verb))
    if verb.sharp and verb.verb != "b":
        number = _with_point(number, verb, precision)
    if sign == "+" and not verb.plus:
        sign = " " if verb.space else ""
    if sign and verb.zero and not verb.minus and verb.width:
        return sign + number.rjust(verb.width - 1, "0")
    return padded(sign + number, verb)


def _with_point(number: str, verb: Verb, precision: int) -> str:
    """The sharp flag: always a point, and %g keeps its trailing zeros."""
    marks = "pP" if verb.verb in "xX" else "eEpP"
    cut = next((n for n, char in enumerate(number) if char in marks), len(number))
    mantissa, tail = number[:cut], number[cut:]
    wanted = 0
    if verb.verb in "vgGx":
        wanted = 6 if precision == -1 else precision
    digits = mantissa.replace(".", "")
    wanted -= len(digits.lstrip("0xX")) if verb.verb not in "xX" else len(digits) - 1
    if "." not in mantissa:
        if mantissa == "0":
            wanted -= 1
        mantissa += "."
    return mantissa + "0" * max(0, wanted) + tail


def _complex(value: complex, verb: Verb) -> str:
    if verb.verb not in "vbgGxXfFeE":
        return _bad(value, verb)
    signed = structs.replace(verb, plus=True)
    return f"({_float(value.real, verb)}{_float(value.imag, signed)}i)"


def _list(items: list[object], verb: Verb) -> str:
    if verb.go_syntax:
        return f"[]interface {{}}{{{', '.join(_element(item, verb) for item in items)}}}"
    return f"[{' '.join(_element(item, verb) for item in items)}]"


def _map(items: dict[str, object], verb: Verb) -> str:
    pairs = [f"{_string(key, verb)}:{_element(items[key], verb)}" for key in sorted(items)]
    if verb.go_syntax:
        return f"map[string]interface {{}}{{{', '.join(pairs)}}}"
    return f"map[{' '.join(pairs)}]"


def _element(item: object, verb: Verb) -> str:
    if item is None:
        return "interface {}(nil)" if verb.go_syntax else "<nil>"
    return _value(item, verb)
