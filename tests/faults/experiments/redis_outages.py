"""Redis dies and comes back, with what it had or with nothing, or somebody empties it."""

import asyncio

from tests.faults.checker import Verdict, gone
from tests.faults.crew import Crew
from tests.faults.experiments import experiment
from tests.faults.lab import IN_FLIGHT, Lab
from tests.faults.load import STREAM
from tests.waiting import eventually

EVENTS = 1000
PER_SECOND = 200
DOWN = 2.0
"""Seconds."""
BACK = 5.0
"""Seconds until deliveries must go on once Redis is back."""
FORGOTTEN = 2.0
"""The same where it was there all the time and had lost the stream or the group."""
WORKERS = 2


@experiment("Redis killed with AOF, started again", smoke=True)
async def killed_with_aof(lab: Lab) -> Verdict:
    """A killed process loses nothing that it had answered for: it writes before it answers."""
    server, sink = await lab.server(aof=True), await lab.sink(0.02)
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    workers = [await crew.start() for _ in range(WORKERS)]
    await crew.ready(WORKERS)
    kills, longest = lab.scaled(1), 0.0
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(load.stream(range(EVENTS * kills), per_second=PER_SECOND))
        for _ in range(kills):
            await sink.goes_on()
            await asyncio.sleep(lab.rng.uniform(0.2, 1.0))
            await server.kill()
            await asyncio.sleep(DOWN)
            await server.start()
            longest = max(longest, await sink.goes_on())
    await lab.delivered(sink, load, crew, *workers)
    await crew.drain()
    return await lab.verdict(
        server, sink, load, most_duplicates=WORKERS * IN_FLIGHT * kills, recovery=longest, most_recovery=BACK,
        notes=_lines(crew, "redis_away", "redis_back"),
    )  # fmt: skip


@experiment("Redis restarted without persistence", smoke=True)
async def restarted_empty(lab: Lab) -> Verdict:
    """What it had not handed out is lost and counted; the group is made again and misses nothing that comes after."""
    server, sink = await lab.server(), await lab.sink()
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    worker = await crew.start()
    await crew.ready()
    sink.slow_path = "/one"
    await load.publish(range(EVENTS))
    await eventually(lambda: len(sink.arrivals) == 16, 20, "every slot holds a request")
    await server.kill()
    await asyncio.sleep(DOWN)
    await server.start()
    before, so_far = frozenset(load.acknowledged), sink.count
    await load.publish(range(EVENTS, EVENTS + 200))
    sink.released.set()
    recovery = await sink.goes_on(beyond=so_far)
    await lab.delivered(sink, load, crew, worker, but=before)
    await crew.drain()
    lost = await gone(await lab.client(server), load)
    assert lost == before, "the new server has an entry of the old one"
    verdict = await lab.verdict(
        server, sink, load, excused=lost, recovery=recovery, most_recovery=BACK,
        notes=_lines(crew, "redis_away", "group_made_again"),
    )  # fmt: skip
    # In memory were 32 at most: those were sent, or given up when they were found gone. The rest only Redis had.
    assert EVENTS - IN_FLIGHT <= verdict.lost_by_redis < EVENTS, verdict
    return verdict


def _emptied(what: str, *command: str, groups: int) -> None:
    @experiment(f"{what} while readers block", smoke=True)
    async def run(lab: Lab) -> Verdict:
        server, sink = await lab.server(), await lab.sink()
        load, crew = lab.load(server), await lab.crew(server.url, sink)
        workers = [await crew.start() for _ in range(WORKERS)]
        await crew.ready(WORKERS)
        rounds, longest = lab.scaled(2), 0.0
        await load.publish(range(50))
        for number in range(1, rounds + 1):
            await eventually(lambda: len(sink.delivered) == len(load.acknowledged), 20, "all before is delivered")
            so_far = sink.count
            await server.ask(*command)
            await load.publish(range(number * 50, number * 50 + 50))
            longest = max(longest, await sink.goes_on(beyond=so_far))
        lost = await gone(await lab.client(server), load)
        await lab.delivered(sink, load, crew, *workers)
        said = [record["event"] for record in crew.records() if record["level"] != "info"]
        assert said == ["group_made_again"] * groups * rounds, crew.log
        return await lab.verdict(
            server, sink, load, excused=lost, recovery=longest, most_recovery=FORGOTTEN,
            notes=f"{len(said)} lines logged in {rounds} rounds",
        )  # fmt: skip


_emptied("FLUSHALL", "FLUSHALL", groups=2)
_emptied("the stream deleted", "DEL", STREAM, groups=1)


@experiment("FLUSHALL under load")
async def flushed_under_load(lab: Lab) -> Verdict:
    server, sink = await lab.server(), await lab.sink(0.01)
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    workers = [await crew.start() for _ in range(WORKERS)]
    await crew.ready(WORKERS)
    longest = 0.0
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(load.stream(range(lab.scaled(EVENTS)), per_second=2 * PER_SECOND))
        for _ in range(lab.scaled(2)):
            await sink.goes_on()
            await asyncio.sleep(lab.rng.uniform(0.5, 1.0))
            await server.ask("FLUSHALL")
            longest = max(longest, await sink.goes_on())
    lost = await gone(await lab.client(server), load)
    await lab.delivered(sink, load, crew, *workers, but=lost)
    await crew.drain()
    return await lab.verdict(
        server, sink, load, excused=lost, recovery=longest, most_recovery=FORGOTTEN,
        notes=f"{len(lost)} entries flushed",
    )  # fmt: skip


def _lines(crew: Crew, *events: str) -> str:
    return ", ".join(f"{len(crew.records(event))} x {event}" for event in events)
