"""Processes of workers: started, watched from outside, ended, and what they have spent.

CPU of ended ones is what the system has added up of this process's children; nothing else of its children may end
between two looks. What a living one has spent and holds is told by Linux alone.
"""

import asyncio
import ctypes
import re
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from streamhooks.embedded import die_with_parent
from streamhooks.errors import BenchError

PATIENCE: Final = 1200.0
"""Seconds for one run."""
STOP_PATIENCE: Final = 60.0
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
LOOKS_INSIDE: Final = sys.platform == "linux"
"""Whether `peak_mib` and `cpu_seconds` can be asked."""
_SAID_LAST: Final = 5


class Serving:
    """One process. What it says goes to `log`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self.pid = process.pid

    async def ended(self) -> None:
        """Waits until it returns by itself. Raises BenchError where it fails, or does not return."""
        try:
            async with asyncio.timeout(PATIENCE):
                code = await self._process.wait()
        except TimeoutError:
            raise BenchError("worker", f"a worker did not return within {PATIENCE:g} s{self._said()}") from None
        if code:
            raise BenchError("worker", f"a worker ended with {code}{self._said()}")

    async def stop(self) -> None:
        """As an operator does. Raises BenchError where it fails."""
        self.send(signal.SIGTERM)
        await self.ended()

    def send(self, number: signal.Signals) -> None:
        self.check()
        self._process.send_signal(number)

    def check(self) -> None:
        """Raises BenchError where it is gone; to be called wherever something is waited for that it does."""
        if self._process.returncode is not None:
            raise BenchError("worker", f"a worker ended with {self._process.returncode}{self._said()}")

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    async def ready(self) -> bool:
        """It has said that Redis was reached and the group exists."""
        return '"event": "ready"' in self.said()

    def peak_mib(self) -> float:
        """The most memory that it has held. Not by getrusage(2), which counts what its parent held when it forked."""
        found = _PEAK.search(Path(f"/proc/{self.pid}/status").read_text())
        if found is None:
            raise BenchError("worker", f"the system does not tell of process {self.pid}")
        return int(found[1]) / 1024

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far, by clock_getcpuclockid(3)."""
        clock = ctypes.c_int()
        if ctypes.CDLL(None).clock_getcpuclockid(self.pid, ctypes.byref(clock)):
            raise BenchError("worker", f"the system does not tell of process {self.pid}")
        return time.clock_gettime(clock.value)

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _said(self) -> str:
        last = self.said().rstrip().split("\n")[-_SAID_LAST:]
        return "; it said last:\n" + "\n".join(last) if last != [""] else ""


@asynccontextmanager
async def serving(words: Sequence[str], environ: Mapping[str, str], log: Path) -> AsyncIterator[Serving]:
    """Runs a command; killed when left, if it is still there: by then nothing of it is of interest. On Linux it ends
    with us, however we end.
    """
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *words, env=dict(environ), stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said,
            preexec_fn=die_with_parent(),
        )  # fmt: skip
    one = Serving(process, log)
    try:
        yield one
    finally:
        await one.kill()


class Spent(Struct, frozen=True):
    """Of one run: seconds of CPU of all its workers, and by the clock."""

    cpu: float
    wall: float


def spent_so_far() -> Spent:
    """By all children that have ended."""
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(told.ru_utime + told.ru_stime, time.perf_counter())


def since(before: Spent) -> Spent:
    now = spent_so_far()
    return Spent(now.cpu - before.cpu, now.wall - before.wall)
