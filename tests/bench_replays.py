"""How fast dead letters and history are put back on their way, and what memory that takes.

Run by `scripts/bench replays`. Each command runs as a person would run it, in a process of its own against the embedded
server; its time counts whole, start-up included, its memory is the most that it held.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from msgspec import Struct, to_builtins
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.embedded import EmbeddedServer
from streamhooks.model import Event
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record

KEYS = Keys.of("gateway:events")
GROUP = "streamhooks"
PART = 100
RUN = """
import re, sys
from pathlib import Path
from streamhooks.cli import main
code = main(sys.argv[1:])
status = Path("/proc/self/status")
most = re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text()) if status.exists() else None
sys.stderr.write(most[1] if most else "0")
sys.exit(code)
"""
"""The command, and how many KiB it held at most. Not by getrusage(2), which counts what the parent held, too."""


class Measured(Struct, frozen=True):
    """One command."""

    command: str
    records: int
    seconds: float
    per_second: int
    mebibytes: float
    """The most memory that the process held; 0 where the system does not tell."""


async def fill(redis: Redis, count: int, size: int) -> None:
    """Makes `count` events of about `size` bytes that have ended, and as many dead letters of them."""
    await redis.xgroup_create(KEYS.stream, GROUP, "0", mkstream=True)
    for begin in range(1, count + 1, PART):
        pipeline = redis.pipeline(transaction=False)
        for number in range(begin, min(begin + PART, count + 1)):
            event = Event(f"{number}-0", "AuthFailure", {"Key": f"k{number}", "Message": "x" * size}, "2026-11-25")
            packed = wire.pack_event(event)
            record = Record(
                origin=event.id, handler="h", owner=f"{event.id}|h", attempt=10, fingerprint=f"{number:032x}",
                type=event.type, event=packed, why="status 503", reason="exhausted", status=503, answer=b"busy",
            )  # fmt: skip
            pipeline.xadd(KEYS.stream, {"d": packed}, id=event.id)
            pipeline.execute_command("XADD", KEYS.dead, event.id, *record.words())
        await pipeline.execute()
    await redis.xgroup_setid(KEYS.stream, GROUP, f"{count}-0")


async def measured(words: list[str], config: Path, records: int) -> Measured:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, *words, "--config", str(config), stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}: {err.decode()}")
    return Measured(" ".join(words), records, seconds, round(records / seconds), int(err) / 1024)


async def run(count: int, size: int) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedServer(Path(folder) / "server", persist=False) as server:
            config = Path(folder) / "streamhooks.json"
            handler = {"id": "h", "on": ["*"], "target_path": "http://hooks.example.com/"}
            config.write_text(json.dumps({"redis": {"url": server.url}, "handlers": [handler]}))
            async with Redis.from_url(server.url, protocol=2) as redis:
                await fill(redis, count, size)
                return [
                    await measured(["dead", "list", "--reason", "gone"], config, count),
                    await measured(["dead", "replay"], config, count),
                    await measured(["replay", "--all"], config, count),
                ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench replays")
    parser.add_argument("--count", type=int, default=10_000, help="letters and events (default: 10,000)")
    parser.add_argument("--size", type=int, default=300, help="bytes of an event (default: 300)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = asyncio.run(run(args.count, args.size))
    if args.json:
        print(json.dumps([to_builtins(one) for one in found], indent=2))
        return
    for one in found:
        print(f"{one.command:28} {one.records:,} in {one.seconds:.2f} s, {one.per_second:,}/s, {one.mebibytes:.0f} MiB")


if __name__ == "__main__":
    main()
