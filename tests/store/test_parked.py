"""Stored records: woken when they are due, in one step, a few at a time."""

import pytest
from redis.asyncio import Redis

from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked, Woken
from streamhooks.store.record import Record
from tests.store.given import (
    HOOK,
    PRINT,
    Worker,
    account,
    add,
    claim,
    everything,
    make_due,
    owner_of,
    record_of,
    settlement,
    state,
)
from tests.waiting import eventually


async def store(redis: Redis, keys: Keys, by: Worker, *after: float) -> list[str]:
    """The ids of entries that are stored for retry, due in so many seconds each."""
    ids = await add(redis, keys, len(after))
    await by.read()
    ends = [
        settlement("retry", id, amount=seconds, fingerprint=f"{n:032x}", record=record_of(id, attempt=n + 2))
        for n, (id, seconds) in enumerate(zip(ids, after, strict=True))
    ]
    await by.ledger.settle(ends)
    return ids


async def test_nothing_stored_is_nothing_to_wake(redis: Redis, keys: Keys, parked: Parked) -> None:
    assert await parked.wake(10) == Woken(0, None)
    assert (await parked.count(), await parked.due()) == (0, 0)


async def test_only_what_is_due_is_moved_and_the_next_is_told(
    redis: Redis, keys: Keys, one: Worker, parked: Parked
) -> None:
    ids = await store(redis, keys, one, 50.0, 0.0, 70.0)
    assert (await parked.count(), await parked.due()) == (3, 1)
    woken = await parked.wake(10)
    assert woken.moved == 1
    assert woken.next_in is not None
    assert 45 < woken.next_in <= 50
    assert (await parked.count(), await parked.due()) == (2, 0)
    carrier = await one.read_retry()
    record = Record.read(carrier.fields)
    assert (record.origin, record.owner, record.attempt) == (ids[1], owner_of(ids[1]), 3)


async def test_a_carrier_is_everything_that_was_stored(redis: Redis, keys: Keys, one: Worker, parked: Parked) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    stored = record_of(
        id,
        attempt=4,
        event=bytes(range(256)),
        run="r7",
        id_run="r6",
        force=True,
        status=503,
        answer=b"\x00\xff",
        first=5,
    )
    await one.settle(settlement("retry", id, record=stored))
    await parked.wake(1)
    found = Record.read((await one.read_retry()).fields)
    assert found.last > found.first == 5
    assert found == Record(**{n: getattr(stored, n) for n in stored.__struct_fields__} | {"last": found.last})


async def test_a_record_becomes_due_by_the_clock_of_redis(
    redis: Redis, keys: Keys, one: Worker, parked: Parked
) -> None:
    await store(redis, keys, one, 0.2)
    assert (await parked.wake(10)).moved == 0

    async def woken() -> int:
        return (await parked.wake(10)).moved

    assert await eventually(woken, saying="a record stored for 0.2 s is due") == 1


async def test_waking_has_a_limit_and_takes_the_oldest_first(
    redis: Redis, keys: Keys, one: Worker, parked: Parked
) -> None:
    ids = await store(redis, keys, one, *[60.0] * 5)
    for id in reversed(ids):
        await make_due(redis, keys, owner_of(id))
    await redis.zincrby(keys.parked, -5_000, owner_of(ids[3]))
    first = await parked.wake(2)
    assert (first.moved, first.next_in) == (2, 0)
    (oldest, _) = await one.retries.read(2, 0.001)
    assert Record.read(oldest.fields).origin == ids[3]
    assert await parked.count() == 3
    assert [(await parked.wake(2)).moved for _ in range(3)] == [2, 1, 0]
    assert await redis.exists(keys.parked, keys.parked_data) == 0
    assert await redis.xlen(keys.retry) == 5


async def test_waking_leaves_the_cool_down_untouched(redis: Redis, keys: Keys, one: Worker, parked: Parked) -> None:
    """`r` stands for the record until its carrier claims it again, and goes on suppressing duplicates till then."""
    (id,) = await add(redis, keys)
    await one.read()
    await one.claims.claim([claim(owner_of(id))])
    await one.settle(settlement("retry", id))
    value, life = await redis.get(keys.cool(HOOK, PRINT)), await redis.pttl(keys.cool(HOOK, PRINT))
    assert (await parked.wake(10)).moved == 1
    assert await redis.get(keys.cool(HOOK, PRINT)) == value
    assert life - 5_000 < await redis.pttl(keys.cool(HOOK, PRINT)) <= life
    assert await state(redis, keys) == f"r|{id}|slack"


async def test_a_record_is_never_in_neither_place(redis: Redis, keys: Keys, one: Worker, parked: Parked) -> None:
    """One step: where the retry stream cannot take it, the record stays stored, with its payload."""
    await store(redis, keys, one, 0.0)
    await redis.delete(keys.retry)
    await redis.set(keys.retry, "no stream", px=60_000)
    before = await everything(redis)
    with pytest.raises(Exception, match="WRONGTYPE"):
        await parked.wake(10)
    assert await everything(redis) == before
    await redis.delete(keys.retry)
    assert (await parked.wake(10)).moved == 1


async def test_a_record_whose_payload_is_gone_is_counted_as_lost_and_holds_up_no_other(
    redis: Redis, keys: Keys, one: Worker, parked: Parked
) -> None:
    ids = await store(redis, keys, one, 0.0, 0.0)
    await redis.hdel(keys.parked_data, owner_of(ids[0]))
    assert (await parked.wake(10)).moved == 2
    assert Record.read((await one.read_retry()).fields).origin == ids[1]
    assert await parked.count() == 0
    assert (await account(redis, keys))["lost_parked"] == 1
