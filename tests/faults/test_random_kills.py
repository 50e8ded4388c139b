"""Three workers, ten thousand events, and a kill -9 every second or so for half a minute."""

import asyncio
import random
import signal
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.faults.crew import KEYS, Crew, check, configuration, ended, publish
from tests.faults.sink import Key, Sink
from tests.figures import Figures

EVENTS = 10_000
SECONDS = 30.0
WORKERS = 3
IN_FLIGHT = 32
PART = 100


@pytest.mark.timeout(180)
async def test_random_kills_lose_nothing_and_invent_nothing(
    redis: Redis, redis_url: str, tmp_path: Path, figures: Figures
) -> None:
    rng = random.Random(20261123)
    kills = 0
    async with Sink(delay=0.002) as sink, Crew(tmp_path, configuration(redis_url, sink, tmp_path)) as crew:
        workers = [await crew.start() for _ in range(WORKERS)]
        until = time.monotonic() + SECONDS
        for first in range(0, EVENTS, PART):
            end = "retry" if first % (10 * PART) == 0 else "ok"
            await publish(redis, range(first, first + PART), end=end)
            await asyncio.sleep(max(0.0, (until - time.monotonic()) * PART / (EVENTS - first)))
            if rng.random() < SECONDS * 0.8 * PART / EVENTS:
                number = rng.randrange(WORKERS)
                workers[number].kill()
                await workers[number].wait()
                workers[number] = await crew.start()
                kills += 1
        stopped = time.monotonic()
        for worker in workers:
            worker.terminate()
            # One that was started a moment ago may not have come so far as to handle the signal.
            assert await ended(worker, 20) in (0, -signal.SIGTERM), crew.log
        await crew.drain(60)
        recovery = time.monotonic() - stopped
        found = await check(redis, sink, (Key(seq, "/one") for seq in range(EVENTS)))
        dead = await redis.xrange(KEYS.dead)
    figures(
        f"{EVENTS} events, {kills} kills: lost {len(found.lost)}, unexpected {len(found.unexpected)}, "
        f"extra sends {found.extra}, dead {found.dead}, drained in {recovery:.1f} s, account {dict(found.account)}"
    )
    assert kills >= 10
    assert not found.lost
    assert not found.unexpected
    assert not dead
    assert found.extra <= IN_FLIGHT * kills
    assert found.account["accepted"] == EVENTS
