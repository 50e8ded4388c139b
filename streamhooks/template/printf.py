"""Go's fmt: Sprintf with its flags, verbs, explicit indexes and complaints, and Sprint.

A Verb is what one `%…` asks for; `written` renders one value for it. Faults of a format are part of the output, as in
Go (`%!d(string=x)`). Two deviations, both refusals: widths and precisions beyond 4,096, which Go would obey, and %p of
a map or list, which would print an address.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

from streamhooks.template import floats
from streamhooks.template.gotime import Time
from streamhooks.template.limits import PRINTF_WIDTH, exceeded
from streamhooks.template.literals import quote, to_bytes
from streamhooks.template.values import MISSING, UNSIGNED, Duration, Month, Weekday, kind, plain, type_name

_FLAGS = re.compile(r"[#0+\- ]*")
_SIMPLE = re.compile(r"%([#0+\- ]*)([1-9][0-9]{0,3})?(?:\.([0-9]{0,4}))?([a-zA-Z%])")
_TOO_LARGE = 1_000_000
"""Go's bound for widths, checked before each digit is added, so that seven digits pass."""
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


def sprint(values: Sequence[object]) -> str:
    """fmt.Sprint: a space between two operands of which neither is a string."""
    pieces: list[str] = []
    after_string = True
    for value in values:
        is_string = isinstance(value, str)
        if not is_string and not after_string:
            pieces.append(" ")
        pieces.append(plain(value))
        after_string = is_string
    return "".join(pieces)


def sprintln(values: Sequence[object]) -> str:
    """fmt.Sprintln: always a space between, a newline at the end."""
    return " ".join(map(plain, values)) + "\n"


def sprintf(layout: str, values: Sequence[object]) -> str:
    """fmt.Sprintf. Raises FormatError for %p of a map, TemplateError (limit) for a width that is too large."""
    return _Formatter(layout, values).run()


def simple_format(layout: str) -> list[str | Verb] | None:
    """The pieces of a format whose verbs take one value each in turn; None where it is not that simple."""
    pieces: list[str | Verb] = []
    at = 0
    for found in _SIMPLE.finditer(layout):
        pieces.append(layout[at : found.start()])
        at = found.end()
        flags, width, precision, letter = found.groups()
        if letter == "%":
            pieces.append("%")
            continue
        sizes = [int(digits or 0) if digits is not None else None for digits in (width, precision)]
        if letter in "wTp" or max(size or 0 for size in sizes) > PRINTF_WIDTH:
            return None
        go_syntax = letter == "v" and "#" in flags
        pieces.append(_verb(letter, flags, go_syntax, sizes[0], sizes[1], False))
    pieces.append(layout[at:])
    return None if any("%" in piece for piece in pieces if isinstance(piece, str) and piece != "%") else pieces


def _verb(
    letter: str, flags: str, go_syntax: bool, width: int | None, precision: int | None, minus: bool
) -> Verb:
    return Verb(
        letter,
        "#" in flags and not go_syntax,
        "0" in flags and not minus,
        "+" in flags and letter != "v",
        minus or "-" in flags,
        " " in flags,
        width,
        precision,
        go_syntax,
    )


