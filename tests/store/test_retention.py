"""Trimming: what is acknowledged goes by age or number; nothing pending or undelivered of any group ever does."""

import pytest
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.retention import TRIM_AT_ONCE, Retention
from tests.store.given import GROUP, Worker, add, ids_in, settlement

FOR_EVER = 10**9


def retention(
    redis: Redis, keys: Keys, *, age: float = FOR_EVER, entries: int = FOR_EVER, dead_age: float = FOR_EVER
) -> Retention:
    return Retention(redis, keys, GROUP, age=age, entries=entries, dead_age=dead_age)


async def acknowledged(redis: Redis, keys: Keys, by: Worker, count: int, *, first: int = 0) -> list[str]:
    ids = await add(redis, keys, count, first=first)
    await by.read(count)
    await redis.xack(keys.stream, GROUP, *ids)
    return ids


async def test_as_many_acknowledged_entries_stay_as_the_retention_says(redis: Redis, keys: Keys, one: Worker) -> None:
    ids = await acknowledged(redis, keys, one, 10)
    assert await retention(redis, keys, entries=4).trim() == 6
    assert await ids_in(redis, keys.stream) == ids[6:]
    assert await retention(redis, keys, entries=4).trim() == 0


async def test_entries_that_are_too_old_go_by_whole_nodes_of_the_stream(redis: Redis, keys: Keys, one: Worker) -> None:
    """Their ids say their age: these are of 1970. A node holds 100 entries, and a part of one may stay."""
    old = await acknowledged(redis, keys, one, 250, first=1)
    young = await acknowledged(redis, keys, one, 60)
    assert await retention(redis, keys, age=3600).trim() == 200
    assert await ids_in(redis, keys.stream) == old[200:] + young


async def test_what_is_young_and_not_too_many_stays(redis: Redis, keys: Keys, one: Worker) -> None:
    ids = await acknowledged(redis, keys, one, 300)
    assert await retention(redis, keys, age=3600, entries=300).trim() == 0
    assert await ids_in(redis, keys.stream) == ids


@pytest.mark.parametrize("limits", [{"entries": 0}, {"age": 0.0}, {"age": 0.0, "entries": 0}], ids=str)
async def test_nothing_pending_is_trimmed(redis: Redis, keys: Keys, one: Worker, limits: dict[str, int]) -> None:
    ids = await add(redis, keys, 400)
    await one.read(400)
    await redis.xack(keys.stream, GROUP, *ids[:250], *ids[260:])
    trim = retention(redis, keys, **limits)
    assert await trim.trim() >= 200
    assert (await ids_in(redis, keys.stream))[-150:] == ids[250:]


@pytest.mark.parametrize("limits", [{"entries": 0}, {"age": 0.0}, {"age": 0.0, "entries": 0}], ids=str)
async def test_nothing_undelivered_is_trimmed(redis: Redis, keys: Keys, one: Worker, limits: dict[str, int]) -> None:
    await acknowledged(redis, keys, one, 200)
    waiting = await add(redis, keys, 150)
    assert await retention(redis, keys, **limits).trim() >= 100
    assert (await ids_in(redis, keys.stream))[-150:] == waiting
    assert [entry.id for entry in await one.read(150)] == waiting


@pytest.mark.parametrize("other", ["audit", "zeta"])
@pytest.mark.parametrize("behind", ["pending", "undelivered", "nothing handed out"])
async def test_another_group_that_is_behind_holds_the_trimming(
    redis: Redis, keys: Keys, one: Worker, behind: str, other: str
) -> None:
    ids = await acknowledged(redis, keys, one, 300)
    await redis.xgroup_create(keys.stream, other, "0")
    needed = ids
    if behind != "nothing handed out":
        await redis.xreadgroup(other, "a", {keys.stream: ">"}, count=50)
    if behind == "undelivered":
        await redis.xack(keys.stream, other, *ids[:50])
        needed = ids[50:]
    await retention(redis, keys, age=0.0, entries=0).trim()
    assert await ids_in(redis, keys.stream) == needed


