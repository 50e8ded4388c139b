"""History: what of the stream has ended, and how it is fired again."""

import pytest
from redis.asyncio import Redis

from streamhooks.model import Event
from streamhooks.store.history import PAGE, History, records
from streamhooks.store.ids import following, is_id, last_id, order
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record
from streamhooks.store.scripts import BYTES_PER_CALL, RECORDS_PER_CALL, calls
from tests.store.given import GROUP, Worker, account, add, ids_in, settlement

EVENT = Event("7-1", "AuthFailure", {"Key": "a"}, "2026-11-25T00:00:00.000Z")


async def ended(history: History, since: str = "-", until: str = "+") -> dict[str, bool]:
    return {past.entry.id: past.ended async for past in history.entries(since, until)}


async def test_only_what_was_handed_out_and_is_not_pending_any_more_has_ended(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    done, pending, undelivered = await add(redis, keys, 3, first=5)
    await one.read(2)
    await one.settle(settlement("delivered", done))
    assert await ended(History(redis, keys, GROUP)) == {done: True, pending: False, undelivered: False}


async def test_a_stored_retry_has_ended_as_far_as_the_stream_goes(redis: Redis, keys: Keys, one: Worker) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    await one.settle(settlement("retry", id))
    assert await ended(History(redis, keys, GROUP)) == {id: True}


async def test_history_is_walked_over_many_pages_and_between_two_ids(redis: Redis, keys: Keys, one: Worker) -> None:
    ids = await add(redis, keys, 2 * PAGE + 1, first=1)
    await one.read(2 * PAGE + 1)
    await redis.xack(keys.stream, GROUP, *ids[1:-1])
    assert await ended(History(redis, keys, GROUP)) == {id: id not in {ids[0], ids[-1]} for id in ids}
    assert list(await ended(History(redis, keys, GROUP), "7", "9-1")) == ["7-1", "8-1", "9-1"]
    assert list(await ended(History(redis, keys, GROUP), "7-2", "8")) == ["8-1"]


async def test_an_entry_that_is_pending_among_many_that_were_deleted_has_not_ended(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    """What was deleted while it was pending stays in the pending list, and a page of that may hold nothing else."""
    ids = await add(redis, keys, 2 * PAGE, first=1)
    await one.read(2 * PAGE)
    await redis.xdel(keys.stream, *ids[1:-1])
    assert await ended(History(redis, keys, GROUP)) == {ids[0]: False, ids[-1]: False}


async def test_what_comes_while_history_is_walked_is_none_of_it(redis: Redis, keys: Keys, one: Worker) -> None:
    ids = await add(redis, keys, PAGE, first=1)
    await one.read()
    walked = []
    async for past in History(redis, keys, GROUP).entries():
        walked.append(past.entry.id)
        await redis.xadd(keys.stream, {"d": "{}"})
    assert walked == ids


async def test_without_a_group_nothing_has_ended_and_without_a_stream_there_is_nothing(redis: Redis) -> None:
    keys = Keys.of("lonely")
    assert await ended(History(redis, keys, GROUP)) == {}
    await redis.xadd(keys.stream, {"d": "{}"}, id="5-0")
    assert await ended(History(redis, keys, GROUP)) == {"5-0": False}


async def test_a_past_event_is_fired_again_as_a_first_attempt_of_a_new_owner_and_accepted_anew(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    fired = records(EVENT, ["slack", "audit"], "r1", force=True)
    assert await History(redis, keys, GROUP).replay(fired) == 2
    assert await account(redis, keys) == {"accepted": 2, "stored": 2}
    slack, audit = await one.retries.read(10, 0.001)
    assert [Record.read(entry.fields) for entry in (slack, audit)] == fired
    assert fired[0] == Record(
        origin="7-1", handler="slack", owner="7-1~r1|slack", type="AuthFailure", event=fired[0].event,
        run="r1", id_run="r1", force=True, why="replayed",
    )  # fmt: skip
    for entry in (slack, audit):
        await one.settle(settlement("delivered", entry.id, origin="7-1~r1", source="retry"))
    assert await account(redis, keys) == {"accepted": 2, "delivered": 2}


async def test_nothing_fired_again_is_nothing(redis: Redis, keys: Keys) -> None:
    assert await History(redis, keys, GROUP).replay([]) == 0
    assert await ids_in(redis, keys.retry) == []


def test_a_call_holds_at_most_so_many_records_and_so_many_bytes() -> None:
    def sizes(*items: int) -> list[int]:
        return [len(part) for part in calls(items, lambda size: size)]

    assert sizes() == []
    assert sizes(*[1] * (2 * RECORDS_PER_CALL + 1)) == [RECORDS_PER_CALL, RECORDS_PER_CALL, 1]
    assert sizes(BYTES_PER_CALL, 1) == [1, 1]
    assert sizes(BYTES_PER_CALL - 1, 1, 1) == [2, 1]
    assert sizes(1, 3 * BYTES_PER_CALL, 1) == [1, 1, 1], "one that is too large goes alone"


def test_ids_are_ordered_as_numbers_and_a_time_stands_for_all_of_its_entries() -> None:
    assert order("9-0") < order("10-0") < order("10-9") < order("10-10")
    assert order("-") < order("0-1")
    assert order("10") == order("10-0") < order("10-5") < order("10", last=True) < order("11-0") < order("+")
    assert following("10-5") == "10-6"
    assert following(f"10-{2**64 - 1}") == "11-0"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("1-0", True), (f"{2**64 - 1}-0", True), (f"{2**64}-0", False), ("1", False), ("1-", False), ("٣-1", False)],
)
def test_what_redis_takes_as_a_whole_id_is_one(text: str, is_one: bool) -> None:
    assert is_id(text) == is_one


async def test_the_last_id_stays_when_its_entry_is_gone(redis: Redis, keys: Keys) -> None:
    assert await last_id(redis, "nothing") == "0-0"
    await add(redis, keys, first=7)
    await redis.xdel(keys.stream, "7-1")
    assert await last_id(redis, keys.stream) == "7-1"
