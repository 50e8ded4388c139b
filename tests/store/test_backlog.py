"""What waits: true also where the lag that Redis tells is missing or wrong."""

import pytest
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.backlog import Backlog, measure
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from tests.store.given import GROUP, Worker, add, ids_in, now, settlement, worker
from tests.waiting import eventually

NOTHING = dict.fromkeys(
    (
        "accepted",
        "delivered",
        "suppressed",
        "dead",
        "stored",
        "unmatched",
        "lost_trimmed",
        "lost_parked",
        "dead_trimmed",
    ),
    0,
)


async def told_lag(redis: Redis, keys: Keys) -> int | None:
    (group,) = await ask(redis, "XINFO GROUPS", keys.stream)
    lag: int | None = group["lag"]
    return lag


async def test_what_waits_is_counted_until_it_is_handed_out(redis: Redis, keys: Keys, one: Worker) -> None:
    assert await one.entries.waiting() == 0
    await add(redis, keys, 5)
    assert await one.entries.waiting() == 5
    await one.read(3)
    assert (await one.entries.waiting(), await one.entries.pending()) == (2, 3)
    await one.read()
    assert (await one.entries.waiting(), await one.entries.pending()) == (0, 5)


async def test_something_waits_also_where_redis_tells_no_lag(redis: Redis, keys: Keys, one: Worker) -> None:
    ids = await add(redis, keys, 5)
    await one.read(2)
    await redis.xdel(keys.stream, ids[3])
    assert await told_lag(redis, keys) is None
    assert await one.entries.waiting() >= 1


async def test_nothing_waits_where_redis_tells_no_lag_and_all_was_handed_out(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    await add(redis, keys, 5)
    await redis.xgroup_destroy(keys.stream, GROUP)
    await redis.xgroup_create(keys.stream, GROUP, "0")
    ids = [entry.id for entry in await one.read(3)]
    await redis.xdel(keys.stream, *(await ids_in(redis, keys.stream))[3:])
    assert await told_lag(redis, keys) != 0
    assert await one.entries.waiting() == 0
    assert await one.entries.pending() == len(ids)


@pytest.mark.parametrize("start", ["3-1", "3-0"])
async def test_a_group_made_in_the_middle_waits_for_what_follows(redis: Redis, keys: Keys, start: str) -> None:
    await add(redis, keys, 5, first=1)
    await redis.xgroup_destroy(keys.stream, GROUP)
    await redis.xgroup_create(keys.stream, GROUP, start)
    one = worker(redis, keys, "one")
    assert await one.entries.waiting() >= 1
    await one.read()
    assert await one.entries.waiting() == 0


async def test_a_lag_that_is_wrong_after_trimming_is_not_believed(redis: Redis, keys: Keys, one: Worker) -> None:
    """Trimming beyond the group leaves a lag behind that counts entries which are gone."""
    await add(redis, keys, 20)
    await one.read(5)
    await redis.xtrim(keys.stream, maxlen=0, approximate=False)
    assert await one.entries.waiting() == 0


async def test_a_stream_or_a_group_that_is_gone_is_said_to_be(redis: Redis, keys: Keys, one: Worker) -> None:
    await redis.xgroup_destroy(keys.stream, GROUP)
    with pytest.raises(StoreError) as caught:
        await one.entries.waiting()
    assert caught.value.kind == "no_group"
    assert str(caught.value) == "stream gateway:events has no consumer group streamhooks"
    await redis.delete(keys.stream)
    with pytest.raises(StoreError) as caught:
        await one.entries.waiting()
    assert caught.value.kind == "no_group"


async def test_a_partition_is_measured(redis: Redis, keys: Keys, one: Worker) -> None:
    ids = await add(redis, keys, 7)
    await one.read(5)
    await one.ledger.settle([settlement("delivered", ids[0]), settlement("retry", ids[1]), settlement("dead", ids[2])])
    await one.settle(settlement("retry", ids[3], amount=60.0))
    await redis.xadd(keys.retry, {"v": "1"})
    added = int(ids[4].partition("-")[0])

    async def older() -> bool:
        return await now(redis) > added

    await eventually(older, saying="a millisecond has passed since the pending entry was added")
    found = await measure(redis, keys, one.entries, one.retries)
    assert 0 < found.oldest_pending <= (await now(redis) - added) / 1000 + 0.001
    assert found == Backlog(
        lag=3, pending=1, oldest_pending=found.oldest_pending, parked=2, due=1, held=0, dead=1,
        account=NOTHING | {"accepted": 4, "delivered": 1, "stored": 2, "dead": 1},
    )  # fmt: skip
    assert found.total == 5


async def test_a_partition_that_is_not_there_yet_is_empty(redis: Redis) -> None:
    keys = Keys.of("not:yet")
    one = worker(redis, keys, "one")
    assert await measure(redis, keys, one.entries, one.retries) == Backlog(0, 0, 0.0, 0, 0, 0, 0, NOTHING)
    assert await redis.dbsize() == 0
