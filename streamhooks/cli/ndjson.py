"""Lines of a file or a pipe, as they come: one JSON object each, numbered from 1.

A file is read in pieces of a megabyte. A pipe gives what it has, so that the events of `tail -f` are not kept back
until a piece is full. Of a line that is longer than an event may be, no more is held than shows that.
"""

import os
import stat
import sys
from collections.abc import Iterator
from types import TracebackType

from msgspec import Struct

from streamhooks.cli.opening import wrong

PIECE = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(Struct, frozen=True, gc=False):
    number: int
    data: bytes
    """Without the white space around it."""


class Splitter:
    """Puts pieces together and takes lines off them; of a line at most `most` bytes and one piece are held."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = b""
        self._number = 0

    def feed(self, piece: bytes) -> list[Line]:
        """The lines that are whole now."""
        *whole, rest = (self._rest + piece).split(b"\n")
        # What is cut off here stays too long to be an event, whatever follows.
        self._rest = rest[: self._most]
        return [self._line(text) for text in whole]

    def end(self) -> list[Line]:
        """The last line where no line feed ends it."""
        rest, self._rest = self._rest, b""
        return [self._line(rest)] if rest else []

    def _line(self, text: bytes) -> Line:
        self._number += 1
        return Line(self._number, (text.removeprefix(_BYTE_ORDER_MARK) if self._number == 1 else text).strip())


class Source:
    """`with Source(name) as source:`; `-` is stdin. Raises ConfigError where the file cannot be read."""

    def __init__(self, name: str, most: int) -> None:
        try:
            self._file = open(sys.stdin.fileno() if name == "-" else name, "rb", closefd=name != "-")  # noqa: SIM115  __exit__ closes it
        except OSError as error:
            raise wrong("--ndjson", f"{name} cannot be read: {error.strerror}") from None
        self._splitter = Splitter(most)
        self._read = 0
        kind = os.fstat(self._file.fileno())
        self._size = kind.st_size if stat.S_ISREG(kind.st_mode) else 0

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def part(self) -> float | None:
        """How much of the file was read, from 0 to 1; None of a pipe."""
        return self._read / self._size if self._size else None

    def lines(self) -> Iterator[list[Line]]:
        """What there is, as soon as it is there."""
        # read1 makes one call: of a pipe it gives what is in it, of a file a whole piece.
        while piece := self._file.read1(PIECE):
            self._read += len(piece)
            yield self._splitter.feed(piece)
        yield self._splitter.end()
