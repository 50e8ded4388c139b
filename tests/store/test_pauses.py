"""Paused handlers: noted once, held by their score, let out at a rate, and nothing of another handler's is touched."""

import msgspec
import pytest
from redis.asyncio import Redis

from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked
from streamhooks.store.pauses import HELD, Pauses
from streamhooks.store.settle import Settlement
from tests.store import given
from tests.store.given import HOOK, owner_of, record_of


@pytest.fixture
def pauses(redis: Redis, keys: Keys) -> Pauses:
    return Pauses(redis, keys)


async def hold(redis: Redis, keys: Keys, count: int, handler: str = HOOK) -> list[str]:
    """Stores `count` events of a handler as a worker does that thinks it paused; the owners of their records."""
    worker = given.worker(redis, keys, "w", most_parked=1_000_000)
    await worker.entries.ensure_group("0")
    owners = []
    for _ in range(count):
        await ask(redis, "XADD", keys.stream, "*", "type", "AuthFailure")
    for entry in await worker.read(count):
        record = record_of(entry.id, handler, why="handler paused")
        settlement = Settlement("retry", "stream", entry.id, handler=handler, amount=-1, record=record)
        assert await worker.settle(settlement) == "acked"
        owners.append(owner_of(entry.id, handler))
    return owners


async def scores(redis: Redis, keys: Keys) -> dict[str, float]:
    found = await ask(redis, "ZRANGE", keys.parked, 0, -1, "WITHSCORES")
    return {member.decode(): float(score) for member, score in zip(found[::2], found[1::2], strict=True)}


async def change(redis: Redis, keys: Keys, handler: str = HOOK, **members: object) -> None:
    """Sets members of a handler's note, as if time had passed."""
    note = msgspec.json.decode(await ask(redis, "HGET", keys.handlers, handler))
    await ask(redis, "HSET", keys.handlers, handler, msgspec.json.encode(note | members))


async def test_what_is_stored_for_a_paused_handler_is_held_and_never_wakes_by_itself(
    redis: Redis, keys: Keys, pauses: Pauses
) -> None:
    assert await pauses.pause(HOOK, "operator", "maintenance")
    (owner,) = await hold(redis, keys, 1)
    assert (await scores(redis, keys))[owner] > HELD
    assert await pauses.held() == {HOOK: 1}
    assert (await Parked(redis, keys).wake(10)).moved == 0


async def test_what_is_held_after_the_handler_was_resumed_comes_back_in_a_second(redis: Redis, keys: Keys) -> None:
    (owner,) = await hold(redis, keys, 1)
    seconds, _ = await ask(redis, "TIME")
    assert 0 < (await scores(redis, keys))[owner] / 1000 - seconds < 3


async def test_a_pause_is_told_with_its_kind_reason_and_end(pauses: Pauses) -> None:
    assert await pauses.pause("a", "operator", "maintenance")
    assert await pauses.pause("b", "gone", "status 410", 3600)
    told = {paused.handler: paused for paused in await pauses.attend()}
    assert (told["a"].kind, told["a"].why, told["a"].left, told["a"].probe) == ("operator", "maintenance", None, "")
    left = told["b"].left
    assert told["b"].kind == "gone"
    assert left is not None
    assert 3590 < left <= 3600


async def test_a_410_never_shortens_what_an_operator_has_said(pauses: Pauses) -> None:
    await pauses.pause(HOOK, "operator", "maintenance")
    assert not await pauses.pause(HOOK, "gone", "status 410", 3600)
    assert not await pauses.resume(HOOK, kind="gone")
    (paused,) = await pauses.attend()
    assert (paused.kind, paused.left) == ("operator", None)


async def test_pausing_again_keeps_the_moment_it_began(redis: Redis, keys: Keys, pauses: Pauses) -> None:
    await pauses.pause(HOOK, "gone", "status 410", 3600)
    await change(redis, keys, since=1)
    assert not await pauses.pause(HOOK, "operator", "we look into it")
    note = (await pauses.notes())[HOOK]
    assert (note.since, note.kind, note.why, note.until) == (1, "operator", "we look into it", 0)


async def test_resuming_lets_out_what_is_held_of_that_handler_and_nothing_else(
    redis: Redis, keys: Keys, pauses: Pauses
) -> None:
    await pauses.pause("mine", "operator", "")
    await pauses.pause("other", "operator", "")
    mine = await hold(redis, keys, 3, "mine") + await hold(redis, keys, 2, "mine")
    others = await hold(redis, keys, 4, "other")
    later = await hold(redis, keys, 1, "mine")
    assert await pauses.resume("mine", rate=1_000_000)
    for _ in range(4):
        await change_paid(redis, keys, "mine")
        await pauses.attend()
    found = await scores(redis, keys)
    assert all(found[owner] < HELD for owner in (*mine, *later))
    assert all(found[owner] > HELD for owner in others)
    assert (await pauses.notes()).keys() == {"other"}
    assert [paused.handler for paused in await pauses.attend()] == ["other"]


