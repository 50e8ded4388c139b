"""Who has an event in hand, and whether that worker is still there. Pure."""

from msgspec import Struct

from streamhooks.flow.story.words import Place, moment, span
from streamhooks.store.life import COUNTED, Carried, Life
from streamhooks.store.release import NOBODY
from streamhooks.store.status import Consumer, PendingEntry

QUIET = 2.0
"""Seconds. A worker reads every second, also where nothing comes."""


class Hands(Struct, frozen=True):
    """The workers of a group, as one partition has heard of them."""

    now: int
    lease: float
    """Seconds."""
    consumers: tuple[Consumer, ...]

    @property
    def alive(self) -> bool:
        """Whether any worker is."""
        return any(one.idle < self._silence for one in self.consumers)

    def silent(self, name: str) -> float | None:
        """Seconds that a worker has not been heard of, where that is too long; None: it is there."""
        idle = next((one.idle for one in self.consumers if one.name == name), None)
        return idle if idle is not None and idle >= self._silence else None

    @property
    def _silence(self) -> float:
        """Half a lease: a worker keeps what it has alive four times a lease."""
        return max(self.lease / 2, QUIET)

    @property
    def soon(self) -> str:
        return "a worker puts it on its way within a second" if self.alive else "no worker is running"


def unread(hands: Hands, life: Life) -> Place:
    """An entry that the group was not handed."""
    if life.handed is None:
        return Place(state="unread", text="waiting to be read: no worker has ever read this stream")
    count = f"more than {COUNTED:,}" if life.before >= COUNTED else f"{life.before:,}"
    before = "1 entry is" if life.before == 1 else f"{count} entries are"
    gone = "" if hands.alive else "; no worker is running"
    return Place(state="unread", text=f"waiting to be read: {before} before it{gone}")


def pending_at(hands: Hands, held: PendingEntry, before_it: str) -> Place:
    """An entry that was handed out; `before_it` is the entry whose request it waits for."""
    since = hands.now - round(held.idle * 1000)
    times = "once" if held.deliveries <= 1 else f"{held.deliveries} times"
    said = f"pending at {held.consumer}, handed out {times}, last kept alive at {moment(since)}"
    silent = hands.silent(held.consumer)
    waits = False
    if held.consumer == NOBODY or (held.idle >= hands.lease and silent is None):
        said = f"given up by its worker, handed out {times}: any worker takes it over within 5s"
    elif silent is not None:
        said += (
            f"; that worker has not been heard of for {span(silent * 1000)}: "
            f"any other takes it over within the lease ({span(hands.lease * 1000)})"
        )
    elif before_it:
        said += f"; it waits for the end of the same request of {before_it}, which is under way"
        waits = True
    if not hands.alive:
        said += "; no worker is running"
    return Place(
        state="waiting" if waits else "pending", text=said, since=since, worker=held.consumer,
        carrier=held.id, silent=silent or 0.0, deliveries=held.deliveries, by=before_it if waits else "",
    )  # fmt: skip


def carried_by(hands: Hands, carried: Carried) -> Place:
    """A retry that is due, or a replay, on its way."""
    record = carried.record
    what = "replayed" if record.why == "replayed" else f"attempt {record.attempt} is due"
    if carried.holder is not None:
        place = pending_at(hands, carried.holder, "")
        return Place(
            state="pending", text=f"{what}: {place.text}", since=place.since, worker=place.worker,
            carrier=carried.id, silent=place.silent, deliveries=place.deliveries, run=record.id_run,
        )  # fmt: skip
    at = int(carried.id.partition("-")[0])
    gone = "" if hands.alive else "; no worker is running"
    said = f"{what}: in the retry stream since {moment(at)}, waiting to be read{gone}"
    return Place(state="due", text=said, since=at, run=record.id_run)
