"""A wall clock jumps by an hour, a worker's or Redis's: leases, delays and cool-downs count by Redis and by monotonic
clocks, so that nothing is lost and little is sent twice."""

import asyncio

from tests.faults.checker import Verdict
from tests.faults.clock import Clock, can_be_moved
from tests.faults.experiments import CannotRunError, experiment
from tests.faults.lab import IN_FLIGHT, Lab

HOUR = 3600
EVENTS = 500
PER_SECOND = 200
SEEN = 1.2
"""Seconds until a process shows the new time, see clock.py."""
BACK = 5.0
WORKERS = 2


def _workers_clock(name: str, seconds: int) -> None:
    @experiment(f"a worker's clock jumps {name}", needs=("faketime",))
    async def run(lab: Lab) -> Verdict:
        """Its signatures bear the wrong time, as they must: receivers will refuse them until it is set right."""
        server, sink, clock = await lab.server(), await lab.sink(0.005), Clock(lab.folder)
        sink.any_time = True
        load, crew = lab.load(server), await lab.crew(server.url, sink)
        worker = await crew.start(prefix=clock.env)
        await crew.ready()
        async with asyncio.TaskGroup() as gateways:
            gateways.create_task(load.stream(range(EVENTS), per_second=PER_SECOND, end="retry"))
            await sink.goes_on()
            clock.set(seconds)
            await asyncio.sleep(SEEN)
            recovery = await sink.goes_on()
        await lab.delivered(sink, load, crew, worker)
        await crew.drain()
        return await lab.verdict(server, sink, load, recovery=recovery, most_recovery=BACK)


_workers_clock("an hour ahead", HOUR)
_workers_clock("an hour back", -HOUR)


def _clock_of_redis(name: str, *jumps: int, smoke: bool = False) -> None:
    @experiment(f"the clock of Redis jumps {name}", needs=("faketime",), smoke=smoke)
    async def run(lab: Lab) -> Verdict:
        """Ahead: leases seem over, and peers take over from each other. Back: a lease lasts until the clock has come
        up with it, and heartbeats set it anew."""
        if not can_be_moved(lab.engine):
            raise CannotRunError("this server does not come up under faketime")
        clock = Clock(lab.folder)
        server, sink = await lab.server(under=clock.env), await lab.sink(0.02)
        load, crew = lab.load(server), await lab.crew(server.url, sink)
        workers = [await crew.start() for _ in range(WORKERS)]
        await crew.ready(WORKERS)
        events, longest = EVENTS * len(jumps), 0.0
        async with asyncio.TaskGroup() as gateways:
            gateways.create_task(load.stream(range(events), per_second=PER_SECOND))
            for seconds in jumps:
                await sink.goes_on()
                clock.set(seconds)
                await asyncio.sleep(SEEN)
                longest = max(longest, await sink.goes_on())
        await load.publish(range(events, events + 100), end="retry")
        workers[0].kill()
        await workers[0].wait()
        await lab.delivered(sink, load, crew, workers[1])
        await crew.drain()
        return await lab.verdict(
            server, sink, load, most_duplicates=WORKERS * IN_FLIGHT * len(jumps) + IN_FLIGHT,
            recovery=longest, most_recovery=BACK,
        )  # fmt: skip


_clock_of_redis("an hour ahead", HOUR)
_clock_of_redis("an hour back", -HOUR)
_clock_of_redis("an hour ahead and back again", HOUR, 0)