async def change_paid(redis: Redis, keys: Keys, handler: str) -> None:
    """As if the last look had been a second ago."""
    if await ask(redis, "HEXISTS", keys.handlers, handler):
        note = msgspec.json.decode(await ask(redis, "HGET", keys.handlers, handler))
        await change(redis, keys, handler, paid=note["paid"] - 1000)


async def test_what_is_held_comes_out_at_the_rate_and_workers_do_not_add_to_it(
    redis: Redis, keys: Keys, pauses: Pauses
) -> None:
    await pauses.pause(HOOK, "operator", "")
    await hold(redis, keys, 50)
    await pauses.resume(HOOK, rate=5)
    for _ in range(3):  # three workers look at once
        await pauses.attend()
    assert sum((await pauses.held()).values()) >= 49
    await change_paid(redis, keys, HOOK)
    for _ in range(3):
        await pauses.attend()
    assert 43 <= sum((await pauses.held()).values()) <= 45


async def test_a_handler_with_nothing_held_is_as_any_other_after_its_resume(
    redis: Redis, keys: Keys, pauses: Pauses
) -> None:
    await pauses.pause(HOOK, "operator", "")
    assert await pauses.resume(HOOK)
    await change_paid(redis, keys, HOOK)
    await pauses.attend()
    assert await pauses.notes() == {}


async def test_a_handler_that_is_not_paused_can_be_resumed_for_what_is_held_of_it(
    redis: Redis, keys: Keys, pauses: Pauses
) -> None:
    await pauses.pause(HOOK, "operator", "")
    (owner,) = await hold(redis, keys, 1)
    await ask(redis, "DEL", keys.handlers)
    assert not await pauses.resume(HOOK)
    await change_paid(redis, keys, HOOK)
    await pauses.attend()
    assert (await scores(redis, keys))[owner] < HELD


async def test_a_pause_after_410_ends_with_one_probe_the_oldest_that_is_held(
    redis: Redis, keys: Keys, pauses: Pauses
) -> None:
    await pauses.pause(HOOK, "gone", "status 410", 3600)
    owners = await hold(redis, keys, 3)
    await change(redis, keys, until=1)
    (paused,) = await pauses.attend()
    assert paused.probe == owners[0]
    found = await scores(redis, keys)
    assert [found[owner] > HELD for owner in owners] == [False, True, True]
    (again,) = await pauses.attend()
    assert again.probe == owners[0], "one probe at a time"
    assert again.left is not None
    assert 50 < again.left <= 60


async def test_a_probe_that_brings_no_word_is_followed_by_another(redis: Redis, keys: Keys, pauses: Pauses) -> None:
    await pauses.pause(HOOK, "gone", "status 410", 3600)
    owners = await hold(redis, keys, 2)
    for number in range(2):
        await change(redis, keys, until=1)
        (paused,) = await pauses.attend()
        assert paused.probe == owners[number]


async def test_a_pause_after_410_of_which_nothing_is_held_ends_and_the_next_event_is_the_probe(
    redis: Redis, keys: Keys, pauses: Pauses
) -> None:
    await pauses.pause(HOOK, "gone", "status 410", 3600)
    await change(redis, keys, until=1)
    assert await pauses.attend() == []
    assert await pauses.notes() == {}


async def test_an_operators_pause_with_an_end_is_resumed_by_itself(redis: Redis, keys: Keys, pauses: Pauses) -> None:
    await pauses.pause(HOOK, "operator", "an hour", 3600)
    (owner,) = await hold(redis, keys, 1)
    await change(redis, keys, until=1)
    assert await pauses.attend() == []
    await change_paid(redis, keys, HOOK)
    await pauses.attend()
    assert (await scores(redis, keys))[owner] < HELD


async def test_the_time_that_a_record_was_held_is_noted_in_it(redis: Redis, keys: Keys, pauses: Pauses) -> None:
    await pauses.pause(HOOK, "operator", "")
    (owner,) = await hold(redis, keys, 1)
    held_at = (await scores(redis, keys))[owner] - 60_000
    await ask(redis, "ZADD", keys.parked, held_at, owner)
    await pauses.resume(HOOK, rate=1000)
    await change_paid(redis, keys, HOOK)
    await pauses.attend()
    worker = given.worker(redis, keys, "w")
    await worker.retries.ensure_group("0")
    assert (await Parked(redis, keys).wake(10)).moved == 1
    fields = (await worker.read_retry()).fields
    assert 60_000 <= int(fields[b"paused"]) < 70_000
