"""A worker is cut off from Redis for longer than its lease, both ways or one; a peer takes over what it held."""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import Iterable
from functools import partial

from msgspec import Struct
from redis.asyncio import Redis

from tests.faults.checker import GROUP, Verdict
from tests.faults.crew import Crew
from tests.faults.experiments import experiment
from tests.faults.lab import IN_FLIGHT, Lab
from tests.faults.load import STREAM, Load
from tests.faults.proxy import Proxy, Way
from tests.faults.server import Server
from tests.faults.sink import Sink
from tests.waiting import eventually

EVENTS = 300
LEASE = 3.0
PROMISED = 6.0
"""Seconds after the lease in which a peer has taken over; the start of the peer is counted in."""
LATE = 2.0
"""Seconds for which the worker stays cut off when its lease is over."""


class Cut(Struct, frozen=True):
    """A worker that reaches Redis through a proxy."""

    lab: Lab
    server: Server
    proxy: Proxy
    sink: Sink
    load: Load
    crew: Crew
    victim: Process

    async def taken_over(self, count: int, since: float) -> Verdict:
        """A peer delivers everything in time; then the worker is back, and both are as good as new."""
        peer = await self.lab.crew(self.server.url, self.sink, lease=LEASE)
        peer_worker = await peer.start()
        await eventually(partial(self._delivered, count), 60, "the peer delivers everything")
        took = time.monotonic() - since
        await asyncio.sleep(max(0.0, LEASE + LATE - took))
        self.proxy.heal()
        await self.load.publish(range(count, count + 50))
        await self.lab.delivered(self.sink, self.load, self.crew, self.victim)
        await self.lab.delivered(self.sink, self.load, peer, peer_worker)
        await peer.drain()
        return await self.lab.verdict(
            self.server, self.sink, self.load, most_duplicates=IN_FLIGHT, recovery=took,
            most_recovery=LEASE + PROMISED,
        )  # fmt: skip

    def _delivered(self, count: int) -> bool:
        return len(self.sink.delivered) >= count


async def _worker_behind_a_proxy(lab: Lab) -> Cut:
    server, sink = await lab.server(), await lab.sink(0.05)
    proxy = await lab.proxy(server)
    crew = await lab.crew(proxy.url, sink, lease=LEASE)
    victim = await crew.start()
    await crew.ready()
    return Cut(lab, server, proxy, sink, lab.load(server), crew, victim)


def _cut_off_at_work(name: str, ways: Iterable[Way], *, smoke: bool = False) -> None:
    @experiment(f"a worker cut off from Redis at work, {name}", smoke=smoke)
    async def run(lab: Lab) -> Verdict:
        cut = await _worker_behind_a_proxy(lab)
        await cut.load.publish(range(EVENTS))
        await cut.sink.goes_on(beyond=0)
        cut.proxy.swallowing = set(ways)
        return await cut.taken_over(EVENTS, time.monotonic())


_cut_off_at_work("both ways", ("up", "down"), smoke=True)
_cut_off_at_work("nothing arrives", ("up",))
_cut_off_at_work("no answer comes back", ("down",))


@experiment("a worker that is handed entries and hears nothing")
async def deaf(lab: Lab) -> Verdict:
    """What it is handed out it never sees; it must neither keep that from its peers nor take more."""
    cut = await _worker_behind_a_proxy(lab)
    await cut.load.publish(range(50))
    await eventually(lambda: len(cut.sink.delivered) == 50, 20, "the worker waits for entries")
    async with cut.server.client() as client:
        await eventually(partial(_none_pending, client), 5, "everything is settled")
        cut.proxy.swallowing = {"down"}
        at = time.monotonic()
        seqs = range(50, 50 + EVENTS)
        async with client.pipeline(transaction=True) as transaction:  # all at once, or the first alone is handed out
            cut.load.add_to(transaction, seqs)
            cut.load.note(seqs, await transaction.execute())
        await eventually(partial(_pending, client), 5, "entries are handed out to the worker")
    return await cut.taken_over(50 + EVENTS, at)


async def _pending(client: Redis) -> int:
    return int((await client.xpending(STREAM, GROUP))["pending"])


async def _none_pending(client: Redis) -> bool:
    return await _pending(client) == 0
