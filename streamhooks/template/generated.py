"""The text of a Python function under way: lines, indentation, names, constants, and pieces of output.

Nothing of a template gets into the text as it stands. Strings go in as Python constants by ascii(), everything else
as a name in the namespace; names are numbered, never spelled after the template.
"""

from collections.abc import Iterator
from contextlib import contextmanager

_FLUSH_AFTER = 32
"""Values in one piece of output; between pieces its size is checked."""


class Source:
    """One function's text."""

    def __init__(self, constants: dict[str, object]) -> None:
        self.lines: list[str] = []
        self.level = 1
        self.constants = constants
        self.pieces: list[str] = []
        self.values = 0
        """Values among the pieces."""
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

    def put_text(self, text: str) -> None:
        self.pieces.append(_literal(text))

    def put(self, expression: str) -> None:
        """A value that is a string already."""
        if any(mark in expression for mark in "'\"\\#"):  # before Python 3.12, f-strings hold none of these
            name = self.name()
            self.line(f"{name} = {expression}")
            expression = name
        self.pieces.append(f"{{{expression}}}")
        self.values += 1
        if self.values >= _FLUSH_AFTER:
            self.flush()
            self.line("if len(o) > OUTPUT: raise GiveUp")

    def flush(self) -> None:
        """Write what is gathered: before anything that could change a variable, and at the end of each block."""
        if self.pieces:
            self.line(f"o {'+=' if self.started else '='} {self.gathered()}")
            self.started = True

    def gathered(self) -> str:
        """The pieces as one expression."""
        text = "".join(self.pieces)
        self.pieces, self.values = [], 0
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