class _Formatter:
    """One call of Sprintf: where it stands in the format and in the values."""

    def __init__(self, layout: str, values: Sequence[object]) -> None:
        self.layout = layout
        self.values = values
        self.at = 0
        self.used = 0
        self.reordered = False
        self.good_index = True
        self.out: list[str] = []

    def run(self) -> str:
        layout = self.layout
        while (percent := layout.find("%", self.at)) >= 0:
            self.out.append(layout[self.at : percent])
            self.at = percent + 1
            self.one_verb()
        self.out.append(layout[self.at :])
        if not self.reordered and self.used < len(self.values):
            extra = ", ".join(
                "<nil>" if value is None else f"{type_name(value)}={written(value, PLAIN)}"
                for value in self.values[self.used :]
            )
            self.out.append(f"%!(EXTRA {extra})")
        return "".join(self.out)

    def one_verb(self) -> None:
        self.good_index = True
        found = _FLAGS.match(self.layout, self.at)
        flags = found.group() if found else ""
        self.at += len(flags)
        after_index = self.index()
        width, minus, after_index = self.width(after_index)
        precision, after_index = self.precision(after_index)
        if not after_index:
            self.index()
        letter = self.layout[self.at : self.at + 1]
        self.at += 1
        if not letter:
            self.out.append("%!(NOVERB)")
        elif letter == "%":
            self.out.append("%")
        elif not self.good_index:
            self.out.append(f"%!{letter}(BADINDEX)")
        elif self.used >= len(self.values):
            self.out.append(f"%!{letter}(MISSING)")
        else:
            go_syntax = letter == "v" and "#" in flags
            verb = _verb(letter, flags, go_syntax, _bounded(width), _bounded(precision), minus)
            self.out.append(written(self.values[self.used], verb))
            self.used += 1

    def width(self, after_index: bool) -> tuple[int | None, bool, bool]:
        """The width, whether a negative one asks for the left side, and whether an index is still fresh."""
        if self.layout[self.at : self.at + 1] == "*":
            self.at += 1
            width = self.from_argument()
            if width is None:
                self.out.append("%!(BADWIDTH)")
            return (abs(width) if width is not None else None), width is not None and width < 0, False
        width = self.digits()
        if after_index and width is not None:
            self.good_index = False
        return width, False, after_index

    def precision(self, after_index: bool) -> tuple[int | None, bool]:
        if self.layout[self.at : self.at + 1] != ".":
            return None, after_index
        self.at += 1
        if after_index:
            self.good_index = False
        after_index = self.index()
        if self.layout[self.at : self.at + 1] != "*":
            return self.digits() or 0, after_index
        self.at += 1
        precision = self.from_argument()
        if precision is None or precision < 0:
            self.out.append("%!(BADPREC)")
            return None, False
        return precision, False

    def digits(self) -> int | None:
        """A number in the format; one that is too large takes the rest of the format with it, as in Go."""
        number = None
        while "0" <= (char := self.layout[self.at : self.at + 1]) <= "9" and char:
            if number is not None and number > _TOO_LARGE:
                self.at = len(self.layout)
                return None
            number = (number or 0) * 10 + int(char)
            self.at += 1
        return number

    def from_argument(self) -> int | None:
        """A width or precision given as an argument, `*`."""
        if self.used >= len(self.values):
            return None
        value = self.values[self.used]
        self.used += 1
        if kind(value) not in ("int", "uint"):
            return None
        number = int(value)  # type: ignore[call-overload]  # its kind is an integer
        return number if -_TOO_LARGE <= number <= _TOO_LARGE else None

    def index(self) -> bool:
        """An explicit index, `[n]`; whether there was a good one."""
        if self.layout[self.at : self.at + 1] != "[":
            return False
        self.reordered = True
        close = self.layout.find("]", self.at + 1)
        if close < 0 or len(self.layout) - self.at < 3:
            self.at += 1
            self.good_index = False
            return False
        inner = self.layout[self.at + 1 : close]
        self.at = close + 1
        number = int(inner) if inner.isascii() and inner.isdigit() and len(inner) < 8 else None
        if number is not None and 0 < number <= len(self.values):
            self.used = number - 1
            return True
        self.good_index = False
        return number is not None


def _bounded(number: int | None) -> int | None:
    if number is not None and number > PRINTF_WIDTH:
        raise exceeded(f"printf: a width or precision of {number}", f"At most {PRINTF_WIDTH} is allowed.")
    return number


def written(value: object, verb: Verb) -> str:
    """One value for one verb."""
    if value is None or value is MISSING:
        return padded("<nil>", verb) if verb.verb in "Tv" else _bad(value, verb)
    if verb.verb == "T":
        return padded(type_name(value), verb)
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
    return Verb(**{**_fields(verb), "zero": False})


def _fields(verb: Verb) -> dict[str, object]:
    return {name: getattr(verb, name) for name in verb.__struct_fields__}


def _bad(value: object, verb: Verb) -> str:
    """%!d(string=x): the value again, with the flags it came with."""
    if value is None or value is MISSING:
        return f"%!{verb.verb}(<nil>)"
    again = Verb(**{**_fields(verb), "verb": "v", "erring": True})
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
    return _bad(text, verb)


def _quoted(text: str, verb: Verb) -> str:
    text = text if verb.precision is None else text[: verb.precision]
    if verb.sharp and "`" not in text and all(char == "\t" or " " <= char != "\x7f" for char in text) and "\ufeff" not in text:
        return padded(f"`{text}`", verb)
    return padded(quote(text, verb.plus), verb)


def _hex(raw: bytes, verb: Verb) -> str:
    raw = raw if verb.precision is None else raw[: verb.precision]
    digits = [f"{byte:02{verb.verb}}" for byte in raw]
    prefix = f"0{verb.verb}" if verb.sharp and raw else ""
    text = f" {prefix}".join(digits) if verb.space else "".join(digits)
    return padded(prefix + text, verb)


def _bytes(raw: bytes, verb: Verb) -> str:
    match verb.verb:
        case "v" if verb.go_syntax:
            return f"[]byte{{{', '.join(f'{byte:#x}' for byte in raw)}}}"
        case "s" | "q":
            return _string(raw.decode("utf-8", "surrogateescape"), verb)
        case "x" | "X":
            return _hex(raw, verb)
    return f"[{' '.join(_integer(byte, verb, True) for byte in raw)}]"


def _integer(value: int, verb: Verb, unsigned: bool = False) -> str:
    letter = verb.verb
    if letter in "cqU":
        return _character(value, verb)
    if letter not in _BASES:
        return _bad(value, verb)
    if verb.go_syntax and (value.__class__ in UNSIGNED or kind(value) == "uint" or unsigned):
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
    if verb.verb in "vgGxX":
        wanted = 6 if precision == -1 else precision
    digits = mantissa.replace(".", "")
    wanted -= len(digits.lstrip("0xX")) if verb.verb not in "xX" else len(digits) - 2
    if "." not in mantissa:
        if mantissa == "0":
            wanted -= 1
        mantissa += "."
    return mantissa + "0" * max(0, wanted) + tail


def _complex(value: complex, verb: Verb) -> str:
    if verb.verb not in "vbgGxXfFeE":
        return _bad(value, verb)
    signed = Verb(**{**_fields(verb), "plus": True})
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
