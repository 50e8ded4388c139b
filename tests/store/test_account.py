"""The account over whole lives: `accepted = delivered + suppressed + dead + stored + unmatched` after every step."""

import random

import pytest
from redis.asyncio import Redis

from streamhooks.store.account import Account
from streamhooks.store.dead import DeadLetters
from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked
from streamhooks.store.record import Record
from streamhooks.store.settle import Kind
from tests.store.given import HOOK, Worker, account, add, owner_of, pending, record_of, settlement, state


async def test_a_new_stream_has_an_account_of_noughts(redis: Redis, keys: Keys) -> None:
    assert await Account(redis, keys).totals() == {
        "accepted": 0, "delivered": 0, "suppressed": 0, "dead": 0, "stored": 0, "unmatched": 0,
        "lost_trimmed": 0, "lost_parked": 0, "dead_trimmed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last", "term"),
    [("delivered", "delivered"), ("suppressed", "suppressed"), ("retry", "stored"), ("dead", "dead")],
)
async def test_a_retry_leaves_the_store_with_its_end(
    redis: Redis, keys: Keys, one: Worker, parked: Parked, last: Kind, term: str
) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    await one.settle(settlement("retry", id))
    assert await account(redis, keys) == {"accepted": 1, "stored": 1}
    await parked.wake(10)
    assert await account(redis, keys) == {"accepted": 1, "stored": 1}
    carrier = await one.read_retry()
    assert Record.read(carrier.fields).origin == id
    assert await one.settle(settlement(last, carrier.id, origin=id, source="retry")) == "acked"
    assert await account(redis, keys) == {"accepted": 1, term: 1}
    assert await redis.xlen(keys.retry) == 0
    assert await pending(redis, keys.retry) == {}


async def test_a_replayed_letter_is_stored_until_it_is_delivered(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters
) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    await one.settle(settlement("dead", id))
    letter = await dead.find(id)
    assert letter is not None
    assert await dead.replay([letter])
    assert await account(redis, keys) == {"accepted": 1, "stored": 1}
    carrier = await one.read_retry()
    await one.settle(settlement("delivered", carrier.id, origin=f"{id}~r1", source="retry"))
    assert await account(redis, keys) == {"accepted": 1, "delivered": 1}
    assert await state(redis, keys) == f"d|{id}~r1|{HOOK}"


@pytest.mark.parametrize("seed", range(5))
async def test_the_account_balances_after_every_step_of_any_course(
    redis: Redis, keys: Keys, one: Worker, two: Worker, parked: Parked, seed: int
) -> None:
    """Two workers end entries and retries in any order, steal from each other, and settle twice."""
    rng = random.Random(seed)
    ids = await add(redis, keys, 30)
    for _ in range(60):
        by = rng.choice((one, two))
        # A read of nothing costs a tenth of a second: a server looks for time-outs no oftener.
        held = []
        if await by.entries.waiting():
            held += [("stream", e) for e in await by.read(rng.randint(1, 4))]
        held += [("stream", e) for e in (await by.entries.take("0-0", 0.0, rng.randint(1, 3))).entries]
        if await by.retries.waiting():
            held += [("retry", e) for e in await by.retries.read(3, 0.001)]
        held += [("retry", e) for e in (await by.retries.take("0-0", 0.0, 2)).entries]
        for source, entry in held:
            kind: Kind = rng.choice(("delivered", "suppressed", "retry", "dead", "delivered"))
            origin = entry.id if source == "stream" else Record.read(entry.fields).origin
            end = settlement(
                kind, entry.id, origin=origin, source="retry" if source == "retry" else "stream",
                fingerprint=f"{rng.randrange(3):032x}", record=record_of(origin) if kind in {"retry", "dead"} else None,
            )  # fmt: skip
            await rng.choice((one, two)).ledger.settle([end] * rng.randint(1, 2))
            await account(redis, keys)
        await parked.wake(rng.randint(1, 5))
    found = await account(redis, keys)
    waiting = await one.entries.waiting() + await one.entries.pending()
    assert found["accepted"] == len(ids) - waiting
    stored = await parked.count() + await redis.xlen(keys.retry)
    assert found.get("stored", 0) == stored


async def test_a_stored_retry_is_one_record_for_one_owner(
    redis: Redis, keys: Keys, one: Worker, parked: Parked
) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    await one.settle(settlement("retry", id, amount=60.0))
    assert await redis.zrange(keys.parked, 0, -1) == [owner_of(id).encode()]
    assert await redis.hkeys(keys.parked_data) == [owner_of(id).encode()]
    assert await parked.count() == 1
