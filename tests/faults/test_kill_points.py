"""A worker is killed with SIGKILL at each named point of an entry's way; another goes on, and nothing is lost."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.faults.crew import Crew, check, configuration, ended, publish
from tests.faults.sink import Key, Sink
from tests.figures import Figures

EVENTS = 50
IN_FLIGHT = 32
SIGKILLED = -9


@pytest.mark.parametrize(
    ("failpoint", "end"),
    [
        pytest.param("read", "ok", id="after-reading"),
        pytest.param("claimed", "ok", id="after-the-claim"),
        pytest.param("sending:5", "ok", id="before-sending"),
        pytest.param("replied:5", "ok", id="after-the-2xx-before-it-is-marked"),
        pytest.param("settled:5", "ok", id="after-it-is-marked-and-acknowledged"),
        pytest.param("stored:5", "retry", id="after-the-retry-is-stored"),
    ],
)
async def test_a_worker_killed_at_a_point_loses_nothing(
    failpoint: str, end: str, redis: Redis, redis_url: str, tmp_path: Path, figures: Figures
) -> None:
    async with Sink() as sink, Crew(tmp_path, configuration(redis_url, sink, tmp_path)) as crew:
        await publish(redis, range(EVENTS), end=end)
        victim = await crew.start(failpoint=failpoint)
        assert await ended(victim, 20) == SIGKILLED, crew.log
        await crew.drain()
        found = await check(redis, sink, (Key(seq, "/one") for seq in range(EVENTS)))
    figures(f"killed at {failpoint}: lost {len(found.lost)}, extra sends {found.extra}")
    assert not found.lost
    assert not found.unexpected
    assert found.extra <= IN_FLIGHT
    assert found.account["accepted"] == EVENTS


async def test_a_worker_killed_after_the_dead_letter_is_written_writes_no_second_one(
    redis: Redis, redis_url: str, tmp_path: Path, figures: Figures
) -> None:
    async with Sink() as sink, Crew(tmp_path, configuration(redis_url, sink, tmp_path)) as crew:
        await publish(redis, range(EVENTS), end="dead")
        victim = await crew.start(failpoint="buried:5")
        assert await ended(victim, 20) == SIGKILLED, crew.log
        await crew.drain()
        found = await check(redis, sink, (), (Key(seq, "/one") for seq in range(EVENTS)))
    figures(f"killed after the dead letter: dead {found.dead} of {EVENTS}")
    assert found.dead == EVENTS
    assert found.account["accepted"] == found.account["dead"] == EVENTS


async def test_a_worker_killed_between_the_request_and_its_reply_sends_it_again(
    redis: Redis, redis_url: str, tmp_path: Path, figures: Figures
) -> None:
    async with Sink() as sink, Crew(tmp_path, configuration(redis_url, sink, tmp_path)) as crew:
        sink.slow_path = "/one"
        arrived = asyncio.Event()
        sink.on_arrival = lambda _key: arrived.set()
        await publish(redis, range(EVENTS))
        victim = await crew.start()
        await asyncio.wait_for(arrived.wait(), 20)
        victim.kill()
        assert await ended(victim, 5) == SIGKILLED
        sink.released.set()
        await crew.drain()
        found = await check(redis, sink, (Key(seq, "/one") for seq in range(EVENTS)))
    figures(f"killed while sending: lost {len(found.lost)}, extra sends {found.extra}")
    assert not found.lost
    assert found.extra <= IN_FLIGHT


async def test_a_handler_that_had_finished_is_not_fired_again_for_its_slow_sibling(
    redis: Redis, redis_url: str, tmp_path: Path, figures: Figures
) -> None:
    """The first handler's `d` and receipt are written, the entry is not acknowledged: there the worker dies."""
    async with Sink() as sink, Crew(tmp_path, configuration(redis_url, sink, tmp_path)) as crew:
        sink.slow_path = "/two"
        await publish(redis, range(EVENTS), type_="Pair")
        victim = await crew.start(failpoint="receipted:5")
        assert await ended(victim, 20) == SIGKILLED, crew.log
        finished = {
            seq for seq in range(EVENTS) if sink.delivered[Key(seq, "/one")]
        }  # fmt: skip
        sink.released.set()
        await crew.drain()
        found = await check(redis, sink, (Key(seq, path) for seq in range(EVENTS) for path in ("/one", "/two")))
    again = [seq for seq in finished if sink.delivered[Key(seq, "/one")] > 1]
    figures(
        f"killed between two handlers: {len(finished)} had finished, {len(again)} sent again, lost {len(found.lost)}"
    )
    assert not found.lost
    assert len(finished) >= 5
    assert len(again) <= len(finished) - 5
    assert found.account["accepted"] == 2 * EVENTS
