"""Pending entries: kept, taken over from the silent, taken up after a lost reply, handed back, and left alone."""

from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from streamhooks.store.account import Account
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.stream import BYTES_PER_CALL, IDS_PER_CALL, Stream
from tests.store.given import BEGINNING, GROUP, Worker, add, pending, settlement
from tests.waiting import eventually

SILENT = 120.0


async def grow_silent(redis: Redis, keys: Keys, by: str, ids: list[str], seconds: float = SILENT) -> None:
    """As if the consumer had not been heard of for so long."""
    await redis.xclaim(keys.stream, GROUP, by, 0, list(ids), idle=int(seconds * 1000), justid=True)


async def idle(redis: Redis, keys: Keys, id: str) -> float:
    (found,) = await redis.xpending_range(keys.stream, GROUP, id, id, 1)
    return float(found["time_since_delivered"]) / 1000


async def test_new_entries_are_handed_to_one_consumer_each(redis: Redis, keys: Keys, one: Worker, two: Worker) -> None:
    ids = await add(redis, keys, 3)
    first, second = await one.read(2), await two.read(2)
    assert [entry.id for entry in first + second] == ids
    assert [(entry.fields, entry.deliveries) for entry in first] == [({b"d": b"{}"}, 1)] * 2
    assert await one.entries.read(1, 0.001) == []


async def test_keeping_sets_the_idle_time_back_and_counts_no_delivery(redis: Redis, keys: Keys, one: Worker) -> None:
    ids = await add(redis, keys, 2)
    await one.read()
    await grow_silent(redis, keys, "one", ids)
    assert await one.entries.keep(ids) == []
    assert await idle(redis, keys, ids[0]) < SILENT / 2
    assert await pending(redis, keys.stream) == dict.fromkeys(ids, ("one", 1))


