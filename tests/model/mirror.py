"""One picture of the model's state and one of what Redis holds: the two must be equal after every step."""

from typing import Any

from msgspec import Struct

from streamhooks.store.account import TERMS
from streamhooks.store.record import Record
from tests.model.crew import Crew
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
    SEATS,
    STORED,
    UNREAD,
    Shape,
    World,
)
from tests.store.given import GROUP, PRINT, WINDOW

_STATES = ("", "c", "r", "d", "x", "d over", "x over")


class Picture(Struct):
    """What both can tell."""

    cool: list[str]
    """By handler: state and owner."""
    holders: list[int]
    trimmed: list[int]
    receipts: list[int]
    carriers: list[int]
    """By job, as holders are by entry."""
    parked: list[int]
    letters: list[int]
    account: dict[str, int]


def of_model(world: World, crew: Crew) -> Picture:
    """What the model says there is."""
    shape = crew.shape
    cool = [
        "" if value == ABSENT else f"{_STATES[value >> 4]} {crew.owners[handler * shape.owners + (value & 15)]}"
        for handler, value in enumerate(world.cool)
    ]
    return Picture(
        cool, world.holders, world.trimmed, world.receipts, world.carriers, world.parked, world.letters,
        _account(world, shape),
    )  # fmt: skip


def _account(world: World, shape: Shape) -> dict[str, int]:
    """What the totals must be, from what has become of each job."""
    fates = world.fates
    accepted = sum(
        job % shape.owners < shape.entries and fate not in {OPEN, LOST} for job, fate in enumerate(fates)
    )  # fmt: skip
    lost = {job % shape.owners for job, fate in enumerate(fates) if fate == LOST}
    return {
        "accepted": accepted,
        "delivered": fates.count(DELIVERED),
        "suppressed": sum(ENDED_BY <= fate < MOVED_TO for fate in fates),
        "dead": fates.count(DEAD) + fates.count(PURGED),
        "stored": fates.count(STORED),
        "unmatched": 0,
        "lost_trimmed": len(lost),
        "lost_parked": 0,
    }


async def of_redis(crew: Crew) -> Picture:
    """What is there."""
    shape, keys = crew.shape, crew.keys
    handlers = [f"handler-{number}" for number in range(shape.handlers)]
    asked = crew.redis.pipeline(transaction=False)
    asked.time()
    asked.xinfo_groups(keys.stream)
    for key in (keys.stream, keys.retry):
        asked.xpending_range(key, GROUP, "-", "+", 100)
        asked.xrange(key)
    asked.zrange(keys.parked, 0, -1)
    asked.hkeys(keys.parked_data)
    asked.xrange(keys.dead)
    asked.hgetall(keys.totals)
    for handler in handlers:
        asked.get(keys.cool(handler, PRINT))
    for entry in crew.entries:
        asked.smembers(keys.done(entry))
    time, groups, pending, entries, waiting, retries, scores, records, dead, totals, *rest = await asked.execute()
    assert set(scores) == set(records), "a stored record without its time, or a time without its record"
    holding = _holders(crew, pending)
    there = {id.decode() for id, _ in entries}
    read_up_to = _moment(groups[0]["last-delivered-id"].decode())
    jobs = {name: job for job, name in crew.owners.items()}
    carriers = [GONE] * shape.jobs
    for id, fields in retries:
        job = jobs[Record.read(fields).owner]
        assert carriers[job] == GONE, f"two carriers of {crew.owners[job]}"
        carriers[job] = _holders(crew, waiting).get(id.decode(), UNREAD)
    parked, letters = [0] * shape.jobs, [0] * shape.jobs
    for name in records:
        parked[jobs[name.decode()]] = 1
    for _, fields in dead:
        letters[jobs[Record.read(fields).owner]] = 1
    known = {name.decode(): int(count) for name, count in totals.items()}
    return Picture(
        [_cool(value, time[0] * 1000 + time[1] // 1000) for value in rest[: shape.handlers]],
        [holding.get(id, UNREAD if _moment(id) > read_up_to else GONE) for id in crew.entries],
        [int(id not in there) for id in crew.entries],
        [sum(1 << number for number, handler in enumerate(handlers) if handler.encode() in done)
         for done in rest[shape.handlers :]],
        carriers, parked, letters,
        {term: known.get(term, 0) for term in (*TERMS, "lost_trimmed", "lost_parked")},
    )  # fmt: skip


def _holders(crew: Crew, pending: Any) -> dict[str, int]:
    seats = {crew.workers[seat].name: seat for seat in SEATS}
    return {one["message_id"].decode(): seats.get(one["consumer"].decode(), NOBODY) for one in pending}


def _moment(id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in id.split("-"))


def _cool(value: bytes | None, now: int) -> str:
    if value is None:
        return ""
    state, _, rest = value.decode().partition("|")
    owner, _, stamp = rest.rpartition("|")
    over = state in {"d", "x"} and now - int(stamp) >= WINDOW * 1000
    return f"{state}{' over' if over else ''} {owner}"
