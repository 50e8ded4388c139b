"""Redis carries a command out and its reply is lost with the connection: nobody knows that it was done."""

import hashlib
import time
from functools import partial
from importlib.resources import files

from redis.asyncio import Redis

from tests.faults.checker import KEYS, Verdict
from tests.faults.crew import ended, stopped, terminate
from tests.faults.experiments import experiment
from tests.faults.lab import Lab
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.waiting import eventually

EVENTS = 300
LEASE = 6.0
OWN = 0.9 * LEASE
"""Seconds. A sweep takes over after a lease; before that only the worker itself can have taken up what it never saw."""
BACK = 5.0


def _call_of(script: str) -> bytes:
    """What a call of this script bears: the SHA-1 of its source."""
    source = files("streamhooks.store").joinpath("lua", f"{script}.lua").read_bytes()
    return hashlib.sha1(source, usedforsecurity=False).hexdigest().encode()


async def _behind_a_proxy(lab: Lab) -> tuple[Server, Proxy]:
    server = await lab.server()
    await server.load_scripts()
    return server, await lab.proxy(server)


@experiment("lost reply to XREADGROUP", smoke=True)
async def lost_read(lab: Lab) -> Verdict:
    """The entries are pending at a worker that never saw them; it finds them in its own pending list."""
    (server, proxy), sink = await _behind_a_proxy(lab), await lab.sink(0.005)
    load, crew = lab.load(server), await lab.crew(proxy.url, sink, lease=LEASE)
    worker = await crew.start()
    await crew.ready()
    longest = 0.0
    for number in range(lab.scaled(1)):
        proxy.cut_reply_to(b"gateway:events\r\n$1\r\n>")
        lost = time.monotonic()
        await load.publish(range(number * EVENTS, (number + 1) * EVENTS))
        await proxy.lost(number + 1)
        await lab.all_delivered(sink, load)
        longest = max(longest, time.monotonic() - lost)
    await lab.delivered(sink, load, crew, worker)
    await crew.drain()
    return await lab.verdict(server, sink, load, recovery=longest, most_recovery=OWN)


def _lost(script: str, what: str, end: str = "ok", *, smoke: bool = False) -> None:
    @experiment(f"lost reply to {what}", smoke=smoke)
    async def run(lab: Lab) -> Verdict:
        (server, proxy), sink = await _behind_a_proxy(lab), await lab.sink(0.005)
        load, crew = lab.load(server), await lab.crew(proxy.url, sink, lease=LEASE)
        worker = await crew.start()
        await crew.ready()
        longest = 0.0
        for number in range(lab.scaled(3)):
            proxy.cut_reply_to(_call_of(script))
            await load.publish(range(number * 50, number * 50 + 50), end=end)
            await proxy.lost(number + 1)
            lost = time.monotonic()
            await lab.all_delivered(sink, load)
            longest = max(longest, time.monotonic() - lost)
        await lab.delivered(sink, load, crew, worker)
        await crew.drain()
        return await lab.verdict(server, sink, load, recovery=longest, most_recovery=BACK, notes=f"{proxy.cuts} lost")


_lost("settle", "settling", smoke=True)
_lost("settle", "storing retries", "retry")
_lost("claim", "claiming")
_lost("wake", "waking retries", "retry")


@experiment("lost reply to burying")
async def lost_burial(lab: Lab) -> Verdict:
    """A dead letter is written once, however often it is asked for."""
    (server, proxy), sink = await _behind_a_proxy(lab), await lab.sink()
    load, crew = lab.load(server), await lab.crew(proxy.url, sink, lease=LEASE)
    worker = await crew.start()
    await crew.ready()
    for number in range(lab.scaled(5)):
        proxy.cut_reply_to(_call_of("settle"))
        await load.publish(range(number * 20, number * 20 + 20), end="dead")
        await proxy.lost(number + 1)
    await eventually(partial(_all_accepted, await lab.client(server), load), 20, "everything has come to its end")
    await stopped(crew, worker)
    await crew.drain()
    verdict = await lab.verdict(server, sink, load)
    assert verdict.dead == verdict.account["dead"] == verdict.account["accepted"] == len(load.acknowledged), verdict
    return verdict


async def _all_accepted(client: Redis, load: Load) -> bool:
    return int(await client.hget(KEYS.totals, "accepted") or 0) == len(load.acknowledged)


@experiment("lost reply to the hand-back")
async def lost_hand_back(lab: Lab) -> Verdict:
    """A stopping worker does not learn that what it had not sent is its peers' already."""
    (server, proxy), sink = await _behind_a_proxy(lab), await lab.sink()
    load, crew = lab.load(server), await lab.crew(proxy.url, sink, lease=LEASE)
    worker = await crew.start()
    await crew.ready()
    sink.slow_path = "/one"
    await load.publish(range(32))
    await eventually(lambda: len(sink.arrivals) == 16, 20, "every slot holds a request")
    proxy.cut_reply_to(_call_of("hand_back"))
    terminate(worker)
    await proxy.lost(1)
    sink.released.set()
    assert await ended(worker, 25) == 0, crew.log
    gone = time.monotonic()
    await crew.drain()
    return await lab.verdict(server, sink, load, recovery=time.monotonic() - gone, most_recovery=LEASE + 6)
