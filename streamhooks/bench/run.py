"""Runs the sections that were asked for, one after another, on one server and one endpoint."""

import asyncio
import os
import platform
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import uvloop

from streamhooks import __version__
from streamhooks.bench import (
    cpu,
    handlers,
    latency,
    memory,
    partitioned,
    profiling,
    served,
    startup,
    stored,
    workers,
)
from streamhooks.bench.ground import Ground, ground
from streamhooks.bench.plan import SECTIONS, Plan
from streamhooks.bench.report import Machine, Report
from streamhooks.store.connection import check_version

Tell: TypeAlias = Callable[[str], None]
"""Hears what is measured next."""
T = TypeVar("T")
_MEASURES: Final[dict[str, Callable[[Ground, Plan], Awaitable[Any]]]] = {
    "cpu": cpu.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "startup": startup.measure,
    "workers": workers.measure,
    "handler": handlers.measure,
    "redis": served.measure,
    "stored": stored.measure,
    "partitions": partitioned.measure,
}


def run(plan: Plan, tell: Tell) -> Report:
    """Measures. Raises BenchError where a figure would mean nothing, StoreError where there is no server."""
    return to_its_end(_run(plan, tell))


def profile(plan: Plan, file: Path, tell: Tell) -> None:
    """Writes a profile of one worker. Raises BenchError and StoreError."""
    profiling.check(file)
    to_its_end(_profile(plan, file, tell))


def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Runs it. SIGTERM is as good as Ctrl-C: the workers, the server and the folder go with us."""

    async def heeding() -> T:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return uvloop.run(heeding())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _run(plan: Plan, tell: Tell) -> Report:
    found: dict[str, Any] = {}
    async with ground(plan.redis_url) as here:
        for name, what in SECTIONS.items():
            if name in plan.sections:
                tell(f"{name}: {what} ...")
                found[name] = await _MEASURES[name](here, plan)
        return Report(await machine(here), **found)


async def _profile(plan: Plan, file: Path, tell: Tell) -> None:
    async with ground(plan.redis_url) as here:
        tell(f"a worker delivers {plan.count:,} events under pyinstrument ...")
        await profiling.write(here, plan, file)


async def machine(here: Ground) -> Machine:
    """Where it is measured."""
    return Machine(
        streamhooks=__version__,
        python=platform.python_version(),
        server=await check_version(here.client),
        cores=os.cpu_count() or 0,
        system=f"{platform.system()} {platform.machine()}",
    )
