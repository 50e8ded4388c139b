"""Somebody trims the stream: what was not acknowledged by then is lost, and counted to the last entry."""

from functools import partial

from redis.asyncio import Redis

from tests.faults.checker import GROUP, KEYS, Verdict, gone
from tests.faults.crew import ended
from tests.faults.experiments import experiment
from tests.faults.lab import Lab
from tests.faults.load import STREAM
from tests.waiting import eventually

EVENTS = 500
KEPT = 100
SLOTS = 16
"""Requests that a handler has under way at once, see crew.configuration."""
SIGKILLED = -9


@experiment("trimmed before it was read", smoke=True)
async def before_reading(lab: Lab) -> Verdict:
    """A worker is busy; of what waits behind, and of what it holds, the oldest entries are trimmed away."""
    server, sink = await lab.server(), await lab.sink()
    client, load, crew = await lab.client(server), lab.load(server), await lab.crew(server.url, sink)
    worker = await crew.start()
    await crew.ready()
    await eventually(partial(_counts, client), 5, "the worker knows where its group began")
    sink.slow_path = "/one"
    await load.publish(range(EVENTS))
    await eventually(lambda: len(sink.arrivals) == SLOTS, 20, "every slot holds a request")
    await client.xtrim(STREAM, maxlen=KEPT, approximate=False)
    trimmed = await gone(client, load)
    sink.released.set()
    await lab.delivered(sink, load, crew, worker, but=trimmed)
    await crew.drain()
    assert crew.records("entries_lost_trimmed"), crew.log
    verdict = await lab.verdict(server, sink, load, excused=trimmed)
    # Each entry has an end in the account or is among the lost. What was trimmed while its request was under way is
    # lost to the account, and arrived all the same: nobody calls a request back.
    lost = verdict.account["lost_trimmed"]
    assert verdict.account["accepted"] + lost == EVENTS, verdict
    assert 0 < verdict.lost_by_redis <= lost <= verdict.lost_by_redis + SLOTS, verdict
    return verdict


async def _counts(client: Redis) -> bool:
    return bool(await client.hexists(KEYS.handed, f"before {STREAM} {GROUP}"))


@experiment("trimmed while it was pending at a dead worker")
async def while_pending(lab: Lab) -> Verdict:
    server, sink = await lab.server(), await lab.sink()
    client, load, crew = await lab.client(server), lab.load(server), await lab.crew(server.url, sink)
    await load.publish(range(EVENTS))
    victim = await crew.start(failpoint="read")
    assert await ended(victim, 20) == SIGKILLED, crew.log
    held = (await client.xpending(STREAM, GROUP))["pending"]
    await client.xtrim(STREAM, maxlen=EVENTS - held, approximate=False)
    trimmed = await gone(client, load)
    assert len(trimmed) == held > 0, "just what the dead worker had read is gone"
    await crew.drain()
    assert sum(record["count"] for record in crew.records("entries_lost_trimmed")) == held, crew.log
    verdict = await lab.verdict(server, sink, load, excused=trimmed)
    assert verdict.lost_by_redis == verdict.account["lost_trimmed"] == held, verdict
    return verdict
