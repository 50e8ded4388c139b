"""The table of the marks is what the scripts do on a server, and what the model does, row by row."""

import pytest
import pytest_asyncio
from msgspec.structs import replace
from redis.asyncio import Redis

from streamhooks.store.dead import DeadLetters
from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked
from streamhooks.store.purge import purge
from streamhooks.store.settle import Kind
from tests.model.marks import FOUND, LIVES, MARKS, NAMES, Deed, Found, after
from tests.model.rules import DESIGN
from tests.model.scripts import Scripts
from tests.model.state import ABSENT, ANSWERED, DEAD, FAILED, FINAL, GONE, OLD_D, OLD_X, Shape, beginning
from tests.store.given import (
    HOOK,
    LEASE,
    PRINT,
    WINDOW,
    Worker,
    add,
    claim,
    make_due,
    mark,
    owner_of,
    record_of,
    settlement,
    state,
    worker,
)

ROWS = [
    pytest.param(deed, found, id=f"{deed} finds {NAMES[found[0]]} of {found[1]}") for deed in MARKS for found in FOUND
]
KEYS = Keys.of("gateway:events")
ANOTHER = owner_of("9-9")


@pytest_asyncio.fixture
async def one(redis: Redis) -> Worker:
    made = worker(redis, KEYS, "one")
    await made.entries.ensure_group("0")
    await made.retries.ensure_group("0")
    return made


@pytest.mark.parametrize(("deed", "found"), ROWS)
async def test_a_script_makes_of_a_mark_what_the_table_says(
    redis: Redis, one: Worker, deed: Deed, found: Found
) -> None:
    (entry,) = await add(redis, KEYS, first=7)
    await one.read()
    owner = f"7-1~r1|{HOOK}" if deed == "claim of a replay" else owner_of(entry)
    if deed in {"replay", "purge"}:
        await one.settle(settlement("dead", entry, record=record_of(entry, reason="exhausted")))
    if deed == "wake":
        await one.settle(settlement("retry", entry))
        await make_due(redis, KEYS, owner)
    await put_there(redis, found, owner)
    await done(redis, one, deed, entry, owner)
    made, own = after(deed, found)
    assert await state(redis, KEYS) == (f"{NAMES[made][0]}|{owner if own else ANOTHER}" if made else "")


async def put_there(redis: Redis, found: Found, owner: str) -> None:
    what, whose = found
    if what != ABSENT:
        by = owner if whose == "own" else ANOTHER
        await mark(redis, KEYS, NAMES[what][0], by, age=2 * WINDOW if what in {OLD_D, OLD_X} else 1.0)


async def done(redis: Redis, one: Worker, deed: Deed, entry: str, owner: str) -> None:
    letters = DeadLetters(redis, KEYS)
    match deed:
        case "claim" | "claim of a replay":
            await one.claims.claim([claim(owner, replay=deed != "claim")])
        case "delivered" | "retry" | "dead":
            assert await one.settle(settlement(deed, entry)) == "acked"
        case "wake":
            assert (await Parked(redis, KEYS).wake(10)).moved == 1
        case "replay":
            assert await letters.replay([letter async for letter in letters.letters()])
        case "purge":
            assert await purge(redis, KEYS, [letter async for letter in letters.letters()])


HELD: dict[Deed, int] = {"delivered": ANSWERED, "retry": FAILED, "dead": FINAL}
"""What a worker of the model holds before it settles so."""


@pytest.mark.parametrize(("deed", "found"), ROWS)
def test_the_model_makes_the_same_of_it(deed: Deed, found: Found) -> None:
    """Owner 0 and 1 are events, 2 is the run of a replay."""
    shape = Shape(2, 1, 1)
    scripts, world = Scripts(shape, DESIGN), beginning(shape, {})
    owner = 2 if deed == "claim of a replay" else 0
    what, whose = found
    world.cool[0] = what << 4 | (owner if whose == "own" else 1) if what else ABSENT
    world.holders[0] = 1
    match deed:
        case "claim" | "claim of a replay":
            scripts.claim(world, owner)
        case "delivered" | "retry" | "dead":
            world.first[0] = HELD[deed]
            assert scripts.settle(world, 1, 0)
        case "wake":
            world.parked[0] = 1
            scripts.wake(world, 0)
        case "replay":
            world.fates[0], world.letters[0], world.carriers[2] = DEAD, 1, GONE
            scripts.replay_letter(world, 0, 2)
        case "purge":
            world.fates[0], world.letters[0] = DEAD, 1
            scripts.purge_letter(world, 0)
    made, own = after(deed, found)
    assert world.cool[0] == (made << 4 | (owner if own else 1) if made else ABSENT)


LONG, SHORT = 5 * LEASE, LEASE / 3
"""Cool-downs in seconds."""


@pytest.mark.parametrize(
    ("kind", "window", "seconds"),
    [
        ("delivered", LONG, LONG), ("delivered", SHORT, 2 * LEASE), ("dead", LONG, LONG), ("dead", SHORT, 2 * LEASE),
        ("retry", LONG, 40.0 + LEASE),
    ],
)  # fmt: skip
async def test_a_mark_lives_as_long_as_the_table_says(
    redis: Redis, one: Worker, kind: Kind, window: float, seconds: float
) -> None:
    (entry,) = await add(redis, KEYS, first=7)
    await one.read()
    key = KEYS.cool(HOOK, PRINT)
    await one.claims.claim([claim(owner_of(entry), window=window)])
    assert await redis.pttl(key) == pytest.approx(LEASE * 1000, abs=5000)
    await one.settle(replace(settlement(kind, entry, amount=40.0 if kind == "retry" else 0.0), window=window))
    assert await redis.pttl(key) == pytest.approx(seconds * 1000, abs=5000)


def test_every_mark_has_a_life() -> None:
    assert [life.state for life in LIVES] == [state for state in NAMES if state != ABSENT]
