"""Several workers on one stream: what an event costs with them, who delivers what, and that none needs another.

The last is tried as hard as it can be: a worker that is stopped by SIGSTOP still holds its connections and what it was
handed, and says nothing to anybody. The others must deliver all that comes after, and it what it held, once it goes on.
"""

import signal
import statistics
from contextlib import AsyncExitStack

from streamhooks.bench.cpu import Slope, micros, per_second, slope
from streamhooks.bench.ground import GROUP, Field, Ground, handler
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Stopped, Workers
from streamhooks.bench.serving import Serving
from streamhooks.bench.waiting import until
from streamhooks.store.connection import ask


async def measure(here: Ground, plan: Plan) -> Workers:
    alone: list[Slope] = []
    together: list[Slope] = []
    for _ in range(plan.rounds):  # in turns, so that a drift of the machine's speed falls on both
        alone.append(await slope(here, plan, [handler()]))
        together.append(await slope(here, plan, [handler()], plan.workers))
    return Workers(
        workers=plan.workers,
        events=plan.short + plan.count,
        us_per_event_alone=micros(one.cpu for one in alone),
        us_per_event=micros(one.cpu for one in together),
        ratio=round(statistics.median(many.cpu / one.cpu for many, one in zip(together, alone, strict=True)), 3),
        events_per_second_alone=per_second(alone),
        events_per_second=per_second(together),
        shares=together[-1].shares,
        stopped=await one_stopped(here, plan),
    )


async def one_stopped(here: Ground, plan: Plan) -> Stopped:
    """Stops the first worker after a part of the events, and lets it go on when the others have done the rest."""
    before, after = plan.short, plan.count
    async with here.field([handler()], workers=plan.workers) as field, AsyncExitStack() as rooms:
        workers = [await rooms.enter_async_context(field.worker(number)) for number in range(plan.workers)]
        for worker in workers:
            await until(worker.ready, workers, "the record that a worker is ready")
        await field.fill(before)
        workers[0].send(signal.SIGSTOP)
        delivered = await _delivered(field)
        await field.fill(after, first=before)
        await until(lambda: _only_one_holds(field), workers, "what the others can deliver")
        by_others, held = await _delivered(field) - delivered, await _held(field)
        workers[0].send(signal.SIGCONT)
        await until(lambda: field.came(before + after), workers, f"{before + after} events")
        await _ended(field, before + after, workers)
        arrived = await field.arrived()
        for worker in workers:
            await worker.stop()
        await field.lost_nothing(before + after)
    return Stopped(events=before + after, held=held, by_others=by_others, arrived=arrived)


async def _ended(field: Field, count: int, workers: list[Serving]) -> None:
    async def all_settled() -> bool:
        return await _delivered(field) >= count

    await until(all_settled, workers, f"the settling of {count} events")


async def _delivered(field: Field) -> int:
    return (await field.account())["delivered"]


async def _held(field: Field) -> int:
    """Entries that were handed out and are not acknowledged."""
    return int((await ask(field.ground.client, "XPENDING", field.keys.stream, GROUP))["pending"])


async def _only_one_holds(field: Field) -> bool:
    """Nothing is left to be handed out, and one worker at most has not done with what it was."""
    client, stream = field.ground.client, field.keys.stream
    groups = await ask(client, "XINFO GROUPS", stream)
    holding = (await ask(client, "XPENDING", stream, GROUP))["consumers"]
    return not groups[0]["lag"] and len(holding) <= 1
