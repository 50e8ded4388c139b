"""What is measured, and how much of it: the whole of it for figures to keep, the quick one for a look."""

from typing import Final

from msgspec import Struct

SECTIONS: Final = {
    "cpu": "events a second and CPU of an event, one worker",
    "latency": "from XADD to the request's arrival, at fixed rates",
    "memory": "the worker's memory beside backlogs and stored retries, and its CPU beside these",
    "startup": "from the start of the process until it is ready, and until the first webhook arrives",
    "workers": "CPU of an event with several workers, and one of them stopped",
    "handler": "what one more handler costs, plain and with a signature",
    "redis": "CPU of an event at Redis, and its bytes, by the size of events, cool-down and journal",
    "stored": "Redis' memory for one event in each of its states",
    "partitions": "what more partitions cost a worker and Redis, busy and idle",
}
SCALING: Final = ("redis", "stored", "partitions")
"""Figures of docs/scaling.md: measured where they are asked for by name."""


class Plan(Struct, frozen=True):
    """How much is measured. Figures of a section are slopes or medians over `rounds`."""

    sections: tuple[str, ...] = tuple(name for name in SECTIONS if name not in SCALING)
    redis_url: str = ""
    """Empty: an embedded server."""
    count: int = 45_000
    """Events of a long run; a short one has a ninth of them, and a figure is the slope between the two."""
    rounds: int = 3
    rates: tuple[int, ...] = (100, 1000, 2000)
    """Events a second."""
    seconds: float = 15.0
    """Of each rate, and of looking on while the worker idles beside stored retries."""
    backlogs: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    delivered: int = 50_000
    """Events that are delivered from the beginning of each backlog, or all of a smaller one."""
    parked: int = 1_000_000
    workers: int = 2
    sizes: tuple[int, ...] = (200, 1024, 8192)
    """Bytes of an event; the least first."""
    stored: int = 100_000
    """Events in a state, and as many again: a figure is the slope between the two."""
    partitions: tuple[int, ...] = (1, 4, 16)

    @property
    def short(self) -> int:
        return max(1, self.count // 9)

    @property
    def rate(self) -> int:
        """Events a second that come to a worker of several partitions."""
        return self.rates[-1]


QUICK: Final = Plan(
    count=9000, rounds=1, rates=(100, 1000), seconds=4.0, backlogs=(10_000, 100_000), delivered=10_000, parked=100_000,
    stored=10_000,
)  # fmt: skip
