"""SIGTERM finishes what is under way and hands the rest over; a second one ends at once and loses nothing."""

import asyncio
import signal
from functools import partial

from redis.asyncio import Redis

from tests.faults.checker import GROUP, Verdict
from tests.faults.crew import DRAIN, ended, stopped, terminate
from tests.faults.experiments import experiment
from tests.faults.lab import Lab
from tests.faults.load import STREAM
from tests.waiting import eventually

EVENTS = 1000
SLOTS = 16
LONG_LEASE = 60.0
QUICK = 8.0
"""Seconds in which a peer has what was handed back, its own start included: far from the lease."""
AT_ONCE = 2.0


@experiment("SIGTERM while idle")
async def idle(lab: Lab) -> Verdict:
    server, sink = await lab.server(), await lab.sink()
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    worker = await crew.start()
    await crew.ready()
    await load.publish(range(10))
    await lab.all_delivered(sink, load)
    took = await stopped(crew, worker)
    return await lab.verdict(server, sink, load, recovery=took, most_recovery=5.0)


@experiment("SIGTERM under load", smoke=True)
async def under_load(lab: Lab) -> Verdict:
    """Nothing is sent twice, and what was not sent is left to others."""
    server, sink = await lab.server(), await lab.sink(0.02)
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    await load.publish(range(EVENTS))
    worker = await crew.start()
    await eventually(lambda: len(sink.delivered) >= 100, 20, "deliveries")
    took = await stopped(crew, worker)
    before = len(sink.delivered)
    assert before < EVENTS, "it was stopped at work"
    await crew.drain()
    return await lab.verdict(
        server, sink, load, recovery=took, most_recovery=DRAIN, notes=f"{before} of {EVENTS} delivered by then"
    )


@experiment("SIGTERM hands over what was not sent", smoke=True)
async def handed_over(lab: Lab) -> Verdict:
    """The lease is a minute here: a peer that has the entries within seconds did not wait for it to end."""
    server, sink = await lab.server(), await lab.sink()
    client, load = await lab.client(server), lab.load(server)
    crew = await lab.crew(server.url, sink, lease=LONG_LEASE)
    sink.slow_path = "/one"
    await load.publish(range(32))
    worker = await crew.start()
    await eventually(lambda: len(sink.arrivals) == SLOTS, 20, "every slot holds a request")
    # Reads begin small and double, and stop where less than a quarter of the room is free: 4, 8 and 16.
    await eventually(partial(_pending, client, 28), 5, "as much is read as there is room for")
    terminate(worker)
    await eventually(lambda: crew.records("stopping"), 10, "the worker stops")
    sink.released.set()
    assert await ended(worker, DRAIN) == 0, crew.log
    clock = asyncio.get_running_loop().time
    since = clock()
    await crew.drain()
    return await lab.verdict(server, sink, load, recovery=clock() - since, most_recovery=QUICK)


@experiment("SIGTERM with an endpoint that hangs", smoke=True)
async def hanging_endpoint(lab: Lab) -> Verdict:
    """The end does not wait for it beyond drain_timeout; what hangs stays pending, and is delivered later."""
    server, sink = await lab.server(), await lab.sink()
    client, load = await lab.client(server), lab.load(server)
    crew = await lab.crew(server.url, sink, drain_timeout=1)
    sink.slow_path = "/one"
    await load.publish(range(8))
    worker = await crew.start()
    await eventually(lambda: len(sink.arrivals) == 8, 20, "every request hangs")
    took = await stopped(crew, worker)
    assert await _pending(client, 8)
    sink.released.set()
    await crew.drain()
    return await lab.verdict(server, sink, load, most_duplicates=8, recovery=took, most_recovery=10.0)


@experiment("a second signal")
async def second_signal(lab: Lab) -> Verdict:
    server, sink = await lab.server(), await lab.sink()
    load, crew = lab.load(server), await lab.crew(server.url, sink, drain_timeout=60)
    sink.slow_path = "/one"
    await load.publish(range(8))
    worker = await crew.start()
    await eventually(lambda: len(sink.arrivals) == 8, 20, "every request hangs")
    terminate(worker)
    await eventually(lambda: crew.records("stopping"), 10, "the worker stops")
    worker.send_signal(signal.SIGINT)
    assert await ended(worker, AT_ONCE) == 128 + signal.SIGINT
    sink.released.set()
    await crew.drain()
    return await lab.verdict(server, sink, load, most_duplicates=8)


@experiment("two workers share a load")
async def sharing(lab: Lab) -> Verdict:
    server, sink = await lab.server(), await lab.sink()
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    workers = [await crew.start("--until-idle") for _ in range(2)]
    await load.publish(range(EVENTS))
    await asyncio.gather(*(ended(worker, 30) for worker in workers))
    await crew.drain()
    return await lab.verdict(server, sink, load)


async def _pending(client: Redis, count: int) -> bool:
    return bool((await client.xpending(STREAM, GROUP))["pending"] == count)
