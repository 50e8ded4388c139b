"""What is measured of a worker from outside while an experiment runs: memory, latency, and whether its loop turns."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import aiohttp

from tests.faults.load import Load
from tests.faults.sink import Key, Sink

MOST_MEMORY = 256 * 1024 * 1024
"""Bytes of resident memory that a worker may take at 64 deliveries in flight."""


class Memory:
    """Resident memory of a process, from the kernel's own marks (VmRSS and VmHWM, proc(5))."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._before = self._read("VmRSS")

    def law(self) -> str:
        """Holds the peak to its bound; in words, for the notes."""
        peak = self._read("VmHWM")
        said = f"peak {peak / 2**20:.0f} MiB, {(peak - self._before) / 2**20:.0f} more than before"
        assert peak <= MOST_MEMORY, f"{said}; at most {MOST_MEMORY / 2**20:.0f} MiB are promised"
        return said

    def _read(self, name: str) -> int:
        lines = self._status.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


class Latencies:
    """From XADD to the endpoint, by the clock that made the entry's id: the server runs on this machine."""

    def __init__(self, sink: Sink, load: Load) -> None:
        self._load = load
        self._arrived: dict[int, float] = {}
        sink.on_arrival = self._note

    def _note(self, key: Key) -> None:
        self._arrived.setdefault(key.seq, time.time())

    def p99(self, seqs: Iterable[int]) -> float:
        """Seconds that all but one in a hundred of these events took."""
        took = sorted(self._arrived[seq] - int(self._load.acknowledged[seq].partition("-")[0]) / 1000 for seq in seqs)
        return took[int(len(took) * 0.99)]


class Pulse:
    """`async with Pulse(address) as pulse:` asks the worker's /livez all the time, as probes do on a new connection;
    `pulse.longest` is what it took at the worst in seconds: how long the loop was busy, or the machine."""

    def __init__(self, address: str) -> None:
        self._url = f"{address}/livez"
        self.longest = 0.0
        self.asked = 0
        self.failed = 0
        """Probes without an answer."""
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Pulse":
        self._task = asyncio.get_running_loop().create_task(self._ask())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _ask(self) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
            while True:
                started = time.monotonic()
                try:
                    async with session.get(self._url) as response:
                        assert response.status == 200
                    self.asked += 1
                except aiohttp.ClientError:
                    self.failed += 1
                self.longest = max(self.longest, time.monotonic() - started)
                await asyncio.sleep(0.002)