async def test_keeping_takes_nothing_from_another_and_tells_what_is_lost(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    ids = await add(redis, keys, 4)
    await one.read(3)
    await two.entries.take(BEGINNING, 0.0, 1)
    await one.settle(settlement("delivered", ids[1]))
    assert await one.entries.keep(ids) == [ids[0], ids[1], ids[3]]
    assert await pending(redis, keys.stream) == {ids[0]: ("two", 2), ids[2]: ("one", 1)}


async def test_more_entries_than_one_call_holds_are_kept_and_handed_back(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    ids = await add(redis, keys, 2 * IDS_PER_CALL + 1)
    await one.read(len(ids))
    await two.entries.take(BEGINNING, 0.0, 1)
    assert await one.entries.keep(ids) == [ids[0]]
    assert await one.entries.hand_back(ids) == len(ids) - 1


async def test_keeping_or_handing_back_nothing_is_nothing(one: Worker) -> None:
    assert (await one.entries.keep([]), await one.entries.hand_back([])) == ([], 0)


HANDS: dict[str, Callable[[Stream, str], Awaitable[object]]] = {
    "keep": lambda stream, id: stream.keep([id]),
    "begin": lambda stream, id: stream.begin(id),
    "hand_back": lambda stream, id: stream.hand_back([id]),
}


@pytest.mark.parametrize(("by", "answer"), [("keep", "lost"), ("begin", 0), ("hand_back", 0)])
async def test_an_entry_that_somebody_deleted_while_we_held_it_is_lost_and_counted(
    redis: Redis, keys: Keys, one: Worker, by: str, answer: object
) -> None:
    """Redis drops it from the pending list when it is claimed: nobody else would ever learn of it."""
    (id,) = await add(redis, keys)
    await one.read()
    await redis.xdel(keys.stream, id)
    assert await HANDS[by](one.entries, id) == ([id] if answer == "lost" else answer)
    assert (await Account(redis, keys).totals())["lost_trimmed"] == 1
    assert await pending(redis, keys.stream) == {}
    await HANDS[by](one.entries, id)
    assert (await Account(redis, keys).totals())["lost_trimmed"] == 1


async def test_only_what_has_been_silent_for_long_enough_is_taken_over(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    ids = await add(redis, keys, 3)
    await one.read()
    await grow_silent(redis, keys, "one", ids[1:2])
    taken = await two.entries.take(BEGINNING, SILENT / 2, 10)
    assert [(entry.id, entry.fields, entry.deliveries) for entry in taken.entries] == [(ids[1], {b"d": b"{}"}, 2)]
    assert (taken.cursor, taken.deleted) == (BEGINNING, 0)
    assert await idle(redis, keys, ids[1]) < SILENT / 2
    assert (await two.entries.take(BEGINNING, SILENT / 2, 10)).entries == []


async def test_a_sweep_follows_its_cursor_past_any_number_of_live_entries(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    """200 that are alive lie before 100 whose worker is dead: a scan that always starts at the front starves."""
    ids = await add(redis, keys, 300)
    await one.read(300)
    await grow_silent(redis, keys, "one", ids[200:])
    found: list[str] = []
    cursor, calls = BEGINNING, 0
    while calls == 0 or cursor != BEGINNING:
        taken = await two.entries.take(cursor, SILENT / 2, 5)
        found += [entry.id for entry in taken.entries]
        cursor, calls = taken.cursor, calls + 1
        assert calls < 100
    assert found == ids[200:]
    assert calls > 20


async def test_a_take_over_of_large_entries_ends_when_the_bytes_are_full_and_goes_on_from_there(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    text = b"x" * (BYTES_PER_CALL * 2 // 3)
    ids = [(await ask(redis, "XADD", keys.stream, "*", "d", text)).decode() for _ in range(5)]
    await one.read()
    first = await two.entries.take(BEGINNING, 0.0, 10)
    assert ([entry.id for entry in first.entries], first.cursor) == (ids[:2], ids[2])
    rest = ("one", 1)
    assert await pending(redis, keys.stream) == dict.fromkeys(ids[:2], ("two", 2)) | dict.fromkeys(ids[2:], rest)
    await grow_silent(redis, keys, "one", ids[2:])
    own = await one.entries.recover_own(SILENT / 2, 10)
    assert [entry.id for entry in own.entries] == ids[2:4]
    assert await idle(redis, keys, ids[4]) > SILENT / 2


async def test_the_second_delivery_is_counted_when_taken_and_later_ones_when_they_begin(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    """An entry that kills its worker does not use up the deliveries of its neighbours."""
    (id,) = await add(redis, keys)
    await one.read()
    for taker, number, counted in ((two, 2, 2), (one, 3, 2), (two, 3, 2)):
        (entry,) = (await taker.entries.take(BEGINNING, 0.0, 10)).entries
        assert entry.deliveries == number
        assert await pending(redis, keys.stream) == {id: (taker.name, counted)}
    assert await two.entries.begin(id) == 3
    assert await pending(redis, keys.stream) == {id: ("two", 3)}
    (entry,) = (await one.entries.take(BEGINNING, 0.0, 10)).entries
    assert entry.deliveries == 4
    assert await one.entries.begin(id) == 4


async def test_what_another_holds_or_nobody_does_cannot_begin(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    assert await two.entries.begin(id) == 0
    assert await pending(redis, keys.stream) == {id: ("one", 1)}
    await one.settle(settlement("delivered", id))
    assert await one.entries.begin(id) == 0


async def test_a_sweep_reports_what_was_deleted_and_counts_it_once(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    ids = await add(redis, keys, 3)
    await one.read()
    await redis.xdel(keys.stream, *ids[:2])
    taken = await two.entries.take(BEGINNING, 0.0, 10)
    assert ([entry.id for entry in taken.entries], taken.deleted) == (ids[2:], 2)
    assert (await two.entries.take(BEGINNING, 0.0, 10)).deleted == 0
    assert await pending(redis, keys.stream) == {ids[2]: ("two", 2)}
    assert (await Account(redis, keys).totals())["lost_trimmed"] == 2


async def test_our_own_entries_whose_reply_was_lost_are_taken_up(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    ids = await add(redis, keys, 5)
    await one.read(4)
    await two.read(1)
    await grow_silent(redis, keys, "one", ids[1:4])
    await grow_silent(redis, keys, "two", ids[4:])
    await redis.xdel(keys.stream, ids[1])
    taken = await one.entries.recover_own(SILENT / 2, 10)
    assert [(entry.id, entry.deliveries) for entry in taken.entries] == [(ids[2], 2), (ids[3], 2)]
    assert taken.deleted == 1
    assert await pending(redis, keys.stream) == {
        ids[0]: ("one", 1), ids[2]: ("one", 2), ids[3]: ("one", 2), ids[4]: ("two", 1),
    }  # fmt: skip
    assert (await one.entries.recover_own(SILENT / 2, 10)).entries == []
    assert (await Account(redis, keys).totals())["lost_trimmed"] == 1


async def test_taking_up_our_own_again_counts_no_third_delivery_but_keeps_it(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    for number, counted in ((2, 2), (3, 2), (3, 2)):
        await grow_silent(redis, keys, "one", [id])
        (entry,) = (await one.entries.recover_own(SILENT / 2, 10)).entries
        assert entry.deliveries == number
        assert await pending(redis, keys.stream) == {id: ("one", counted)}
        assert await idle(redis, keys, id) < SILENT / 2


async def test_what_is_handed_back_can_be_taken_at_once_and_its_delivery_is_not_counted(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    ids = await add(redis, keys, 2)
    await one.read()
    assert await one.entries.hand_back(ids[:1]) == 1
    taken = await two.entries.take(BEGINNING, 600.0, 10)
    assert [(entry.id, entry.deliveries) for entry in taken.entries] == [(ids[0], 1)]
    assert await pending(redis, keys.stream) == {ids[0]: ("two", 1), ids[1]: ("one", 1)}


async def test_only_what_is_ours_is_handed_back(redis: Redis, keys: Keys, one: Worker, two: Worker) -> None:
    ids = await add(redis, keys, 2)
    await one.read()
    await two.entries.take(BEGINNING, 0.0, 1)
    await one.settle(settlement("delivered", ids[1]))
    assert await one.entries.hand_back([*ids, "1-1"]) == 0
    assert await pending(redis, keys.stream) == {ids[0]: ("two", 2)}
    assert await idle(redis, keys, ids[0]) < 60


async def names(redis: Redis, keys: Keys) -> set[str]:
    return {one["name"].decode() for one in await redis.xinfo_consumers(keys.stream, GROUP)}


async def test_a_worker_that_leaves_is_removed_and_nobody_else_is(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    await add(redis, keys, 2)
    for each in (one, two):
        (entry,) = await each.read(1)
        await each.settle(settlement("delivered", entry.id))
    await one.entries.leave()
    assert await names(redis, keys) == {"two"}


async def test_a_worker_that_leaves_with_something_pending_stays_and_drops_nothing(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    await one.entries.hand_back([id])
    await one.entries.leave()
    assert await pending(redis, keys.stream) == {id: ("one", 0)}
    assert [entry.id for entry in (await two.entries.take(BEGINNING, 60.0, 10)).entries] == [id]


async def test_silent_peers_are_removed_but_never_with_something_pending_and_never_ourselves(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    (id,) = await add(redis, keys)
    await two.read()
    for name in ("gone", "one"):
        await redis.xgroup_createconsumer(keys.stream, GROUP, name)
    assert await one.entries.remove_silent(3600.0) == 0
    assert await names(redis, keys) == {"gone", "one", "two"}

    # Silent for 0 s is said of whoever was not heard of in this very millisecond.

    async def removed() -> bool:
        return await one.entries.remove_silent(0.0) == 1

    await eventually(removed, saying="the peer with nothing pending has been silent for a millisecond")
    assert await names(redis, keys) == {"one", "two"}
    assert await pending(redis, keys.stream) == {id: ("two", 1)}


async def test_a_stream_says_what_it_is(one: Worker) -> None:
    assert repr(one.entries) == "<Stream gateway:events streamhooks/one>"
