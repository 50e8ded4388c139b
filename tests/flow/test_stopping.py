"""A clean stop: what is being sent ends, the rest is a peer's at once, nothing is sent twice."""

import asyncio

from streamhooks.store.connection import ask
from tests.flow.rig import Rig
from tests.servers import Answer
from tests.waiting import eventually

LONG_LEASE = {"lease": 600}
"""Whoever gets an entry while this lasts was handed it."""


async def test_what_is_being_sent_ends_and_the_rest_is_a_second_workers_at_once(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    handler = rig.handler(concurrency=2, event_timeout=60)
    async with rig.working(handler, worker=LONG_LEASE) as worker:
        await rig.publish_many(10)
        await eventually(lambda: rig.endpoint.at_once == 2 and worker.room.active == 10)

        async def let_them_end() -> None:
            await eventually(lambda: worker.stopping.is_set() and worker.room.active == 2)
            rig.endpoint.release()

        letting = asyncio.create_task(let_them_end())
    await letting
    assert await rig.totals() == {"accepted": 2, "delivered": 2}
    assert len(rig.endpoint.received) == 2
    async with rig.working(handler, worker=LONG_LEASE):
        await rig.settled(delivered=10, within=3.0)
    assert sorted(rig.arrived) == sorted(f"k{number}" for number in range(10)), "each exactly once"


async def test_a_handed_back_delivery_is_not_counted_against_the_entry(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    handler = rig.handler(concurrency=1)
    async with rig.working(handler, worker=LONG_LEASE) as first:
        await rig.publish_many(2)
        await eventually(lambda: rig.endpoint.at_once == 1 and first.room.active == 2)

        async def let_it_end() -> None:
            await eventually(lambda: first.stopping.is_set() and first.room.active == 1)
            rig.endpoint.release()

        letting = asyncio.create_task(let_it_end())
    await letting
    (left,) = await rig.redis.xpending_range("gateway:events", "streamhooks", "-", "+", 10)
    assert left["times_delivered"] == 0
    async with rig.working(handler, worker=LONG_LEASE):
        await rig.settled(delivered=2)


async def test_a_waiting_duplicate_is_handed_back_too(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    handler = rig.handler(event_timeout=60)
    async with rig.working(handler, worker=LONG_LEASE) as worker:
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await rig.publish("abc")
        await eventually(lambda: sum(len(line.intake.waiting) for line in worker.lines) == 1)

        async def let_it_end() -> None:
            await eventually(lambda: worker.stopping.is_set() and worker.held == 1)
            rig.endpoint.release()

        letting = asyncio.create_task(let_it_end())
    await letting
    async with rig.working(handler, worker=LONG_LEASE):
        await rig.settled(delivered=1, suppressed=1, within=3.0)
    assert rig.arrived == ["abc"]


async def test_what_does_not_end_before_the_deadline_stays_pending_and_a_peer_delivers_it(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"), 200)
    clock = asyncio.get_running_loop().time
    async with rig.working(rig.handler(), worker={"drain_timeout": 0.2}):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        stopped_at = clock()
    assert clock() - stopped_at < 3.0
    assert await rig.pending() == 1
    assert len(rig.records.of("drain_timeout")) == 1
    async with rig.working(rig.handler()):
        await rig.settled(delivered=1)


async def test_under_load_three_workers_come_and_go_and_every_event_is_sent_exactly_once(rig: Rig) -> None:
    handler = rig.handler(concurrency=4)
    rig.endpoint.script(Answer(delay=0.002))
    await rig.publish_many(300)
    for _ in range(3):
        async with rig.working(handler, worker={"in_flight": 64, "lease": 600}):
            so_far = len(rig.endpoint.received)
            await rig.endpoint.wait_for(so_far + 40)
    async with rig.working(handler, worker=LONG_LEASE):
        await rig.settled(delivered=300)
    assert sorted(rig.arrived) == sorted(f"k{number}" for number in range(300))


async def test_a_worker_that_has_left_is_no_consumer_any_more(rig: Rig) -> None:
    async with rig.working(rig.handler()) as worker:
        await rig.publish("abc")
        await rig.settled(delivered=1)
    for key in ("gateway:events", rig.keys.retry):
        consumers = await rig.redis.xinfo_consumers(key, "streamhooks")
        assert worker.consumer.encode() not in [consumer["name"] for consumer in consumers]


async def test_idle_means_that_nothing_waits_is_sent_or_is_stored(rig: Rig) -> None:
    rig.endpoint.script(Answer(503, then="hang"), 200)
    async with rig.working(rig.handler(retry={"delays": [60]})) as worker:
        assert await worker.idle()
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        assert not await worker.idle()
        rig.endpoint.release()
        await eventually(rig.stored)
        assert not await worker.idle()
        await rig.due_now()
        await rig.settled(delivered=1)
        await eventually(worker.idle)


MOVE = """
if redis.call('ZREM', KEYS[1], 'moved') == 1 then return redis.call('XADD', KEYS[2], '*', 'a', 'b') end
redis.call('XTRIM', KEYS[2], 'MAXLEN', 0)
return redis.call('ZADD', KEYS[1], 0, 'moved')
"""


async def test_what_moves_from_one_place_to_another_is_never_taken_for_done(rig: Rig) -> None:
    """A record that is woken is parked in one moment and in the retry stream in the next; here over and over."""
    async with rig.doomed(rig.handler()) as worker:
        (line,) = worker.lines
        await eventually(rig.blocked)
        await worker._loops.cancel()
        assert await line.idle()
        looked = asyncio.Event()

        async def move() -> None:
            while not looked.is_set():
                await ask(rig.redis, "EVAL", MOVE, 2, rig.keys.parked, rig.keys.retry)

        await ask(rig.redis, "EVAL", MOVE, 2, rig.keys.parked, rig.keys.retry)
        moving = asyncio.create_task(move())
        found = [await line.idle() for _ in range(200)]
        looked.set()
        await moving
        assert not any(found)


async def test_a_stop_in_the_moment_of_the_start_ends_too(rig: Rig) -> None:
    """While every loop is sending its first command, where a cancellation can get lost."""
    for _ in range(10):
        async with asyncio.timeout(5), rig.working(rig.handler()) as worker:
            assert worker.reached
    await rig.publish("abc")
    async with rig.working(rig.handler()):
        await rig.settled(delivered=1)
