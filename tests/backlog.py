"""Memory of a worker with so many entries waiting: fills a stream, lets a worker work at it, and prints the peak.

Run by scripts/backlog. A million entries are too many for the tests' budget of time; tests/faults/test_backlog.py
runs a smaller number with the same bound.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.embedded import EmbeddedServer
from tests.faults.crew import GROUP, STREAM, Crew, configuration, publish
from tests.faults.sink import Sink

WORKING = 10.0
"""Seconds that the worker works at the backlog while it is watched."""
PART = 5000


class Watched(Struct, frozen=True):
    """What was seen of one worker."""

    peak: int
    """Resident memory in bytes, the highest that the kernel saw."""
    delivered: int
    seconds: float


def peak_memory(pid: int) -> int:
    """Peak resident memory of a process in bytes, from the kernel's own mark (VmHWM, proc(5))."""
    return _memory(pid, "VmHWM:")


def resident_memory(pid: int) -> int:
    """Resident memory of a process now, in bytes (VmRSS, proc(5))."""
    return _memory(pid, "VmRSS:")


def _memory(pid: int, mark: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(mark):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {mark} of process {pid}")


async def watch(redis: Redis, redis_url: str, folder: Path, entries: int, seconds: float) -> Watched:
    """Fills the stream, runs a worker for a while, and tells what it took."""
    async with Sink() as sink, Crew(folder, configuration(redis_url, sink, folder, in_flight=512)) as crew:
        for first in range(0, entries, PART):
            await publish(redis, range(first, min(first + PART, entries)))
        worker = await crew.start()
        started = time.monotonic()
        while time.monotonic() - started < seconds and await _left(redis):  # noqa: ASYNC110  another process's progress gives no event here
            await asyncio.sleep(0.1)
        assert worker.returncode is None, crew.log
        return Watched(peak_memory(worker.pid), len(sink.delivered), time.monotonic() - started)


async def _left(redis: Redis) -> bool:
    groups = await redis.xinfo_groups(STREAM)
    return not groups or any(group["name"] == GROUP.encode() and group["lag"] != 0 for group in groups)


async def _measure(counts: list[int]) -> None:
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="streamhooks-backlog-") as name:
            folder = Path(name)
            async with (
                EmbeddedServer(folder / "server", persist=False) as server,
                Redis.from_url(server.url, protocol=2) as redis,
            ):
                seen = await watch(redis, server.url, folder, count, WORKING)
        rate = seen.delivered / seen.seconds
        print(f"{count:>9} entries waiting: peak {seen.peak / 1e6:6.1f} MB, {rate:6.0f} deliveries a second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("entries", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    asyncio.run(_measure(parser.parse_args().entries))


if __name__ == "__main__":
    main()
