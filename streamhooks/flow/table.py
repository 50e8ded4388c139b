"""The table, which holds what is under way, and the room for it.

The table is what the heartbeat keeps alive, one for a partition; the room is what bounds the reading, one for the
process. A job that waits for another's claim is in the table, but takes no room.
"""

import asyncio
from collections.abc import Iterable, Iterator

from streamhooks.flow.carrier import IN_ROOM, UNSENT, Carrier, Job, State
from streamhooks.flow.patience import within
from streamhooks.model import Entry
from streamhooks.store.settle import Source


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

    def take_in(self, source: Source, entries: Iterable[Entry], now: float) -> list[Carrier]:
        """Carriers of those entries that are not in hand yet; `now` is monotonic."""
        carriers: list[Carrier] = []
        for entry in entries:
            key = (source, entry.id)
            if key not in self._carriers:
                carrier = self._carriers[key] = Carrier(source, entry, now)
                carriers.append(carrier)
        return carriers

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
