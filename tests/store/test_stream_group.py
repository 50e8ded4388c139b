"""Where a group begins, and where it is made again when it was lost: never after what was not acknowledged."""

import pytest
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.keys import Keys
from streamhooks.store.retention import Retention
from streamhooks.store.stream import Stream
from tests.store.given import GROUP, add, settlement, worker

KEYS = Keys.of("gateway:events")
FOR_EVER = 10**9


def entries(redis: Redis) -> Stream:
    return worker(redis, KEYS, "one").entries


async def note_position(redis: Redis) -> None:
    await Retention(redis, KEYS, GROUP, age=FOR_EVER, entries=FOR_EVER, dead_age=FOR_EVER).trim()


async def ids(stream: Stream) -> list[str]:
    return [entry.id for entry in await stream.read(100, 0.001)]


async def acknowledge(redis: Redis, *ids: str) -> None:
    await worker(redis, KEYS, "one").ledger.settle([settlement("delivered", id) for id in ids])


async def test_a_group_is_made_with_its_stream_and_only_once(redis: Redis) -> None:
    stream = entries(redis)
    assert [await stream.ensure_group("0"), await stream.ensure_group("0")] == [True, False]
    assert await redis.xlen(KEYS.stream) == 0
    assert await ids(stream) == []


@pytest.mark.parametrize(
    ("start", "handed"),
    [("0", ["1-1", "2-1", "3-1", "4-1"]), ("$", ["4-1"]), ("2-1", ["3-1", "4-1"])],
)
async def test_a_new_group_begins_where_it_was_told(redis: Redis, start: str, handed: list[str]) -> None:
    await add(redis, KEYS, 3, first=1)
    assert await entries(redis).ensure_group(start)
    await add(redis, KEYS, first=4)
    assert await ids(entries(redis)) == handed


async def test_a_group_is_not_moved_by_a_worker_that_finds_it(redis: Redis) -> None:
    await add(redis, KEYS, 3, first=1)
    await entries(redis).ensure_group("0")
    assert not await entries(redis).ensure_group("$")
    assert await ids(entries(redis)) == ["1-1", "2-1", "3-1"]


@pytest.mark.parametrize("start", ["0", "$", "1-1"])
async def test_a_lost_group_is_made_again_at_the_oldest_entry_that_is_not_acknowledged(
    redis: Redis, start: str
) -> None:
    stream = entries(redis)
    await stream.ensure_group("0")
    await add(redis, KEYS, 4, first=1)
    assert await ids(stream) == ["1-1", "2-1", "3-1", "4-1"]
    await acknowledge(redis, "1-1", "3-1")
    await note_position(redis)
    await redis.xgroup_destroy(KEYS.stream, GROUP)
    await add(redis, KEYS, first=5)

    assert await stream.ensure_group(start, lost=True)

    assert await ids(stream) == ["2-1", "3-1", "4-1", "5-1"]


async def test_a_lost_group_with_nothing_pending_is_made_again_after_the_last_that_was_handed_out(
    redis: Redis,
) -> None:
    stream = entries(redis)
    await stream.ensure_group("0")
    await add(redis, KEYS, 2, first=1)
    await acknowledge(redis, *await ids(stream))
    await note_position(redis)
    await redis.xgroup_destroy(KEYS.stream, GROUP)
    await add(redis, KEYS, first=5)
    await stream.ensure_group("0", lost=True)
    assert await ids(stream) == ["5-1"]


@pytest.mark.parametrize("id", ["7-0", "7-1", "0-1"])
async def test_the_oldest_pending_entry_is_handed_out_again_whatever_its_number(redis: Redis, id: str) -> None:
    stream = entries(redis)
    await stream.ensure_group("0")
    await redis.xadd(KEYS.stream, {"d": "{}"}, id=id)
    assert await ids(stream) == [id]
    await note_position(redis)
    await redis.xgroup_destroy(KEYS.stream, GROUP)
    await stream.ensure_group("$", lost=True)
    assert await ids(stream) == [id]


