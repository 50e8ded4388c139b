"""What must be true of every state. Each law has a word, which is what a broken one is called.

lost       an event was acknowledged and nothing stands for it: no 2xx, no dead letter, no stored record, no other
           event's request that was, or will be, one of these
unproven   an event was given up for another's request while nothing durable stood for that one
twice      the account counts an event twice, or an owner has two carriers or records at once
flood      where nothing has gone wrong, a second request has ended something inside one cool-down
again      an owner was sent again after its 2xx, though no worker died or lost an entry
shut out   an owner was kept out by its own claim
stuck      a state from which the free steps cannot bring everything to its end (search.py finds these)
"""

from tests.model.state import (
    DEAD,
    DELIVERED,
    ENDED_BY,
    GONE,
    LOST,
    OPEN,
    PURGED,
    STORED,
    WAKING,
    Law,
    Shape,
    World,
)


def broken(world: World, shape: Shape) -> Law | None:
    """The law that this state breaks."""
    if max(world.sent) > world.allowed[0]:
        return "flood"
    owners = shape.owners
    for job, fate in enumerate(world.fates):
        if fate == OPEN:
            owner = job % owners
            if owner < shape.entries and world.holders[owner] == GONE:
                return "lost"
        elif not _stands(world, job, owners):
            return "lost"
    return None


def _stands(world: World, job: int, owners: int) -> bool:
    """Whether what stands for an ended job is there: its own, or that of the last one that it was given up for."""
    if world.fates[job] == LOST:
        return True  # trimmed, and counted as such; but nobody else may have been given up for it
    first = job - job % owners
    for _ in range(owners):
        fate = world.fates[job]
        if fate < ENDED_BY:
            return _durable(world, job, fate)
        job = first + (fate & 15)
    return False  # they were given up for each other


def _durable(world: World, job: int, fate: int) -> bool:
    if fate == DELIVERED:
        return world.answered[job] == 1
    if fate == DEAD:
        return world.letters[job] == 1
    if fate == STORED:
        jobs = len(world.fates)
        waking = WAKING in (world.first[jobs + job], world.second[jobs + job])
        return waking or world.parked[job] == 1 or world.carriers[job] != GONE
    return fate in {OPEN, PURGED}