async def test_one_call_trims_a_bounded_number(redis: Redis, keys: Keys, one: Worker) -> None:
    await acknowledged(redis, keys, one, TRIM_AT_ONCE + 300)
    trim = retention(redis, keys, entries=0)
    assert await trim.trim() == TRIM_AT_ONCE
    assert await trim.trim() == 300
    assert await trim.trim() == 0


async def test_a_stream_without_a_group_is_not_trimmed(redis: Redis, keys: Keys) -> None:
    ids = await add(redis, keys, 200, first=1)
    await redis.xgroup_destroy(keys.stream, GROUP)
    assert await retention(redis, keys, age=0.0, entries=0).trim() == 0
    assert await ids_in(redis, keys.stream) == ids
    assert await redis.exists(keys.position) == 0


async def test_a_stream_that_is_gone_is_said_to_be(redis: Redis, keys: Keys) -> None:
    await redis.delete(keys.stream)
    with pytest.raises(StoreError) as caught:
        await retention(redis, keys).trim()
    assert caught.value.kind == "no_group"


async def test_the_noted_position_is_the_oldest_entry_that_is_not_acknowledged(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    async def position() -> str:
        await retention(redis, keys).trim()
        return str((await ask(redis, "GET", keys.position)).decode())

    assert await position() == "0-1"
    await add(redis, keys, 4, first=5)
    assert await position() == "0-1"
    await one.read(3)
    assert await position() == "5-1"
    await one.settle(settlement("delivered", "6-1"))
    assert await position() == "5-1"
    await one.settle(settlement("retry", "5-1"))
    assert await position() == "7-1"
    await one.settle(settlement("delivered", "7-1"))
    assert await position() == "7-2"


@pytest.mark.parametrize("other", ["audit", "zeta"])
async def test_a_position_is_noted_of_our_own_group_only(redis: Redis, keys: Keys, one: Worker, other: str) -> None:
    await acknowledged(redis, keys, one, 3, first=5)
    await redis.xgroup_create(keys.stream, other, "0")
    await retention(redis, keys).trim()
    assert await redis.get(keys.position) == b"7-2"


@pytest.mark.parametrize("seq", [2**53 - 1, 2**53 + 1, 2**64 - 2, 2**64 - 1])
async def test_ids_with_the_greatest_numbers_are_trimmed_no_further_than_they_may(
    redis: Redis, keys: Keys, one: Worker, seq: int
) -> None:
    """Gateways may make ids of their own; a number of Lua is exact up to 2^53."""
    ids = [f"7-{seq - 2}", f"7-{seq - 1}", f"7-{seq}", "8-0"]
    for id in ids:
        await redis.xadd(keys.stream, {"d": "{}"}, id=id)
    await one.read(2)
    await redis.xack(keys.stream, GROUP, *ids[:2])
    await retention(redis, keys, age=0.0, entries=0).trim()
    assert (await ids_in(redis, keys.stream))[-2:] == ids[2:]
    await one.read(1)
    await retention(redis, keys, age=0.0, entries=0).trim()
    assert await ids_in(redis, keys.stream) == ids[2:]
    assert await redis.get(keys.position) == ids[2].encode()


async def test_dead_letters_go_by_their_age_and_are_counted(redis: Redis, keys: Keys) -> None:
    await redis.xadd(keys.dead, {"v": "1"}, id="5-0")
    young = (await ask(redis, "XADD", keys.dead, "*", "v", "1")).decode()
    await retention(redis, keys, dead_age=3600).trim()
    await retention(redis, keys, dead_age=3600).trim()
    assert await ids_in(redis, keys.dead) == [young]
    assert await redis.hgetall(keys.totals) == {b"dead_trimmed": b"1"}


async def test_retries_are_never_trimmed(redis: Redis, keys: Keys) -> None:
    await redis.xadd(keys.retry, {"v": "1"}, id="5-0")
    await retention(redis, keys, age=0.0, entries=0, dead_age=0.0).trim()
    assert await ids_in(redis, keys.retry) == ["5-0"]
