"""Redis answers and takes no writes: out of memory, or its disk is gone. Nothing is read or acknowledged meanwhile."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

from redis.asyncio import Redis

from tests.faults.checker import GROUP, Verdict
from tests.faults.crew import Crew
from tests.faults.experiments import experiment
from tests.faults.lab import Lab
from tests.faults.load import STREAM, Load
from tests.faults.server import Server
from tests.faults.sink import Key, Sink
from tests.waiting import eventually

EVENTS = 350
PER_SECOND = 100
REFUSING = 2.0
"""Seconds."""
BACK = 5.0
Act = Callable[[], Awaitable[object]]


async def _refused(lab: Lab, server: Server, sink: Sink, refuse: Act, accept: Act) -> Verdict:
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    worker = await crew.start()
    await crew.ready()
    rounds, longest = lab.scaled(1), 0.0
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(load.stream(range(EVENTS * rounds), per_second=PER_SECOND))
        for number in range(1, rounds + 1):
            await sink.goes_on()
            await refuse()
            await eventually(partial(_has_said, crew, "redis_refuses_writes", number), 10, "Redis refuses writes")
            await asyncio.sleep(REFUSING)
            await _nothing_moves(load, sink, crew)
            await accept()
            # The gateways may have ended meanwhile: how soon a server finds its disk gone is its own affair.
            so_far = sink.count
            await load.publish(range(-50 * number, -50 * (number - 1)), end="retry")
            longest = max(longest, await sink.goes_on(beyond=so_far))
    sink.delay = 0.01
    await lab.delivered(sink, load, crew, worker)
    for said in ("redis_refuses_writes", "redis_takes_writes_again"):
        assert len(crew.records(said)) == rounds, crew.log
    await crew.drain()
    return await lab.verdict(server, sink, load, recovery=longest, most_recovery=BACK)


def _has_said(crew: Crew, event: str, count: int) -> bool:
    return len(crew.records(event)) >= count


async def _nothing_moves(load: Load, sink: Sink, crew: Crew) -> None:
    """Nothing is acknowledged to the gateways, nothing sent."""
    before = len(load.acknowledged), sum(sink.arrivals.values())
    await asyncio.sleep(0.5)
    assert (len(load.acknowledged), sum(sink.arrivals.values())) == before, crew.log


@experiment("Redis out of memory with noeviction", smoke=True)
async def out_of_memory(lab: Lab) -> Verdict:
    server, sink = await lab.server(), await lab.sink(0.1)
    return await _refused(
        lab, server, sink,
        lambda: server.ask("CONFIG", "SET", "maxmemory", 1), lambda: server.ask("CONFIG", "SET", "maxmemory", 0),
    )  # fmt: skip


@experiment("Redis cannot write its snapshot (MISCONF)")
async def disk_gone(lab: Lab) -> Verdict:
    """Its folder is removed from under it, which stops the superuser too; then it is given another."""
    disk, other = lab.folder / "disk", lab.folder / "other"
    for folder in (disk, other):
        folder.mkdir()
    server = await lab.server(
        dir=str(disk), save="1 1", stop_writes_on_bgsave_error="yes", enable_protected_configs="local"
    )

    async def give_another() -> None:
        await server.ask("CONFIG", "SET", "dir", str(other))
        await server.ask("BGSAVE")
        await eventually(has_saved, 10, "the snapshot is written")

    async def has_saved() -> bool:
        return bool((await server.ask("INFO", "persistence"))["rdb_last_bgsave_status"] == "ok")

    async def remove() -> None:
        shutil.rmtree(disk)

    verdict = await _refused(lab, server, await lab.sink(0.1), remove, give_another)
    shutil.rmtree(other)
    return verdict


@experiment("duplicates behind a request that was sent without a claim", smoke=True)
async def duplicates_behind_an_unclaimed(lab: Lab) -> Verdict:
    """Redis refuses the claims of what was just read: each request is sent once, its duplicates wait for its end."""
    server, sink = await lab.server(), await lab.sink(0.3)
    client, load, crew = await lab.client(server), lab.load(server), await lab.crew(server.url, sink)
    worker = await crew.start()
    await crew.ready()
    # Once it has settled something its loops are all at work, and the reader waits for what comes.
    await load.publish(range(8))
    await lab.all_delivered(sink, load)
    await eventually(partial(_all_acknowledged, client), 10, "the worker waits for entries")
    longest = 0.0
    for number in range(1, lab.scaled(2) + 1):
        seqs, so_far = [*range(number * 8, number * 8 + 8)] * 2, sink.count
        async with client.pipeline(transaction=True) as transaction:  # reading goes on where memory is full
            load.add_to(transaction, seqs)
            transaction.execute_command("CONFIG SET", "maxmemory", 1)
            load.note(seqs, await transaction.execute())
        # As a rule the reader's claim is refused. Where another loop was first, nothing is read, which is as good.
        await eventually(partial(_has_said, crew, "redis_refuses_writes", number), 10, "Redis refuses writes")
        await server.ask("CONFIG", "SET", "maxmemory", 0)
        longest = max(longest, await sink.goes_on(beyond=so_far))
        await _counted(sink.delivered, number * 8 + 8)
        await eventually(partial(_all_acknowledged, client), 10, "everything is settled")
    await lab.delivered(sink, load, crew, worker)
    await crew.drain()
    verdict = await lab.verdict(server, sink, load, recovery=longest, most_recovery=BACK)
    assert verdict.account["delivered"] == len(load.acknowledged), verdict
    assert verdict.account["suppressed"] == len(load.acknowledged) - 8, verdict
    return verdict


async def _counted(seen: Counter[Key], count: int) -> None:
    await eventually(lambda: len(seen) == count, 10, f"{count} different requests")


async def _all_acknowledged(client: Redis) -> bool:
    return bool((await client.xpending(STREAM, GROUP))["pending"] == 0)
