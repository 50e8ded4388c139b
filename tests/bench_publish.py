"""How many events a second one core publishes: CPU of this process, the server runs beside it.

Run by `scripts/bench publish`. Each event is packed and checked, sent, and its id read; the times are this process's.
`cli` is `streamhooks publish --ndjson`, a process of its own, whole, start-up included.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins

from streamhooks import Publisher, sync
from streamhooks.embedded import EmbeddedServer

PART = 1000


class Measured(Struct, frozen=True):
    """One way to publish."""

    way: str
    events: int
    per_second: int
    """By the clock."""
    microseconds: float
    """CPU of an event in the publishing process."""


def event(number: int) -> dict[str, Any]:
    """As Tyk's AuthFailure: some 200 bytes packed."""
    meta = {"Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": f"key-{number:012}"}
    return {"type": "AuthFailure", "meta": meta, "api_id": "payments", "org_id": "acme", "source": "edge-1"}


async def many(url: str, count: int) -> None:
    async with Publisher(url) as publisher:
        for begin in range(0, count, PART):
            await publisher.publish_many([event(number) for number in range(begin, begin + PART)])


async def each(url: str, count: int) -> None:
    """A hundred tasks that publish one event at a time."""

    async def task(begin: int) -> None:
        for number in range(begin, begin + count // 100):
            await publisher.publish(**event(number))

    async with Publisher(url) as publisher, asyncio.TaskGroup() as group:
        for number in range(100):
            group.create_task(task(number * count))


async def put(url: str, count: int) -> None:
    async with Publisher(url) as publisher:
        for number in range(count):
            await publisher.put(**event(number))


def sync_many(url: str, count: int) -> None:
    with sync.Publisher(url) as publisher:
        for begin in range(0, count, PART):
            publisher.publish_many([event(number) for number in range(begin, begin + PART)])


def sync_put(url: str, count: int) -> None:
    with sync.Publisher(url) as publisher:
        for number in range(count):
            publisher.put(**event(number))


def measured(way: str, count: int, work: Callable[[], None]) -> Measured:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    return Measured(way, count, round(count / seconds), round(spent / count * 1e6, 1))


def from_file(url: str, count: int, folder: Path) -> Measured:
    file = folder / "events.ndjson"
    file.write_text("".join(json.dumps(event(number)) + "\n" for number in range(count)))
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = [sys.executable, "-m", "streamhooks", "publish", "--ndjson", str(file), "--redis-url", url]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured("cli", count, round(count / seconds), round(spent / count * 1e6, 1))


def run(url: str, count: int, folder: Path) -> list[Measured]:
    def in_a_loop(work: Callable[[str, int], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        return lambda: asyncio.run(work(url, count))

    return [
        measured("publish_many", count, in_a_loop(many)),
        measured("publish, 100 tasks", count, in_a_loop(each)),
        measured("put", count, in_a_loop(put)),
        measured("sync publish_many", count, lambda: sync_many(url, count)),
        measured("sync put", count, lambda: sync_put(url, count)),
        from_file(url, count, folder),
    ]


async def on_a_server(count: int) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedServer(Path(folder) / "server", persist=False) as server:
            return await asyncio.to_thread(run, server.url, count, Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench publish")
    parser.add_argument("--count", type=int, default=100_000, help="events each way (default: 100,000)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = asyncio.run(on_a_server(args.count))
    if args.json:
        print(json.dumps([to_builtins(one) for one in found], indent=2))
        return
    for one in found:
        print(f"{one.way:20} {one.per_second:>8,}/s  {one.microseconds:5.1f} µs CPU an event")


if __name__ == "__main__":
    main()
