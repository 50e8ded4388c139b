"""Go's fmt: Sprintf with its flags, verbs, explicit indexes and complaints, and Sprint.

Faults of a format are part of the output, as in Go (`%!d(MISSING)`). One deviation, a refusal: widths and precisions
beyond 4,096, which Go would obey.
"""

import re
from collections.abc import Sequence

from streamhooks.template.limits import PRINTF_WIDTH, exceeded
from streamhooks.template.values import MISSING, kind, plain, type_name
from streamhooks.template.verbs import PLAIN, Verb, written

_FLAGS = re.compile(r"[#0+\- ]*")
_SIMPLE = re.compile(r"%([#0+\- ]*)([1-9][0-9]{0,3})?(?:\.([0-9]{0,4}))?([a-zA-Z%])")
_TOO_LARGE = 1_000_000
"""Go's bound for widths, checked before each digit is added, so that seven digits pass."""


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
    return pieces if _SIMPLE.sub("", layout).count("%") == 0 else None


def _verb(letter: str, flags: str, go_syntax: bool, width: int | None, precision: int | None, minus: bool) -> Verb:
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
                "<nil>" if value is None or value is MISSING else f"{type_name(value)}={written(value, PLAIN)}"
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
