"""A progress bar for long work, on a terminal only: a log or a pipe gets nothing of it."""

import sys
import time
from types import TracebackType
from typing import TextIO

EVERY = 0.1
"""Seconds between two drawings: more cannot be read, and a terminal over a slow line would hold the work up."""
WIDTH = 24
_CLEAR = "\r\x1b[K"


class Progress:
    """`with Progress("events") as progress:` and `progress.show(...)` after each step; gone when left."""

    def __init__(self, unit: str, stream: TextIO | None = None) -> None:
        self._unit = unit
        self._out = stream if stream is not None else sys.stderr
        self.on = self._out.isatty()
        """Somebody looks: it is worth finding out how much there is."""
        self._began = self._drawn = time.monotonic()
        self._visible = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, done: int, *, errors: int = 0, part: float | None = None) -> None:
        """How far the work is. `part` from 0 to 1; None: nobody knows how much there is."""
        now = time.monotonic()
        if not self.on or now - self._drawn < EVERY:
            return
        self._drawn = now
        self._visible = True
        self._out.write(_CLEAR + line(self._unit, done, errors, part, now - self._began))
        self._out.flush()

    def complain(self, text: str) -> None:
        """A line that stays, above the bar."""
        self.clear()
        self._out.write(text + "\n")

    def clear(self) -> None:
        if self._visible:
            self._out.write(_CLEAR)
            self._out.flush()
            self._visible = False


def line(unit: str, done: int, errors: int, part: float | None, elapsed: float) -> str:
    """`[######                  ]  25 %  12,345 events  50,123/s  2 errors`; `elapsed` in seconds."""
    words = []
    if part is not None:
        filled = round(WIDTH * min(1.0, part))
        words.append(f"[{'#' * filled}{' ' * (WIDTH - filled)}] {round(100 * min(1.0, part)):3} %")
    words.append(f"{done:,} {unit}")
    words.append(f"{round(done / elapsed) if elapsed > 0 else 0:,}/s")
    words.append(f"{errors:,} {'error' if errors == 1 else 'errors'}")
    return "  ".join(words)
