"""What this process has done, as plain numbers.

Counting is an addition to an attribute: labels are looked up when somebody asks, in metrics.py, not per event. The
account that survives crashes is kept in Redis by the settling scripts; these figures end with the process. What is
told of the ends that are no deliveries goes to one listener: the log (problems.py) or the screen of `dev`.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from typing import TypeAlias, assert_never

from msgspec import Struct

from streamhooks.model import Dead, Failure, Reply, Retry, Suppressed

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0, 3600.0)
"""Seconds. Fine below a second, where gateways' users wait, and up to an hour, where retries end."""


class Durations:
    """A histogram of seconds over BOUNDS."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def quantile(self, part: float) -> float:
        """The upper bound of the bucket in which this part of all values ends; 0 when there are none."""
        wanted = part * sum(self.counts)
        seen = 0
        for bound, count in zip((*BOUNDS, BOUNDS[-1]), self.counts, strict=True):
            seen += count
            if count and seen >= wanted:
                return bound
        return 0.0


class HandlerFigures:
    """One handler's figures in this process."""

    __slots__ = ("attempt_seconds", "attempts", "dead", "delivery_seconds", "outcomes")

    def __init__(self) -> None:
        self.attempts: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.dead: Counter[str] = Counter()
        self.attempt_seconds = Durations()
        self.delivery_seconds = Durations()

    def attempted(self, answer: Reply | Failure) -> None:
        self.attempts[result_of(answer)] += 1
        self.attempt_seconds.add(answer.elapsed)


class Ended(Struct, frozen=True, gc=False):
    """One end that is no delivery, as logs and listeners are told of it."""

    handler: str
    event: str
    """The id of the entry that first carried it."""
    type: str
    attempt: int
    """Its number; of a dead letter, how many were made at the endpoint."""
    outcome: Suppressed | Retry | Dead
    answer: Reply | Failure | None = None
    webhook_id: str = ""
    """Empty where no handler had a part in it."""
    trace_id: str = ""
    """Empty where traces are off."""


Tell: TypeAlias = Callable[[Ended], None]


class Figures:
    """The figures of this process."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.entries_read = 0
        self.redeliveries = 0
        self.claims_failed_open = 0
        self.late = 0
        """Outcomes that came after another worker had taken the entry over."""
        self.unmatched = 0
        self.ingested: Counter[str] = Counter()
        """Events that came by the HTTP door: taken, skipped, refused, unknown."""
        self.ingest_requests: Counter[int] = Counter()
        """Requests to it, by the status that answered them."""
        self.handlers: dict[str, HandlerFigures] = {}
        self.dead_unhandled: Counter[str] = Counter()
        """Dead letters that no handler had a part in, by reason: undecodable, crash_loop."""

    def of(self, handler: str) -> HandlerFigures:
        found = self.handlers.get(handler)
        if found is None:
            found = self.handlers[handler] = HandlerFigures()
        return found

    @property
    def deliveries(self) -> int:
        return sum(own.outcomes["delivered"] for own in self.handlers.values())

    def delivered(self, handler: str, event: str, now: float) -> None:
        """A delivery is durable: it is counted, and nobody is told. `now` is unix seconds; the event's id says since
        when it was on its way.
        """
        own = self.of(handler)
        own.outcomes["delivered"] += 1
        own.delivery_seconds.add(max(0.0, now - int(event.partition("-")[0]) / 1000))

    def settled(self, ended: Ended) -> None:
        """The end of one handler's part in an event, which is no delivery, is durable."""
        own = self.of(ended.handler)
        match ended.outcome:
            case Suppressed():
                own.outcomes["suppressed"] += 1
            case Retry():
                own.outcomes["stored"] += 1
            case Dead(reason):
                own.outcomes["dead"] += 1
                own.dead[reason] += 1
            case _:
                assert_never(ended.outcome)
        self._tell(ended)

    def buried(self, event: str, dead: Dead) -> None:
        """An entry is a dead letter that no handler had a part in."""
        self.dead_unhandled[dead.reason] += 1
        self._tell(Ended("", event, "", 0, dead))


_CLASSES = {2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}


def result_of(answer: Reply | Failure) -> str:
    """The label of an attempt: the class of its status, or the kind of its failure."""
    if isinstance(answer, Failure):
        return answer.kind
    return _CLASSES.get(answer.status // 100, "protocol")
