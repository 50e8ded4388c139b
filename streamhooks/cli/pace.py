"""How a replay is gone about, of letters and of history alike: asked about, at a rate, in batches."""

import asyncio
import sys
import time
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamhooks.cli.opening import wrong
from streamhooks.settings.rules import RATE, RefusedError

AT_ONCE = 100
"""Records in one batch, as many as one answer of Redis brings."""
BEAT = 0.1
"""Seconds: a batch is at most what the rate allows in so long, so that a rate is no sequence of bursts."""


def add_pace(parser: ArgumentParser) -> None:
    parser.add_argument("--rate", default="", help="at most so many, such as 10/s or 100/m")
    parser.add_argument("--force", action="store_true", help="deliver even inside a cool-down")


def add_caution(parser: ArgumentParser, what: str) -> None:
    parser.add_argument("--dry-run", action="store_true", help=f"list the {what}, and change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask, on a terminal")


def rate(text: str) -> float:
    """Records a second; 0: as many as come. Raises ConfigError."""
    try:
        return float(RATE.check(text))
    except RefusedError as refusal:
        raise wrong("--rate", str(refusal)) from None


class Pace:
    """Keeps a rate: `size` is the most that a batch may hold, and `turn` waits until one may go.

    The wait is counted from the end of the batch before: what held one up does not make a burst of those behind it.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._next = 0.0
        self.size = min(AT_ONCE, max(1, int(rate * BEAT))) if rate else AT_ONCE

    @asynccontextmanager
    async def turn(self, count: int) -> AsyncIterator[None]:
        """What is done inside is a batch of `count`."""
        if self._rate:
            await asyncio.sleep(max(0.0, self._next - time.monotonic()))
        yield
        if self._rate:
            self._next = time.monotonic() + count / self._rate


def somebody_asks(yes: bool) -> bool:
    """Whether there is a terminal with somebody to answer, and --yes was not said."""
    return not yes and sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str) -> bool:
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def counted(number: int, one: str, many: str = "") -> str:
    """`1 entry`, `2 entries`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
