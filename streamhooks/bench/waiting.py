"""Waiting for what workers do, and hearing at once when one of them is gone."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from streamhooks.bench.serving import Serving
from streamhooks.errors import BenchError

PATIENCE: Final = 120.0
LOOK_EVERY: Final = 0.02
"""Seconds between two looks; each costs the endpoint a line."""


async def until(holds: Callable[[], Awaitable[bool]], workers: Sequence[Serving], what: str) -> None:
    """Returns as soon as it holds. Raises BenchError where it does not within PATIENCE, or a worker is gone."""
    deadline = time.monotonic() + PATIENCE
    while not await holds():
        for worker in workers:
            worker.check()
        if time.monotonic() > deadline:
            raise BenchError("late", f"{what} did not arrive within {PATIENCE:g} s")
        await asyncio.sleep(LOOK_EVERY)
