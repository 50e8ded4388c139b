"""Entries that somebody trims before the group was handed them: counted exactly, once, and nothing else is."""

from redis.asyncio import Redis

from streamhooks.store.account import Account
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.retention import Retention
from tests.store.given import GROUP, Worker, add, settlement

MANY = 300
"""More unread entries than one look counts by looking at them."""


async def lost(redis: Redis, keys: Keys) -> int:
    return (await Account(redis, keys).totals())["lost_trimmed"]


async def test_what_was_trimmed_before_it_was_read_is_counted_once(redis: Redis, keys: Keys, one: Worker) -> None:
    assert await one.entries.count_unread() == 0
    await add(redis, keys, 20)
    await one.read(5)
    await redis.xtrim(keys.stream, maxlen=8, approximate=False)
    assert (await one.entries.count_unread(), await one.entries.count_unread()) == (7, 0)
    assert len(await one.read()) == 8
    assert await one.entries.count_unread() == 0
    assert await lost(redis, keys) == 7


async def test_it_is_found_also_when_what_came_after_has_been_read_already(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    """Redis 7.2 and newer have forgotten it by then, whatever `entries-read` said."""
    await one.entries.count_unread()
    await add(redis, keys, 10)
    await redis.xtrim(keys.stream, maxlen=4, approximate=False)
    for entry in await one.read():
        await one.settle(settlement("delivered", entry.id))
    await add(redis, keys, 5)
    await one.read(2)
    assert await one.entries.count_unread() == 6


async def test_what_was_trimmed_while_it_was_pending_is_counted_where_it_is_found_and_not_again(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    await one.entries.count_unread()
    await add(redis, keys, 12)
    held = [entry.id for entry in await one.read(3)]
    back = [entry.id for entry in await two.read(3)]
    await redis.xtrim(keys.stream, maxlen=2, approximate=False)
    assert await one.entries.count_unread() == 4
    assert await one.entries.keep(held) == held
    assert await two.entries.hand_back(back[:1]) == 0
    assert await two.entries.begin(back[1]) == 0
    assert (await one.entries.take("0-0", 0.0, 10)).deleted == 1
    assert await one.entries.count_unread() == 0
    assert await lost(redis, keys) == 10


async def test_what_was_acknowledged_may_be_trimmed_by_anybody(redis: Redis, keys: Keys, one: Worker) -> None:
    await one.entries.count_unread()
    await add(redis, keys, 10)
    for entry in await one.read(6):
        await one.settle(settlement("delivered", entry.id))
    await Retention(redis, keys, GROUP, age=0, entries=0, dead_age=60).trim()
    assert await redis.xlen(keys.stream) == 4
    assert await one.entries.count_unread() == 0
    await one.read()
    assert await one.entries.count_unread() == 0


async def test_what_somebody_else_acknowledged_is_none_of_the_losses(redis: Redis, keys: Keys, one: Worker) -> None:
    await one.entries.count_unread()
    ids = await add(redis, keys, 10)
    await one.read()
    await redis.xack(keys.stream, GROUP, *ids[:4])
    assert await one.entries.count_unread() == 0
    await add(redis, keys, 3)
    await redis.xtrim(keys.stream, maxlen=1, approximate=False)
    assert await one.entries.count_unread() == 2


async def test_where_many_are_unread_the_count_comes_as_soon_as_it_can_be_known(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    await one.entries.count_unread()
    await add(redis, keys, MANY)
    await one.read(1)
    assert await one.entries.count_unread() == 0
    await redis.xtrim(keys.stream, maxlen=MANY - 50, approximate=False)
    assert await one.entries.count_unread() == 49
    await one.read(1)
    await redis.xtrim(keys.stream, maxlen=MANY - 60, approximate=False)
    assert await one.entries.count_unread() == 9


async def test_what_lay_before_a_groups_beginning_is_none_of_its_losses(redis: Redis, keys: Keys, one: Worker) -> None:
    await redis.xgroup_destroy(keys.stream, GROUP)
    await add(redis, keys, 10)
    await redis.xtrim(keys.stream, maxlen=6, approximate=False)
    await one.entries.ensure_group("$")
    assert await one.entries.count_unread() == 0
    await add(redis, keys, 3)
    await redis.xtrim(keys.stream, maxlen=1, approximate=False)
    assert await one.entries.count_unread() == 2


async def test_a_stream_or_a_group_that_is_made_again_begins_anew(redis: Redis, keys: Keys, one: Worker) -> None:
    await one.entries.count_unread()
    await add(redis, keys, 10)
    await one.read(3)
    await redis.delete(keys.stream)
    assert await one.entries.count_unread() == 0
    await add(redis, keys, 4)
    assert await one.entries.count_unread() == 0
    await one.entries.ensure_group("0", lost=True)
    assert await one.entries.count_unread() == 0
    await redis.xtrim(keys.stream, maxlen=3, approximate=False)
    assert await one.entries.count_unread() == 1


async def test_what_somebody_takes_out_of_the_middle_is_counted_when_the_rest_was_read(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    await one.entries.count_unread()
    ids = await add(redis, keys, 5)
    await ask(redis, "XDEL", keys.stream, ids[2])
    await one.read()
    assert await one.entries.count_unread() == 1


async def test_each_group_of_a_stream_has_its_own_losses(redis: Redis, keys: Keys, one: Worker) -> None:
    await ask(redis, "XGROUP CREATE", keys.stream, "others", "0")
    await one.entries.count_unread()
    await add(redis, keys, 5)
    for entry in await one.read(4):
        await one.settle(settlement("delivered", entry.id))
    await redis.xtrim(keys.stream, maxlen=0, approximate=False)
    assert await one.entries.count_unread() == 1
