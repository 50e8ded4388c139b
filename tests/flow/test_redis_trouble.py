"""Redis that forgets, refuses or is not there: said once, waited for, and nothing acknowledged that is not stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from tests.flow.rig import GROUP, STREAM, Rig
from tests.servers import Answer
from tests.skips import socket_of
from tests.waiting import eventually

ADD_THOUGH_FULL = "redis.call('DEL', 'nothing') return redis.call('XADD', KEYS[1], '*', unpack(ARGV))"
"""A script that has written once may go on writing: Redis does not stop in the middle of one."""


ADD_THREE_THOUGH_FULL = (
    "redis.call('DEL', 'nothing') for _ = 1, 3 do redis.call('XADD', KEYS[1], '*', unpack(ARGV)) end"
)


async def both_groups_are_there(rig: Rig) -> bool:
    return GROUP in await rig.groups() and GROUP in await rig.groups(rig.keys.retry)


async def test_after_flushall_the_groups_are_made_again_with_one_warning_each(rig: Rig) -> None:
    async with rig.working(rig.handler()):
        await rig.publish("before")
        await rig.settled(delivered=1)
        await rig.redis.flushall()
        await eventually(lambda: both_groups_are_there(rig), within=2.0)
        await rig.publish("after")
        await rig.settled(delivered=1)
        told = [record["stream"] for record in rig.records.of("group_made_again")]
        assert sorted(told) == sorted({STREAM, rig.keys.retry})
        assert rig.records.of("redis_error", "redis_away") == []
    assert rig.arrived == ["before", "after"]


async def test_an_event_that_is_published_right_after_flushall_is_not_skipped(rig: Rig) -> None:
    async with rig.working(rig.handler(), stream={"start": "$"}):
        async with rig.redis.pipeline(transaction=True) as transaction:
            transaction.flushall()
            transaction.xadd(STREAM, {"type": "AuthFailure", "key": "abc"})
            await transaction.execute()
        await rig.settled(delivered=1)
    assert rig.arrived == ["abc"]


async def test_a_group_that_was_destroyed_is_made_again_where_it_was(rig: Rig) -> None:
    async with rig.working(rig.handler()) as worker:
        await rig.publish_many(3, "before")
        await rig.settled(delivered=3)
        for line in worker.lines:
            await line.tidy()  # notes the position, as it does once a minute
        await rig.redis.xgroup_destroy(STREAM, GROUP)
        await eventually(lambda: both_groups_are_there(rig), within=2.0)
        await rig.publish("after")
        await rig.settled(delivered=4)
        assert [record["stream"] for record in rig.records.of("group_made_again")] == [STREAM]
    assert sorted(rig.arrived) == ["after", "before0", "before1", "before2"]


async def test_a_retry_group_that_was_destroyed_loses_no_retry(rig: Rig) -> None:
    rig.endpoint.script(503, 200)
    async with rig.working(rig.handler(retry={"delays": [60]})):
        await rig.publish("abc")
        await eventually(rig.stored)
        await rig.redis.xgroup_destroy(rig.keys.retry, GROUP)
        await rig.due_now()
        await rig.settled(delivered=1)
    assert rig.arrived == ["abc", "abc"]


@asynccontextmanager
async def full(rig: Rig) -> AsyncIterator[None]:
    """Redis takes no writes that need memory."""
    await rig.redis.config_set("maxmemory-policy", "noeviction")
    await rig.redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        await rig.redis.config_set("maxmemory", 0)


async def calls_of_scripts(rig: Rig) -> int:
    found = await ask(rig.redis, "INFO", "commandstats")
    return int(found["cmdstat_evalsha"]["calls"])


async def test_while_redis_refuses_writes_nothing_is_acknowledged_or_read_and_then_it_goes_on(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(event_timeout=60), worker={"in_flight": 64}) as worker:
        await rig.publish_many(4)
        await rig.endpoint.wait_for(4)
        async with full(rig):
            rig.endpoint.release()
            await eventually(lambda: worker.health.refusing)

            async def nobody_reads() -> bool:
                return not await rig.blocked()

            await eventually(nobody_reads)
            await ask(rig.redis, "EVAL", ADD_THOUGH_FULL, 1, STREAM, "type", "AuthFailure", "key", "late")
            before = await calls_of_scripts(rig)

            async def has_tried_again() -> bool:
                return await calls_of_scripts(rig) > before + 8

            await eventually(has_tried_again)
            assert await rig.pending() == 4
            assert await rig.totals() == {}
            assert worker.figures.entries_read == 4
            assert len(rig.records.of("redis_refuses_writes")) == 1
        await rig.settled(delivered=5)
        assert len(rig.records.of("redis_takes_writes_again")) == 1
    assert sorted(rig.arrived) == ["k0", "k1", "k2", "k3", "late"], "nothing was sent twice"


async def test_a_claim_that_cannot_be_answered_lets_a_fresh_event_through_once_for_each_request(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(event_timeout=60)) as worker:
        async with full(rig):
            await ask(rig.redis, "EVAL", ADD_THREE_THOUGH_FULL, 1, STREAM, "type", "AuthFailure", "key", "abc")
            await rig.endpoint.wait_for(1)
            await eventually(lambda: sum(len(line.intake.waiting) for line in worker.lines) == 2)
            assert worker.figures.claims_failed_open == 1
            assert await rig.pending() == 3
        # Redis has no mark yet of what was sent without a claim: its duplicates must not ask before it has ended.
        await rig.publish("other")
        await rig.endpoint.wait_for(2)
        for line in worker.lines:
            await line.waiting.look()
        assert sum(len(line.intake.waiting) for line in worker.lines) == 2
        rig.endpoint.release()
        await rig.settled(delivered=2, suppressed=2)
    assert rig.arrived == ["abc", "other"]


async def test_a_script_that_had_nothing_to_write_is_no_sign_that_redis_takes_writes_again(rig: Rig) -> None:
    """A script that writes nothing passes on a server that refuses writes: what it answers says nothing of that."""
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(event_timeout=60)) as worker:
        entries = await rig.publish_many(2)
        await rig.endpoint.wait_for(2)
        async with full(rig):
            rig.endpoint.release()
            await eventually(lambda: worker.health.refusing)
            await ask(rig.redis, "XACK", STREAM, GROUP, *entries)  # whatever is settled now comes too late
            await eventually(lambda: worker.figures.late == 2)
            assert worker.health.refusing
            assert rig.records.of("redis_takes_writes_again") == []


async def test_a_server_that_begins_to_drop_keys_while_a_worker_runs_is_told_of_once(rig: Rig) -> None:
    async with rig.working(rig.handler()) as worker:
        await rig.redis.config_set("maxmemory-policy", "allkeys-lru")
        await rig.redis.config_set("maxmemory", 1 << 30)
        try:
            await worker.keeping.look()
            await worker.keeping.look()
        finally:
            await rig.redis.config_set("maxmemory", 0)
            await rig.redis.config_set("maxmemory-policy", "noeviction")
        (told,) = rig.records.of("redis_drops_keys")
        assert told["error"].startswith("maxmemory-policy is allkeys-lru: a full Redis throws away events")
        assert not rig.records.of("redis_keeps_keys")
        await worker.keeping.look()
        await rig.publish("abc")
        await rig.settled(delivered=1)
    assert [record["before"] for record in rig.records.of("redis_keeps_keys")] == [told["error"]]


async def test_a_redis_that_is_not_there_is_waited_for_with_one_line(rig: Rig, tmp_path: Path) -> None:
    real, socket = socket_of(rig.url), tmp_path / "later.sock"
    loaded = rig.loaded(rig.handler(), redis={"url": f"unix://{socket}"})
    await rig.publish("abc")
    started = asyncio.Event()

    async def work() -> None:
        async with rig.running(loaded):
            started.set()
            await rig.settled(delivered=1)

    task = asyncio.create_task(work())
    await eventually(lambda: rig.records.of("redis_away"))
    assert not started.is_set()
    socket.symlink_to(real)
    await task
    assert len(rig.records.of("redis_away")) == 1
    assert len(rig.records.of("redis_back")) == 1


async def test_a_server_that_drops_every_connection_is_found_again(rig: Rig) -> None:
    async with rig.working(rig.handler()):
        await rig.publish("before")
        await rig.settled(delivered=1)
        await ask(rig.redis, "CLIENT KILL", "TYPE", "normal", "SKIPME", "yes")
        await rig.publish("after")
        await rig.settled(delivered=2)
    assert rig.arrived == ["before", "after"]


@pytest.mark.parametrize("key", ["{shop}:events", "orders"])
async def test_every_key_of_ours_shares_the_streams_hash_tag(rig: Rig, key: str) -> None:
    keys = Keys.of(key)
    rig.endpoint.script(503, 422, 200)
    async with rig.working(rig.handler(event_timeout=60, concurrency=1), stream={"key": key}):
        for number in range(3):
            await rig.redis.xadd(key, {"type": "AuthFailure", "key": str(number)})
        wanted = {b"accepted": b"3", b"delivered": b"2", b"dead": b"1", b"stored": b"0"}

        async def all_settled() -> bool:
            await rig.wake()
            return bool(await ask(rig.redis, "HGETALL", keys.totals) == wanted)

        await eventually(all_settled)
        names = [name.decode() async for name in rig.redis.scan_iter(count=1000)]
    assert {name for name in names if not name.startswith(keys.tag)} <= {key}
