"""Names of the group: two workers never bear the same, and one with entries pending is never removed."""

from functools import partial

from redis.asyncio import Redis

from tests.faults.checker import GROUP, Verdict
from tests.faults.clock import Clock, can_be_moved
from tests.faults.experiments import CannotRunError, experiment
from tests.faults.lab import IN_FLIGHT, Lab
from tests.faults.load import STREAM
from tests.waiting import eventually

EVENTS = 600
HELD = 200
"""Entries at the stale consumer: more than a worker has room for, so that it has some for as long as nothing ends."""
LONG = 2 * 3600


@experiment("two workers of one pod name")
async def one_name(lab: Lab) -> Verdict:
    """One consumer name would have each re-read what the other holds. A name ends in the process and four random bytes,
    and nothing that a person can set takes its place."""
    server, sink = await lab.server(), await lab.sink(0.005)
    client, load, crew = await lab.client(server), lab.load(server), await lab.crew(server.url, sink)
    workers = [await crew.start(POD_NAME="streamhooks-0", HOSTNAME="streamhooks-0") for _ in range(2)]
    await crew.ready(2)
    await load.stream(range(EVENTS), per_second=400)
    names = await _consumers(client)
    assert len(names) == 2, names
    assert all(name.startswith("streamhooks-0-") for name in names), names
    await lab.delivered(sink, load, crew, *workers)
    assert await _consumers(client) == {}, "who stops leaves the group"
    await crew.drain()
    return await lab.verdict(server, sink, load)


@experiment("a stale consumer with entries pending", needs=("faketime",))
async def stale(lab: Lab) -> Verdict:
    """Consumers that have been silent for an hour are removed, and with them what is pending at them would be: so only
    those that hold nothing are."""
    if not can_be_moved(lab.engine):
        raise CannotRunError("this server does not come up under faketime")
    clock = Clock(lab.folder)
    server, sink = await lab.server(under=clock.env), await lab.sink()
    client, load, crew = await lab.client(server), lab.load(server), await lab.crew(server.url, sink)
    await load.publish(range(EVENTS))
    await client.xgroup_create(STREAM, GROUP, "0")
    await client.xreadgroup(GROUP, "stale", {STREAM: ">"}, count=HELD)
    await client.xgroup_createconsumer(STREAM, GROUP, "empty")
    clock.set(LONG)
    await eventually(partial(_all_silent, client, LONG - 60), 5, "the clock has moved")
    sink.slow_path = "/one"
    worker = await crew.start()
    await crew.ready()
    await eventually(partial(_is_removed, client, "empty"), 10, "the consumer that holds nothing is removed")
    left = (await _consumers(client))["stale"]
    assert left >= HELD - IN_FLIGHT, "the stale one holds what nobody had room for"
    sink.released.set()
    await lab.delivered(sink, load, crew, worker)
    await crew.drain()
    return await lab.verdict(server, sink, load, notes=f"{left} pending at the stale consumer when others were removed")


async def _consumers(client: Redis) -> dict[str, int]:
    """How many are pending at each."""
    return {one["name"].decode(): one["pending"] for one in await client.xinfo_consumers(STREAM, GROUP)}


async def _is_removed(client: Redis, name: str) -> bool:
    return name not in await _consumers(client)


async def _all_silent(client: Redis, seconds: float) -> bool:
    consumers = await client.xinfo_consumers(STREAM, GROUP)
    return all(one["idle"] >= seconds * 1000 for one in consumers)
