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
}


class Plan(Struct, frozen=True):
    """How much is measured. Figures of a section are slopes or medians over `rounds`."""

    sections: tuple[str, ...] = tuple(SECTIONS)
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

    @property
    def short(self) -> int:
        return max(1, self.count // 9)


QUICK: Final = Plan(
    count=9000, rounds=1, rates=(100, 1000), seconds=4.0, backlogs=(10_000, 100_000), delivered=10_000, parked=100_000
)
