"""No endpoint sets the pace of another: the figures are printed, and held to what docs/delivery.md says."""

import asyncio
import time

import pytest

from tests.figures import Figures
from tests.flow.rig import STREAM, Config, Rig
from tests.servers import Answer, Endpoint
from tests.waiting import eventually

EVENTS = 800
"""Of each kind; published in four seconds, far below what a worker can deliver."""
PART = 25
EVERY = 0.125


async def delivered_by(rig: Rig, *handlers: Config) -> float:
    """Seconds from the first event to the last delivery of the good handler, half of the events being another's.

    What hangs then is given up at once: it has been measured.
    """
    already = len(rig.endpoint.received)
    async with rig.working(*handlers, defaults={"timeout": 15}, worker={"in_flight": 512, "drain_timeout": 0.1}):
        started = time.monotonic()
        for part in range(EVENTS // PART):
            pipeline = rig.redis.pipeline(transaction=False)
            for number in range(part * PART, (part + 1) * PART):
                for type_ in ("AuthFailure", "KeyExpired"):
                    pipeline.xadd(STREAM, {"type": type_, "key": f"k{number}"})
            await pipeline.execute()
            await asyncio.sleep(max(0.0, started + (part + 1) * EVERY - time.monotonic()))
        await rig.endpoint.wait_for(already + EVENTS, timeout=40)
        return time.monotonic() - started


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(then="hang"), id="hangs"),
        pytest.param(Answer(503, delay=0.9), id="answers 503 in the last moment before it counts as stalled"),
    ],
)
async def test_an_endpoint_with_half_of_the_events_leaves_the_others_95_percent_of_their_throughput(
    rig: Rig, figures: Figures, answer: Answer
) -> None:
    good = rig.handler("good", on=["AuthFailure"])
    alone = await delivered_by(rig, good)
    async with Endpoint() as bad:
        bad.script(answer)
        beside = await delivered_by(rig, good, rig.handler("bad", on=["KeyExpired"], target_path=bad.url))
        bad.release()
    ratio = alone / beside
    figures(f"{EVENTS} events: {EVENTS / alone:.0f}/s alone, {EVENTS / beside:.0f}/s beside it, ratio {ratio:.3f}")
    assert ratio >= 0.95


async def test_events_behind_those_of_a_slow_endpoint_do_not_wait_for_it(rig: Rig) -> None:
    async with Endpoint() as slow:
        slow.script(Answer(delay=0.2))
        handlers = (
            rig.handler("slow", on=["KeyExpired"], target_path=slow.url, concurrency=2),
            rig.handler("quick", on=["AuthFailure"]),
        )
        async with rig.working(*handlers, worker={"in_flight": 16}):
            for number in range(100):
                await rig.publish(f"k{number}", "KeyExpired")
            await rig.publish_many(300)
            await rig.endpoint.wait_for(300)
            assert len(slow.received) < 60, "its first second is waited for: nobody knew that it is slow"
            await eventually(rig.stored)
            assert {record.why for record in (await rig.stored()).values()} == {"handler full"}
            slow.script(200)
            await eventually(lambda: drained(rig), within=20)
            await rig.settled(delivered=400)


async def drained(rig: Rig) -> bool:
    await rig.due_now()
    return not await rig.stored()
