"""Carriers and their jobs: what is under way in this process.

A carrier is an entry of the stream, or of the retry stream, from reading to acknowledgement. It brings one job for
each handler that its event fires.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from streamhooks.model import Entry, Event, Failure, Outcome, Reply, Request
from streamhooks.observe.traces import Span
from streamhooks.store.claims import Claim
from streamhooks.store.settle import Source

State = Literal["ready", "waiting", "queued", "sending", "settling", "ended"]
"""`waiting`: parked behind another owner's claim. `settling`: its outcome is known and not yet stored."""

IN_ROOM: frozenset[State] = frozenset({"queued", "sending", "settling"})
UNSENT: frozenset[State] = frozenset({"ready", "waiting", "queued"})


class Carrier(Struct, eq=False):
    """One entry on its way, with what its event fires."""

    source: Source
    entry: Entry
    taken: float
    """When it was read, on the monotonic clock."""
    jobs: list["Job"] = []
    handlers: str = ""
    """Every handler that the event fires, one a line; empty where it is one alone."""
    lost: bool = False
    """Another worker has taken it over: what was not sent must not be sent from here."""

    def __repr__(self) -> str:
        states = " ".join(f"{job.handler}:{job.state}" for job in self.jobs)
        return f"<Carrier {self.source} {self.entry.id} {states}>"

    @property
    def unsent(self) -> bool:
        """Nothing of it is being sent or settled, so that a peer may take it."""
        return all(job.state in UNSENT or job.state == "ended" for job in self.jobs)


class Job(Struct, eq=False):
    """One event for one handler."""

    carrier: Carrier
    event: Event
    handler: str
    ended: "Ended"
    owner: str
    """Of its cool-down: `<entry id>|<handler>` and, of a replay, its run."""
    attempt: int
    fingerprint: str = ""
    window: float = 0.0
    first: int = 0
    """Time of the first attempt by the clock of Redis in ms; 0: this is the first."""
    paused: int = 0
    """Milliseconds since then that it was held because the handler was paused."""
    run: str = ""
    """Names the replay that it is of; empty for the event itself."""
    force: bool = False
    request: Request | None = None
    claim: Claim | None = None
    """The cool-down that it claims; None where there is none to claim."""
    told: int = 0
    """How many held-back duplicates the request tells of."""
    state: State = "ready"
    started: float = 0.0
    replied: float = 0.0
    answer: Reply | Failure | None = None
    span: Span | None = None
    """Its trace; None where traces are off."""

    def end(self, outcome: Outcome) -> None:
        """Its outcome is known; it is stored in its own time."""
        self.ended(self, outcome)

    def __repr__(self) -> str:
        return f"<Job {self.owner} attempt {self.attempt} {self.state}>"


Ended: TypeAlias = Callable[[Job, Outcome], None]
