"""`rate_limit`: over all workers together, without a burst, and without holding anybody else up."""

import time

from redis.asyncio import Redis

from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.rate import Rates
from tests.flow.rig import Rig
from tests.waiting import eventually


def most_within(times: list[float], seconds: float) -> int:
    """The most requests that came within any window of so many seconds."""
    times = sorted(times)
    most = start = 0
    for end, at in enumerate(times):
        while at - times[start] > seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


async def test_two_workers_together_keep_a_handlers_rate(rig: Rig) -> None:
    limited = rig.handler(rate_limit="40/s")
    async with rig.working(limited), rig.working(limited):
        started = time.monotonic()
        await rig.publish_many(60)
        await rig.settled(delivered=60, within=20)
        assert time.monotonic() - started > 1.2, "sixty turns at 40 a second"
    times = [request.at for request in rig.endpoint.received]
    # Turns are taken four at once, a tenth of a second's worth, by each of two workers.
    assert most_within(times, 0.5) <= 20 + 2 * 4


async def test_more_than_the_queue_holds_is_deferred_and_another_handler_is_not_held_up(rig: Rig) -> None:
    limited = rig.handler("limited", on=["AuthFailure"], rate_limit="1/m")
    async with rig.working(limited, rig.handler("free", on=["KeyExpired"]), worker={"in_flight": 64}):
        await rig.publish_many(50)
        await rig.publish("other", "KeyExpired")
        await eventually(lambda: "/free" in [request.path for request in rig.endpoint.received])
        stored = await rig.stored()
        assert {(record.attempt, record.first, record.why) for record in stored.values()} == {(1, 0, "handler full")}
        assert len(stored) >= 45
        scores = await ask(rig.redis, "ZRANGE", rig.keys.parked, 0, -1, "WITHSCORES")
        due = sorted(float(score) for score in scores[1::2])
        assert due[-1] - due[0] >= 60_000 * (len(due) - 1) * 0.99, "each when its turn may have come"


async def test_a_stop_does_not_wait_for_turns_and_hands_the_rest_back(rig: Rig) -> None:
    async with rig.working(rig.handler(rate_limit="1/m")) as worker:
        await rig.publish_many(2)
        await rig.endpoint.wait_for(1)
        await eventually(lambda: worker.room.active == 1)
        started = time.monotonic()
    assert time.monotonic() - started < 4
    async with rig.working(rig.handler()):
        await rig.settled(delivered=2)


async def test_turns_are_spaced_and_those_that_nobody_took_are_not_saved_up(redis: Redis) -> None:
    rates = Rates(redis, Keys.of("gateway:events"))
    assert await rates.reserve("h", 10, 5) == 0
    assert 0.45 < await rates.reserve("h", 10, 5) <= 0.5
    await ask(redis, "SET", Keys.of("gateway:events").rate("h"), 1, "PX", 1000)
    assert await rates.reserve("h", 10, 1) == 0
    assert 0.05 < await rates.reserve("h", 10, 1) <= 0.1


async def test_the_rate_is_kept_by_each_worker_itself_while_redis_is_away(rig: Rig) -> None:
    async with rig.working(rig.handler(rate_limit="20/s")) as worker:
        await rig.publish_many(10)
        await rig.endpoint.wait_for(2)
        await ask(rig.redis, "CLIENT PAUSE", 1500, "ALL")
        times = [request.at for request in await rig.endpoint.wait_for(10, timeout=20)]
        await rig.settled(delivered=10, within=20)
        assert most_within(times, 0.5) <= 12
        assert not worker.health.away
