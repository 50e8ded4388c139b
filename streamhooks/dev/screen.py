"""What `dev` shows: one block for each webhook that arrives, two lines for what ends otherwise."""

import io
import select
import sys
import time
from contextlib import suppress
from typing import assert_never

from streamhooks.dev.receiver import Arrival
from streamhooks.model import HELD, Dead, Retry, Suppressed
from streamhooks.observe.figures import Ended

_COLOURS = {"green": 32, "yellow": 33, "red": 31, "cyan": 36, "dim": 2, "bold": 1}


class Screen:
    """Standard output: coloured on a terminal, plain in a pipe, each line written at once.

    Lines are written wherever something happens, a request of the receiver among them, so a pipe that is closed raises
    nothing there: `is_read` tells whoever decides when to end.
    """

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty()
        self._reader = select.poll()
        # Asked for no event, poll still tells of an error, and that a pipe has no reader is one. A text of a test's own
        # has no number, and is always read.
        with suppress(io.UnsupportedOperation):
            self._reader.register(sys.stdout.fileno(), 0)

    def is_read(self) -> bool:
        """False once the other end of the pipe is closed, as by `| head`, whether or not there is more to write."""
        return not self._reader.poll(0)

    def line(self, text: str = "") -> None:
        with suppress(BrokenPipeError):
            print(text, flush=True)

    def paint(self, colour: str, text: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._colour else text

    def console(self, address: str) -> None:
        """The admin address is listened on."""
        self.line(f"{self.paint('bold', 'console')}   http://{address}/")

    def arrival(self, arrival: Arrival) -> None:
        """A webhook arrived at the receiver."""
        good = 200 <= arrival.status < 300
        status = self.paint("green" if good else "yellow", f"answered {arrival.status}")
        self.line(f"{self._now()}  {self.paint('bold', f'{arrival.method} {arrival.path}')}  {status}")
        for name in ("webhook-id", "X-Team"):
            if name in arrival.headers:
                self.line(f"          {self.paint('dim', f'{name}: {arrival.headers[name]}')}")
        for row in arrival.body.decode(errors="replace").strip().splitlines():
            self.line(f"          {self.paint('cyan', row)}")

    def ended(self, ended: Ended) -> None:
        """An event came to an end, or was put off: what became of which one, and below it why."""
        match ended.outcome:
            case Suppressed(by):
                origin = by.partition("|")[0]
                what, why, colour = "suppressed", f"the same request was delivered for event {origin}", "dim"
            case Retry(after, attempt, why):
                when = "when it is resumed" if after == HELD else f"in {after:.1f} s"
                what, colour = f"put off: attempt {attempt} {when}", "yellow"
            case Dead(reason, why):
                what, colour = f"dead letter ({reason})", "red"
            case _:
                assert_never(ended.outcome)
        subject = " ".join(filter(None, (ended.type, ended.event, ended.handler and f"-> {ended.handler}")))
        self.line(f"{self._now()}  {self.paint('bold', subject)}  {self.paint(colour, what)}")
        self.line(f"          {self.paint('dim', why)}")

    def _now(self) -> str:
        return self.paint("dim", time.strftime("%H:%M:%S"))
