"""SIGTERM finishes what is under way and hands the rest over; a second one ends at once and loses nothing."""

import asyncio
import signal
import time
from pathlib import Path

from redis.asyncio import Redis

from tests.faults.crew import GROUP, STREAM, Crew, check, configuration, ended, publish, terminate, wait_for_lines
from tests.faults.sink import Key, Sink
from tests.figures import Figures
from tests.waiting import eventually

EVENTS = 2000


async def test_sigterm_under_load_ends_well_and_duplicates_nothing(
    redis: Redis, redis_url: str, tmp_path: Path, figures: Figures
) -> None:
    async with Sink(delay=0.02) as sink, Crew(tmp_path, configuration(redis_url, sink, tmp_path)) as crew:
        await publish(redis, range(EVENTS))
        worker = await crew.start()
        await eventually(lambda: len(sink.delivered) >= 100, within=20, saying="deliveries")
        terminate(worker)
        asked = time.monotonic()
        assert await ended(worker, 20) == 0, crew.log
        took = time.monotonic() - asked
        before = len(sink.delivered)
        await crew.drain()
        found = await check(redis, sink, (Key(seq, "/one") for seq in range(EVENTS)))
    figures(f"SIGTERM with {before} of {EVENTS} delivered: ended in {took:.1f} s, extra sends {found.extra}")
    assert before < EVENTS
    assert not found.lost
    assert found.extra == 0


async def test_what_a_stopping_worker_had_not_sent_is_at_a_peer_at_once(
    redis: Redis, redis_url: str, tmp_path: Path, figures: Figures
) -> None:
    """The lease is a minute here: a peer that has the entries within seconds did not wait for it to end."""
    async with Sink() as sink, Crew(tmp_path, configuration(redis_url, sink, tmp_path, lease=60)) as crew:
        sink.slow_path = "/one"
        await publish(redis, range(32))
        worker = await crew.start()
        await eventually(lambda: len(sink.arrivals) == 16, within=20, saying="every slot to hold a request")
        await eventually(lambda: _pending(redis, 32), within=5, saying="everything to be read")
        terminate(worker)
        await wait_for_lines(crew, "stopping")
        sink.released.set()
        assert await ended(worker, 20) == 0, crew.log
        asked = time.monotonic()
        await crew.drain()
        took = time.monotonic() - asked
        found = await check(redis, sink, (Key(seq, "/one") for seq in range(32)))
    figures(f"16 entries handed back were delivered by a peer within {took:.1f} s of its start")
    assert not found.lost
    assert found.extra == 0
    assert took < 15


async def test_an_endpoint_that_hangs_does_not_hold_up_the_end(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    config = configuration(redis_url, Sink(), tmp_path)
    async with Sink() as sink:
        config = configuration(redis_url, sink, tmp_path, drain_timeout=1)
        async with Crew(tmp_path, config) as crew:
            sink.slow_path = "/one"
            await publish(redis, range(8))
            worker = await crew.start()
            await eventually(lambda: len(sink.arrivals) == 8, within=20, saying="every request to hang")
            terminate(worker)
            assert await ended(worker, 10) == 0, crew.log
            assert await _pending(redis, 8)
            sink.released.set()
            await crew.drain()
            found = await check(redis, sink, (Key(seq, "/one") for seq in range(8)))
    assert not found.lost
    assert found.extra <= 8


async def test_a_second_signal_ends_at_once_and_loses_nothing(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    async with Sink() as sink, Crew(tmp_path, configuration(redis_url, sink, tmp_path, drain_timeout=60)) as crew:
        sink.slow_path = "/one"
        await publish(redis, range(8))
        worker = await crew.start()
        await eventually(lambda: len(sink.arrivals) == 8, within=20, saying="every request to hang")
        terminate(worker)
        await wait_for_lines(crew, "stopping")
        terminate(worker)
        assert await ended(worker, 2) == 128 + signal.SIGTERM
        sink.released.set()
        await crew.drain()
        found = await check(redis, sink, (Key(seq, "/one") for seq in range(8)))
    assert not found.lost
    assert found.extra <= 8


async def _pending(redis: Redis, count: int) -> bool:
    return bool((await redis.xpending(STREAM, GROUP))["pending"] == count)


async def test_two_workers_share_the_load_and_send_nothing_twice(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    async with Sink() as sink, Crew(tmp_path, configuration(redis_url, sink, tmp_path)) as crew:
        workers = [await crew.start("--until-idle") for _ in range(2)]
        await publish(redis, range(EVENTS))
        await asyncio.gather(*(ended(worker, 30) for worker in workers))
        await crew.drain()
        found = await check(redis, sink, (Key(seq, "/one") for seq in range(EVENTS)))
    assert not found.lost
    assert found.extra == 0
