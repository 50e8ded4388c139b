"""What is under way in this process: carriers, their jobs, and the table that holds them.

A carrier is an entry of the stream, or of the retry stream, from reading to acknowledgement. It brings one job for
each handler that its event fires. The table is what the heartbeat keeps alive, one for a partition; the room is what
bounds the reading, one for the process. A job that waits for another's claim is in the table, but takes no room.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from streamhooks.flow.patience import within
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


class Room:
    """How many jobs this process may have under way, over all partitions."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self.active = 0
        """Jobs that take room: all but those that wait for another's claim."""
        self._changed = asyncio.Event()

    @property
    def free(self) -> int:
        return self._jobs - self.active

    def freed(self) -> None:
        """A job or a carrier has gone: whoever waits for room looks again."""
        self._changed.set()

    async def changed(self, patience: float) -> None:
        """Returns when a job or a carrier has gone, or after `patience` seconds."""
        self._changed.clear()
        await within(self._changed.wait(), patience)


class Table:
    """Every carrier of one partition that this process has in hand."""

    def __init__(self, room: Room) -> None:
        self._carriers: dict[tuple[Source, str], Carrier] = {}
        self._room = room

    def __len__(self) -> int:
        return len(self._carriers)

    def __iter__(self) -> Iterator[Carrier]:
        return iter(list(self._carriers.values()))

    def __contains__(self, key: tuple[Source, str]) -> bool:
        return key in self._carriers

    def add(self, carrier: Carrier) -> None:
        self._carriers[carrier.source, carrier.entry.id] = carrier

    def drop(self, carrier: Carrier) -> None:
        """Forgets a carrier: acknowledged, handed back, or another's now."""
        self._carriers.pop((carrier.source, carrier.entry.id), None)
        carrier.jobs.clear()  # each of which names its carrier: a circle, which only the collector would find
        self._room.freed()

    def take_room(self, job: Job, state: State) -> None:
        """A job that is ready, or has waited for another's claim, goes on."""
        if job.state not in IN_ROOM:
            self._room.active += 1
        job.state = state

    def give_room(self, job: Job) -> None:
        """A job waits for another's claim."""
        self._leave_room(job)
        job.state = "waiting"

    def end(self, job: Job) -> None:
        """A job has ended; its carrier is forgotten with its last one."""
        if job.state in IN_ROOM:
            self._room.active -= 1
        job.state = "ended"
        jobs = job.carrier.jobs
        if len(jobs) == 1 or all(sibling.state == "ended" for sibling in jobs):
            self.drop(job.carrier)
        else:
            self._room.freed()

    def lose(self, carrier: Carrier) -> None:
        """Another worker has the entry now, or is to have it: what was not sent is not sent from here."""
        carrier.lost = True
        for job in carrier.jobs:
            if job.state in UNSENT:
                self.end(job)
        if not carrier.jobs:
            self.drop(carrier)

    def forget(self, carrier: Carrier) -> None:
        """Gives a carrier up without an end: nobody keeps it any more, so that it is handed out again."""
        for job in carrier.jobs:
            self._leave_room(job)
            job.state = "ended"
        self.drop(carrier)

    def _leave_room(self, job: Job) -> None:
        if job.state in IN_ROOM:
            self._room.active -= 1
            self._room.freed()
