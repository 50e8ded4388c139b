"""The state of the model: what Redis holds, what each worker has in memory, and what has become of every event.

All events bring the same request, so there is one cool-down for each handler. An *owner* is a number: below `entries`
it is the event itself, from there on a run of a replay. A *job* is an owner at a handler, `handler * owners + owner`.
Everything is a small number, so that a state freezes into a few dozen bytes and a million of them fit into memory.

Left out, because nothing in the model could tell it apart: times (what may run out may do so at any moment), which of
the stored records are held by a pause (a held one is one that wakes later), the moment between a request and its reply
(nobody else sees it), the connection of an id to a run (a replay is a new owner).
"""

from typing import Literal, TypeAlias

from msgspec import Struct

# Redis: a cool-down is `state << 4 | owner`, or ABSENT.
ABSENT = 0
C, R, D, X, OLD_D, OLD_X = range(1, 7)
"""In flight, stored for retry, delivered, dead-lettered; the last two again, with the cool-down over."""

# Redis: who has an entry or a carrier of the retry stream. 1 and 2 are the workers.
UNREAD, NOBODY, GONE = 0, 3, 4
"""Not read yet; pending at a process that has died; acknowledged, or not there."""
SEATS = (1, 2)

# Memory of a worker: what it holds of a job, one number; `by << 4` where COVERED, and PASSED where its carrier is gone.
NOTHING, READ, CLAIMED, ANSWERED, FAILED, FINAL, FOUND, COVERED, WAKING = range(9)
"""To be claimed (or parked); may be sent; answered 2xx; to be stored for later; failed for good; its own `d` was found;
another's request stands for it; (a mutation's) taken out of the stored ones and not yet put into the stream."""
PASSED = 0x80
UNSENT = (READ, CLAIMED)

# What has become of a job. `ENDED_BY | owner`: that one's request stands for it. `MOVED_TO | owner`: its dead letter
# was replayed.
OPEN, DELIVERED, DEAD, STORED, LOST, PURGED = range(6)
"""LOST: somebody trimmed it while it was pending; counted apart, as the design has it. PURGED: its dead letter was
thrown away."""
ENDED_BY, MOVED_TO = 0x10, 0x20

# What may still happen, how often.
CRASHES, STALLS, STEALS, EVICTIONS, TRIMS, BLIND, BREAKS, SILENCES = range(8)
FAILURES, FINALS, DEFERRALS, REPLAYS, RERUNS, PURGES, STOPS = range(8, 15)
BOUNDS = (
    "crashes", "stalls", "steals", "evictions", "trims", "blind", "breaks", "silences", "failures", "finals",
    "deferrals", "replays", "reruns", "purges", "stops",
)  # fmt: skip
"""A stall: a claim runs out under a living worker. Blind: sent because Redis could not answer the claim. A break: a
script ends at a write that is refused. A silence: a script did its work and its answer was lost. A deferral: stored
without an attempt. A rerun: a replay of history. A stop: a worker that stops hands an entry back."""

Law: TypeAlias = Literal["lost", "unproven", "twice", "flood", "again", "shut out", "stuck"]
"""What may be broken, see laws.py."""

COSTS = (1, 1, 2, 1, 1, 1, 0, 0, 0, 0, 0, 2, 1, 1, 0)
"""How many more requests each may cost a handler, beyond the one that a cool-down allows. A living worker that an entry
is taken from may send, and overwrite the mark of an end that it did not hear of; a replay is a request, and it frees
the cool-down for another one. A failed request that is tried again counts with its last one."""


class Shape(Struct, frozen=True):
    """How large the world is. At most 7 owners, so that a number of one fits beside a phase in a byte."""

    entries: int = 2
    handlers: int = 1
    replays: int = 0

    @property
    def owners(self) -> int:
        return self.entries + self.replays

    @property
    def jobs(self) -> int:
        return self.handlers * self.owners

    @property
    def widths(self) -> tuple[int, ...]:
        """Bytes of each part, in the order of `World.__slots__`."""
        return (
            self.handlers, self.entries, self.entries, self.entries, self.jobs, self.jobs, self.jobs, self.jobs,
            self.jobs, 2 * self.jobs, 2 * self.jobs, self.handlers, 1, 1, len(BOUNDS),
        )  # fmt: skip


