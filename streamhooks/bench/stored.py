"""What Redis holds for one event in each of its states: the slope of `used_memory` between two numbers of events.

Entries are added, read and settled by the same functions and scripts as a worker's; nobody delivers anything. What was
settled is pending no more, so that what is told of a state is that state's alone; the entry in the stream is told as
`waiting`, and stays there, whatever becomes of it, as long as `stream.retention` says.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeAlias

from streamhooks.bench.gauge import gauge
from streamhooks.bench.ground import GROUP, Field, Ground, handler
from streamhooks.bench.memory import record
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Stored
from streamhooks.errors import BenchError
from streamhooks.store.connection import ask
from streamhooks.store.journal import Note, packed
from streamhooks.store.settle import PER_CALL, Ledger, Settlement

CONSUMER: Final = "bench"
LEASE: Final = 3600.0
"""Seconds: no mark of a cool-down may go while the others are made."""
STEADY: Final = 0.15
"""Seconds without a change after which the server has made its tables as large as it wants them."""
LOOKS: Final = 40
"""Somebody else's server may never stand still."""
_Settled: TypeAlias = Literal["cool-down", "parked", "dead letter", "journal"]
State: TypeAlias = Literal["waiting", "pending"] | _Settled
PLAIN: Final[tuple[State, ...]] = ("pending", "cool-down", "journal")
"""Hold nothing of the event itself."""


async def measure(here: Ground, plan: Plan) -> tuple[Stored, ...]:
    with_event: tuple[State, ...] = ("waiting", "parked", "dead letter")
    found = [await held(here, state, size, plan.stored) for state in with_event for size in plan.sizes]
    return (*found, *[await held(here, state, plan.sizes[0], plan.stored) for state in PLAIN])


async def held(here: Ground, state: State, size: int, count: int) -> Stored:
    """From `count` in this state to twice as many. Of large events a part of them is enough."""
    count = max(1, min(count, count * 1024 // max(1, size)))
    async with here.field([handler()]) as field:
        step = await _step(field, state, size, count)
        await step(0)
        before = await _memory(here)
        await step(count)
        each = (await _memory(here) - before) / count
    return Stored(state, size if state not in PLAIN else None, count, round(each))


async def _step(field: Field, state: State, size: int, count: int) -> Callable[[int], Awaitable[None]]:
    """What brings `count` more events, from a number on, into the state."""
    if state == "waiting":
        return lambda first: field.fill(count, first=first, size=size)
    await ask(field.ground.client, "XGROUP CREATE", field.keys.stream, GROUP, "0", "MKSTREAM")
    await field.fill(2 * count, size=size)
    ledger = Ledger(
        field.ground.client, field.keys, GROUP, CONSUMER, lease=LEASE,
        most_parked=4 * count, most_dead=4 * count, most_noted=4 * count,
    )  # fmt: skip

    settled: _Settled | None = None if state == "pending" else state

    async def step(first: int) -> None:
        done = 0
        while done < count:
            ids = await _read(field, min(PER_CALL, count - done))
            if settled is not None:
                numbers = range(first + done, first + done + len(ids))
                answers = await ledger.settle([_settled(settled, *one, size) for one in zip(numbers, ids, strict=True)])
                if set(answers) != {"acked"}:
                    raise BenchError("stored", f"Redis settled events otherwise than they should have been: {answers}")
            done += len(ids)

    return step


async def _read(field: Field, count: int) -> list[str]:
    stream = field.keys.stream
    words = ("XREADGROUP", "GROUP", GROUP, CONSUMER, "COUNT", count, "STREAMS", stream, ">")
    reply = await ask(field.ground.client, *words)
    entries = reply[stream.encode()][0] if isinstance(reply, dict) else reply[0][1]
    return [id.decode() for id, _ in entries]


def _settled(state: _Settled, number: int, id: str, size: int) -> Settlement:
    owner = f"{id}|bench"
    match state:
        case "cool-down":
            print_ = f"{number:032x}"
            return Settlement("delivered", "stream", id, "bench", fingerprint=print_, owner=owner, window=LEASE)
        case "parked":
            return Settlement("retry", "stream", id, "bench", amount=LEASE, record=record(id, number, size=size))
        case "dead letter":
            return Settlement("dead", "stream", id, "bench", record=record(id, number, "exhausted", size=size))
        case "journal":
            note = Note(
                id, "delivered", "worker-0-7d9f8b6c5-x2x4z-1-0a1b2c3d", "bench", "AuthFailure", "widgets", 1,
                sent=True, status=204, ms=1, waited=3,
            )  # fmt: skip
            return Settlement("delivered", "stream", id, "bench", note=packed(note))


async def _memory(here: Ground) -> float:
    """Once it stands still: tables grow in the background."""
    now, last = (await gauge(here.client)).memory, 0.0
    for _ in range(LOOKS):
        if abs(now - last) < 4096:
            break
        await asyncio.sleep(STEADY)
        now, last = (await gauge(here.client)).memory, now
    return now
