"""When exchanges must be over: one timer for all of them, because a timer each costs as much as the exchange.

Most exchanges end long before their time, so ending one only takes it off the list; the timer stands at the earliest
time that was ever on it, and when it fires it looks who is late.
"""

import asyncio
import math
import time
from typing import Protocol


class Waited(Protocol):
    """A connection on which an answer is waited for."""

    def fail(self, error: Exception, /) -> None:
        """Whoever waits is told of the error."""

    def close(self) -> None:
        """Whoever waits is told that it is lost."""


class Deadlines:
    """The connections that are waited for, each with the time on the monotonic clock when its answer is too late."""

    def __init__(self) -> None:
        self._until: dict[Waited, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._stands_at = math.inf

    def begin(self, waited: Waited, until: float) -> None:
        """It fails with a TimeoutError from `until` on, unless it is ended before."""
        self._until[waited] = until
        if until < self._stands_at:
            self._set(until)

    def end(self, waited: Waited) -> None:
        self._until.pop(waited, None)

    def close(self) -> None:
        """What is waited for is closed."""
        while self._until:
            self._until.popitem()[0].close()
        if self._timer is not None:
            self._timer.cancel()

    def _set(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._stands_at = at
        self._timer = asyncio.get_running_loop().call_later(max(0.0, at - time.monotonic()), self._look)

    def _look(self) -> None:
        self._timer = None
        self._stands_at = math.inf
        now = time.monotonic()
        for waited in [waited for waited, until in self._until.items() if until <= now]:
            del self._until[waited]
            waited.fail(TimeoutError())
        if self._until:
            self._set(min(self._until.values()))