class World:
    """One state, open for a step to change."""

    __slots__ = (
        "allowed",
        "answered",
        "carriers",
        "cool",
        "fates",
        "first",
        "holders",
        "left",
        "letters",
        "parked",
        "receipts",
        "second",
        "sent",
        "trimmed",
        "upset",
        "wrong",
    )  # fmt: skip

    cool: list[int]
    """By handler: the cool-down."""
    holders: list[int]
    """By entry: who has it."""
    trimmed: list[int]
    """By entry: 1 where somebody deleted it while it was pending."""
    receipts: list[int]
    """By entry: the set of handlers that have finished it, a bit each."""
    carriers: list[int]
    """By job: who has its carrier in the retry stream."""
    parked: list[int]
    """By job: 1 where a record of it is stored."""
    letters: list[int]
    """By job: 1 where its dead letter is there."""
    fates: list[int]
    """By job: what has become of it, as the account has it."""
    answered: list[int]
    """By job: 1 once its request was answered 2xx."""
    first: list[int]
    """The memory of worker 1: by job, what it holds of the entry, and then of the carrier in the retry stream."""
    second: list[int]
    """The memory of worker 2."""
    sent: list[int]
    """By handler: requests that have ended something inside this cool-down, answered 2xx or failed for good."""
    upset: list[int]
    """1 once a worker has died or lost an entry that it had: then a request may be made again."""
    allowed: list[int]
    """How many requests there may be inside a cool-down: 1, and what everything that has happened may cost."""
    left: list[int]
    """What may still happen."""
    wrong: Law | None
    """The law that the last step broke; no part of the state."""

    @property
    def ended(self) -> bool:
        """Everything has come to its end."""
        return (
            set(self.holders) == {GONE}
            and set(self.carriers) == {GONE}
            and not any(self.parked)
            and not any(self.first)
            and not any(self.second)
        )

    def hands(self, seat: int) -> list[int]:
        return self.first if seat == 1 else self.second

    def copy(self) -> "World":
        new = World.__new__(World)
        new.cool, new.holders, new.trimmed, new.receipts = (
            self.cool[:],
            self.holders[:],
            self.trimmed[:],
            self.receipts[:],
        )
        new.carriers, new.parked, new.letters, new.fates = (
            self.carriers[:],
            self.parked[:],
            self.letters[:],
            self.fates[:],
        )
        new.answered, new.first, new.second = self.answered[:], self.first[:], self.second[:]
        new.sent, new.upset, new.allowed, new.left = self.sent[:], self.upset[:], self.allowed[:], self.left[:]
        new.wrong = None
        return new

    def frozen(self) -> bytes:
        return bytes(
            self.cool + self.holders + self.trimmed + self.receipts + self.carriers + self.parked + self.letters
            + self.fates + self.answered + self.first + self.second + self.sent + self.upset + self.allowed + self.left
        )  # fmt: skip


def thawed(frozen: bytes, cuts: tuple[slice, ...]) -> World:
    """The state again. `cuts` are those of its shape."""
    world = World.__new__(World)
    (
        world.cool, world.holders, world.trimmed, world.receipts, world.carriers, world.parked, world.letters,
        world.fates, world.answered, world.first, world.second, world.sent, world.upset, world.allowed, world.left,
    ) = [list(frozen[cut]) for cut in cuts]  # fmt: skip
    world.wrong = None
    return world


def cuts(shape: Shape) -> tuple[slice, ...]:
    """Where each part lies in a frozen state."""
    slices: list[slice] = []
    at = 0
    for width in shape.widths:
        slices.append(slice(at, at + width))
        at += width
    return tuple(slices)


def beginning(shape: Shape, bounds: dict[str, int]) -> World:
    """Entries that wait to be read, and nothing else. `bounds`: how often what may happen, by its name in BOUNDS."""
    world = thawed(bytes(sum(shape.widths)), cuts(shape))
    world.carriers = [GONE] * shape.jobs
    world.allowed = [1]
    world.left = [bounds.get(name, 0) for name in BOUNDS]
    return world


def canonical(world: World) -> World:
    """The same state with the workers in a fixed order: which of the two is which changes nothing."""
    if world.first < world.second:
        return world
    holders = [_OTHER[holder] for holder in world.holders]
    carriers = [_OTHER[holder] for holder in world.carriers]
    if world.first > world.second or (holders, carriers) < (world.holders, world.carriers):
        world.first, world.second = world.second, world.first
        world.holders, world.carriers = holders, carriers
    return world


_OTHER = (UNREAD, 2, 1, NOBODY, GONE)
