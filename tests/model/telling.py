"""A trace in words: what happened, step by step, and how things stood after each."""

from collections.abc import Callable, Iterator

from tests.model.search import Found
from tests.model.state import (
    ABSENT,
    DEAD,
    DELIVERED,
    ENDED_BY,
    GONE,
    LOST,
    MOVED_TO,
    NOBODY,
    OPEN,
    PURGED,
    STORED,
    UNREAD,
    Law,
    Shape,
    World,
)
from tests.model.steps import Step

MEANING: dict[Law, str] = {
    "lost": "nothing stands for an acknowledged event: no delivery, dead letter or stored record, and no other event",
    "unproven": "an event is given up for another's request, and nothing durable stands for that one",
    "twice": "the account counts an event twice, or an owner has two carriers or records",
    "flood": "more requests inside one cool-down than one and what has gone wrong may cost",
    "again": "an owner was sent again after its 2xx, and no worker had died or lost an entry",
    "shut out": "an owner is kept out by its own claim",
    "stuck": "no steps of healthy workers bring this to its end",
}
_FATES = {
    DELIVERED: "counts as delivered", DEAD: "counts as dead", STORED: "counts as stored", LOST: "was trimmed",
    PURGED: "was purged",
}  # fmt: skip
_HOLDERS = {UNREAD: "unread", NOBODY: "pending at a dead worker", GONE: "gone"}
_COOL = ("", "in flight (c)", "stored (r)", "delivered (d)", "dead (x)", "delivered (d), over", "dead (x), over")


def told(found: Found) -> str:
    """The trace of a broken law, one line a step."""
    if found.law is None:
        return f"{found.scene.name}: no law was broken in {found.states:,} states"
    lines = [f"{found.scene.name}: {found.law}: {MEANING[found.law]}"]
    lines += _lines(found)
    return "\n".join(lines)


def _lines(found: Found) -> Iterator[str]:
    shape = found.scene.shape
    for number, (step, world) in enumerate(found.path, 1):
        yield f"{number:3} {sentence(step, shape)}"
        yield f"      {standing(world, shape)}"


def sentence(step: Step, shape: Shape) -> str:
    """One step: who did what to what, and what came of it."""
    who = f"worker {step.seat}" if step.seat else _HAND.get(step.verb, "time passes")
    how = f": {step.how}" if step.how else ""
    return " ".join(filter(None, (f"{who}:", step.verb, _THING[step.verb](step.thing, shape)))) + how


def standing(world: World, shape: Shape) -> str:
    """What Redis holds: cool-downs, entries, what has become of each job."""
    cool = [
        f"cool-down{_at(handler, shape)} {_COOL[value >> 4]} by {_owner(value & 15, shape)}"
        for handler, value in enumerate(world.cool)
        if value != ABSENT
    ]
    entries = [f"event {entry + 1} {_held(holder)}" for entry, holder in enumerate(world.holders)]
    jobs = [
        f"{_job(job, shape)} {', '.join(_became(world, job, shape))}"
        for job in range(shape.jobs)
        if world.fates[job] != OPEN or world.answered[job]
    ]
    return "; ".join([*cool, *entries, *jobs])


def _became(world: World, job: int, shape: Shape) -> Iterator[str]:
    if world.answered[job]:
        yield "was answered 2xx"
    fate = world.fates[job]
    if fate >= MOVED_TO:
        yield f"went on as {_owner(fate & 15, shape)}"
    elif fate >= ENDED_BY:
        yield f"was given up for {_owner(fate & 15, shape)}"
    elif fate != OPEN:
        yield _FATES[fate]
    if world.parked[job]:
        yield "record stored"
    if world.letters[job]:
        yield "letter there"
    if world.carriers[job] != GONE:
        yield f"carrier {_held(world.carriers[job])}"


def _held(holder: int) -> str:
    return _HOLDERS.get(holder) or f"pending at worker {holder}"


def _owner(owner: int, shape: Shape) -> str:
    return f"event {owner + 1}" if owner < shape.entries else f"replay {owner - shape.entries + 1}"


def _at(handler: int, shape: Shape) -> str:
    return f" of handler {handler + 1}" if shape.handlers > 1 else ""


def _job(job: int, shape: Shape) -> str:
    handler, owner = divmod(job, shape.owners)
    return _owner(owner, shape) + (f" at handler {handler + 1}" if shape.handlers > 1 else "")


def _place(place: int, shape: Shape) -> str:
    retried, job = divmod(place, shape.jobs)
    return ("the retry of " if retried else "") + _job(job, shape)


def _entry(entry: int, shape: Shape) -> str:
    return f"event {entry + 1}"


def _handler(handler: int, shape: Shape) -> str:
    return _at(handler, shape).strip()


_OF_PLACE = (
    "claim", "claim, unheard", "claim, blind", "send", "settle", "settle, unheard", "settle, broken off", "defer",
    "let go", "wake, second half",
)  # fmt: skip
_OF_JOB = (
    "read retry", "read retry, unheard", "take retry", "hand back retry", "wake", "wake, first half", "replay letter",
    "replay of history", "purge letter",
)  # fmt: skip
_OF_ENTRY = ("read", "read, unheard", "take", "keep", "trim", "hand back")
_OF_HANDLER = ("cool-down over", "claim runs out", "mark runs out", "evict")
_THING: dict[str, Callable[[int, Shape], str]] = {
    **dict.fromkeys(_OF_PLACE, _place),
    **dict.fromkeys(_OF_JOB, _job),
    **dict.fromkeys(_OF_ENTRY, _entry),
    **dict.fromkeys(_OF_HANDLER, _handler),
    "crash": lambda _thing, _shape: "",
}
_HAND = {
    "evict": "Redis", "trim": "somebody", "replay letter": "operator", "replay of history": "operator",
    "purge letter": "operator",
    "wake": "a worker",
}  # fmt: skip
