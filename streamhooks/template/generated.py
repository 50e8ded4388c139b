"""The text of a Python function under way: lines, indentation, names, constants, and pieces of output.

Nothing of a template gets into the text as it stands. Strings go in as Python constants by ascii(), everything else
as a name in the namespace; names are numbered, never spelled after the template.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

_NAME = re.compile(r"\b[a-z][0-9]+\b")
_CHECK_AFTER = 32
"""Values that are written before the size of the output is looked at again."""


class Unchecked(Struct, frozen=True):
    """What may have been written since the size of the output was looked at."""

    values: int = 0
    names: frozenset[str] = frozenset()


class Source:
    """One function's text."""

    def __init__(self, constants: dict[str, object]) -> None:
        self.lines: list[str] = []
        self.level = 1
        self.constants = constants
        self.pieces: list[str] = []
        self.unchecked = Unchecked()
        self.names = 0
        self.started = False
        """Whether `o` holds output already."""

    def line(self, text: str) -> None:
        self.lines.append(" " * self.level + text)

    @contextmanager
    def indented(self) -> Iterator[None]:
        """The lines of a block; an empty one gets a pass."""
        self.level += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self.level -= 1

    def name(self, letter: str = "t") -> str:
        """A new local name."""
        self.names += 1
        return f"{letter}{self.names}"

    def constant(self, value: object) -> str:
        """A name for a value; strings stand for themselves."""
        if value.__class__ is str:
            return ascii(value)
        name = f"K{len(self.constants)}"
        self.constants[name] = value
        return name

    # Output.

    def wrote(self, name: str) -> bool:
        """Whether a value of this name may have been written since the output was checked."""
        return name in self.unchecked.names

    def put_text(self, text: str) -> None:
        self.pieces.append(_literal(text))

    def put(self, expression: str) -> None:
        """A value that is a string already."""
        if any(mark in expression for mark in "'\"\\#"):  # before Python 3.12, f-strings hold none of these
            name = self.name()
            self.line(f"{name} = {expression}")
            expression = name
        self.pieces.append(f"{{{expression}}}")
        before = self.unchecked
        self.unchecked = Unchecked(before.values + 1, before.names.union(_NAME.findall(expression)))
        if self.unchecked.values >= _CHECK_AFTER:
            self.flush()
            self.check()

    def check(self) -> None:
        """Look at the size of the output, which has been flushed."""
        self.line("if len(o) > OUTPUT: raise GiveUp")
        self.unchecked = Unchecked()

    def join(self, *ways: Unchecked) -> None:
        """Where several ways through the template meet: whichever was gone, this is the most that is unchecked."""
        self.unchecked = Unchecked(max(way.values for way in ways), frozenset().union(*(way.names for way in ways)))

    def flush(self) -> None:
        """Write what is gathered: before anything that could change a variable, and at the end of each block."""
        if self.pieces:
            self.line(f"o {'+=' if self.started else '='} {self.gathered()}")
            self.started = True

    def gathered(self) -> str:
        """The pieces as one expression."""
        text = "".join(self.pieces)
        self.pieces = []
        return f'f"{text}"'

    def start(self) -> None:
        """Make sure that `o` exists, before a block that may write to it or not."""
        self.flush()
        if not self.started:
            self.line('o = ""')
            self.started = True


def _literal(text: str) -> str:
    """Text inside an f-string between double quotes."""
    shown = ascii(text)
    inner = shown[1:-1]
    if shown[0] == "'":
        inner = inner.replace('"', '\\"')
    return inner.replace("{", "{{").replace("}", "}}")
