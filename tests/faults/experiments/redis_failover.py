"""A replica takes the primary's place. What was acknowledged and not replicated is Redis's loss, told apart exactly;
what was settled and not replicated is delivered once more."""

import asyncio

from msgspec import Struct

from tests.faults.checker import Verdict, gone
from tests.faults.crew import Crew
from tests.faults.experiments import experiment
from tests.faults.lab import IN_FLIGHT, Lab
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.faults.sink import Sink

EVENTS = 800
PER_SECOND = 200
CUT_OFF = 0.7
"""Seconds for which nothing reaches the replica any more before it is promoted."""
DEMOTED = 1.5
"""Seconds for which clients still talk to the old primary once it is a replica."""
BACK = 5.0


class Pair(Struct, frozen=True):
    """A primary and its replica, the link between them, and the address by which the clients know the primary."""

    primary: Server
    replica: Server
    link: Proxy
    front: Proxy
    sink: Sink
    load: Load
    crew: Crew


async def _pair(lab: Lab) -> Pair:
    primary, replica = await lab.server(), await lab.server()
    link, front = await lab.proxy(primary), await lab.proxy(primary)
    await replica.follow(link.port)
    sink, load = await lab.sink(0.005), lab.load(primary)
    load.url = front.url
    return Pair(primary, replica, link, front, sink, load, await lab.crew(front.url, sink))


@experiment("failover to a replica that lags", smoke=True)
async def lagging_replica(lab: Lab) -> Verdict:
    pair = await _pair(lab)
    worker = await pair.crew.start()
    await pair.crew.ready()
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(pair.load.stream(range(EVENTS), per_second=PER_SECOND))
        await pair.sink.goes_on()
        await asyncio.sleep(lab.rng.uniform(0.5, 1.0))
        pair.link.swallowing = {"down"}
        before = sum(pair.sink.delivered.values())
        await asyncio.sleep(CUT_OFF)
        await pair.replica.promote()
        pair.front.move(pair.replica.port)
        settled_in_vain = sum(pair.sink.delivered.values()) - before
        recovery = await pair.sink.goes_on()
        pair.link.heal()
        await pair.primary.follow(pair.replica.port)
    return await _verdict(lab, pair, worker, recovery, settled_in_vain)


@experiment("failover while clients still reach the old primary")
async def read_only(lab: Lab) -> Verdict:
    """The old primary is a replica already and answers READONLY; nothing is read, sent or settled there."""
    pair = await _pair(lab)
    worker = await pair.crew.start()
    await pair.crew.ready()
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(pair.load.stream(range(EVENTS), per_second=PER_SECOND))
        await pair.sink.goes_on()
        await asyncio.sleep(lab.rng.uniform(0.5, 1.0))
        await pair.replica.promote()
        await pair.primary.follow(pair.replica.port)
        await asyncio.sleep(DEMOTED)
        pair.front.move(pair.replica.port)
        recovery = await pair.sink.goes_on()
    assert len(pair.crew.records("redis_refuses_writes")) == 1, pair.crew.log
    return await _verdict(lab, pair, worker, recovery, 0)


async def _verdict(
    lab: Lab, pair: Pair, worker: asyncio.subprocess.Process, recovery: float, settled_in_vain: int
) -> Verdict:
    lost = await gone(await lab.client(pair.replica), pair.load)
    await lab.delivered(pair.sink, pair.load, pair.crew, worker, but=lost)
    await pair.crew.drain()
    verdict = await lab.verdict(
        pair.replica, pair.sink, pair.load, excused=lost, most_duplicates=settled_in_vain + IN_FLIGHT,
        recovery=recovery, most_recovery=BACK, notes=f"{len(lost)} acknowledged entries were not replicated",
    )  # fmt: skip
    assert (settled_in_vain == 0) == (not lost), "the link was cut off under load, or it was not"
    return verdict
