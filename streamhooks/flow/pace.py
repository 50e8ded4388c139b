"""How fast a lane gets on: what decides whether it is worth waiting for a place in it."""

STALLED = 1.0
"""Seconds without an answer after which a lane counts as stalled."""


class Pace:
    """Answers a second over the last second or two; the clock is the caller's."""

    __slots__ = ("_before", "_count", "_since", "moved_at")

    def __init__(self) -> None:
        self.moved_at = 0.0
        self._since = 0.0
        self._count = 0
        self._before: float | None = None

    def begin(self, now: float) -> None:
        """The lane was empty and has something to do again."""
        self.moved_at = self._since = now
        self._count = 0
        self._before = None

    def moved(self, now: float) -> None:
        """An answer came."""
        self._roll(now)
        self.moved_at = now
        self._count += 1

    def idle(self, now: float) -> float:
        """Seconds since the last answer."""
        return now - self.moved_at

    def per_second(self, now: float) -> float | None:
        """None: it has not been at work for a second yet, so nobody knows."""
        self._roll(now)
        return self._before

    def _roll(self, now: float) -> None:
        passed = now - self._since
        if passed >= STALLED:
            self._before = self._count / passed
            self._count = 0
            self._since = now