async def test_the_position_can_be_noted_of_a_group_that_was_just_made_again(redis: Redis) -> None:
    """It stands at `<ms>-18446744073709551615` then, and the next id is one of the next millisecond."""
    stream = entries(redis)
    await stream.ensure_group("0")
    await redis.xadd(KEYS.stream, {"d": "{}"}, id="7-0")
    await ids(stream)
    await note_position(redis)
    await redis.xgroup_destroy(KEYS.stream, GROUP)
    await stream.ensure_group("0", lost=True)
    await note_position(redis)
    assert await redis.get(KEYS.position) == b"7-0"
    await redis.xgroup_destroy(KEYS.stream, GROUP)
    await stream.ensure_group("0", lost=True)
    assert await ids(stream) == ["7-0"]


async def test_a_lost_group_whose_position_was_never_noted_is_made_again_at_the_beginning(redis: Redis) -> None:
    await add(redis, KEYS, 2, first=1)
    assert await entries(redis).ensure_group("$", lost=True)
    assert await ids(entries(redis)) == ["1-1", "2-1"]


async def test_a_group_that_began_at_the_end_goes_on_where_it_stood_when_it_was_lost_between_two_runs(
    redis: Redis,
) -> None:
    """Nobody saw it go, so nobody says `lost`: at `$` it would skip what came in the meantime."""
    stream = entries(redis)
    await add(redis, KEYS, first=1)
    await stream.ensure_group("$")
    await add(redis, KEYS, 2, first=2)
    await acknowledge(redis, (await ids(stream))[0])
    await note_position(redis)
    await redis.xgroup_destroy(KEYS.stream, GROUP)
    await stream.ensure_group("$")
    assert await ids(stream) == ["3-1"]


async def test_a_new_group_beside_another_begins_where_it_is_told_and_not_where_the_other_stands(redis: Redis) -> None:
    stream = entries(redis)
    await stream.ensure_group("0")
    await add(redis, KEYS, 3, first=1)
    await ids(stream)
    await note_position(redis)
    newcomer = Stream(redis, redis, KEYS, KEYS.stream, "newcomer", "one")
    await newcomer.ensure_group("2-1")
    assert await ids(newcomer) == ["3-1"]


@pytest.mark.parametrize("loss", ["DEL", "FLUSHALL"])
@pytest.mark.parametrize("start", ["0", "$"])
async def test_a_stream_that_began_anew_is_read_from_its_beginning(redis: Redis, loss: str, start: str) -> None:
    stream = entries(redis)
    await stream.ensure_group("0")
    await add(redis, KEYS, 2)
    await ids(stream)
    await note_position(redis)
    await (redis.flushall() if loss == "FLUSHALL" else redis.delete(KEYS.stream))
    with pytest.raises(StoreError) as caught:
        await stream.read(1, 0.001)
    assert caught.value.kind == "no_group"

    assert await stream.ensure_group(start, lost=True)

    await add(redis, KEYS, first=1)
    assert await ids(stream) == ["1-1"]


@pytest.mark.parametrize("loss", ["DEL", "FLUSHALL"])
async def test_what_a_gateway_adds_before_the_group_is_made_again_is_not_skipped(redis: Redis, loss: str) -> None:
    stream = entries(redis)
    await stream.ensure_group("$")
    await add(redis, KEYS, 2)
    await ids(stream)
    await note_position(redis)
    await (redis.flushall() if loss == "FLUSHALL" else redis.delete(KEYS.stream))
    added = await add(redis, KEYS, 3)
    await stream.ensure_group("$", lost=True)
    assert await ids(stream) == added


async def test_the_retry_stream_has_no_position_and_begins_at_its_beginning(redis: Redis) -> None:
    """Its entries are deleted as they are acknowledged: whatever is there is to be done."""
    await redis.set(KEYS.position, "9999999999999-1")
    await redis.xadd(KEYS.retry, {"v": "1"}, id="1-1")
    retries = worker(redis, KEYS, "one").retries
    assert await retries.ensure_group("$", lost=True)
    assert await ids(retries) == ["1-1"]
