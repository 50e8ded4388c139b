"""A worker's own figures, made into a snapshot every ten seconds: rates and latencies are those since the last one."""

import time
from collections.abc import Iterable

from streamhooks import __version__
from streamhooks.flow.lane import Lane
from streamhooks.observe.figures import Durations, HandlerFigures
from streamhooks.store.snapshots import HandlerSnapshot, Snapshot

EVERY = 10.0
"""Seconds."""


class Snapshots:
    """Makes one worker's snapshots."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer
        self._started = self._taken = time.monotonic()
        self._before: dict[str, tuple[int, list[int]]] = {}

    def take(self, lanes: Iterable[Lane]) -> Snapshot:
        now = time.monotonic()
        passed = max(0.001, now - self._taken)
        self._taken = now
        handlers = {lane.handler.id: self._of(lane, passed) for lane in lanes}
        return Snapshot(self._consumer, __version__, round(now - self._started), handlers)

    def _of(self, lane: Lane, passed: float) -> HandlerSnapshot:
        own = lane.figures
        delivered, counts = own.outcomes["delivered"], list(own.attempt_seconds.counts)
        before, earlier = self._before.get(lane.handler.id, (0, [0] * len(counts)))
        self._before[lane.handler.id] = delivered, counts
        lately = Durations()
        lately.counts = [count - old for count, old in zip(counts, earlier, strict=True)]
        return HandlerSnapshot(
            delivered=delivered,
            suppressed=own.outcomes["suppressed"],
            stored=own.outcomes["stored"],
            dead=own.outcomes["dead"],
            attempts=own.attempts.total(),
            failures=_failures(own),
            per_second=round((delivered - before) / passed, 1),
            p50=lately.quantile(0.5),
            p99=lately.quantile(0.99),
            in_flight=lane.in_flight,
            breaker=("closed", "half_open", "open")[lane.breaker_state],
        )


def _failures(figures: HandlerFigures) -> int:
    return figures.attempts.total() - figures.attempts["2xx"]
