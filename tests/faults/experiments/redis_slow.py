"""Redis is there and does not answer in time: frozen, far away, or behind a thin line. The worker waits without burning
CPU, takes nothing for done that is not, and sends nothing twice."""

import asyncio
import time
from asyncio.subprocess import Process

from tests.faults.checker import Verdict
from tests.faults.crew import cpu_seconds
from tests.faults.experiments import experiment
from tests.faults.lab import Lab

FROZEN = 10.0
SLOW = 6.0
MOST_CPU = 0.1
"""Of one core, while the worker waits."""
BACK = 5.0
LEASE = 10.0
"""Seconds: a lease must outlast the time in which a heartbeat may still get through."""


@experiment("Redis frozen for 10 s")
async def frozen(lab: Lab) -> Verdict:
    """What it was asked meanwhile it carries out once it goes on, whether anybody still waits for the answer or not."""
    server, sink = await lab.server(), await lab.sink(0.1)
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    worker = await crew.start()
    await crew.ready()
    await load.publish(range(200))
    await sink.goes_on(beyond=0)
    server.freeze()
    waiting = await _cpu(worker, lab.scaled(1) * FROZEN)
    server.thaw()
    recovery = await sink.goes_on()
    sink.delay = 0.01
    await load.publish(range(200, 400), end="retry")
    await lab.delivered(sink, load, crew, worker)
    for said in ("redis_away", "redis_back"):
        assert len(crew.records(said)) == lab.scaled(1), crew.log
    await crew.drain()
    return await lab.verdict(server, sink, load, recovery=recovery, most_recovery=BACK, notes=_told(waiting))


def _far_away(name: str, events: int, *, latency: float = 0.0, bandwidth: int = 0) -> None:
    @experiment(name)
    async def run(lab: Lab) -> Verdict:
        server, sink = await lab.server(), await lab.sink()
        proxy, load = await lab.proxy(server), lab.load(server)
        crew = await lab.crew(proxy.url, sink, lease=LEASE)
        worker = await crew.start()
        await crew.ready()
        proxy.latency, proxy.bandwidth = latency, bandwidth
        await load.publish(range(events))
        waiting = await _cpu(worker, lab.scaled(1) * SLOW)
        proxy.heal()
        so_far = sink.count
        await load.publish(range(events, events + 50))
        recovery = await sink.goes_on(beyond=so_far)
        await lab.delivered(sink, load, crew, worker)
        await crew.drain()
        return await lab.verdict(server, sink, load, recovery=recovery, most_recovery=BACK, notes=_told(waiting))


_far_away("Redis half a second away", 100, latency=0.5)
_far_away("Redis behind 1 kB/s", 100, bandwidth=1000)


async def _cpu(worker: Process, seconds: float) -> float:
    """The part of a core that the worker takes meanwhile."""
    before, started = cpu_seconds(worker), time.monotonic()
    await asyncio.sleep(seconds)
    part = (cpu_seconds(worker) - before) / (time.monotonic() - started)
    assert part < MOST_CPU, f"the worker took {part:.0%} of a core while it waited"
    assert worker.returncode is None
    return part


def _told(waiting: float) -> str:
    return f"{waiting:.1%} of a core while waiting"
