"""CPU of an event: streamhooks beside what one would write by hand, and beside the floor, each as a ratio from one run.

Run by `scripts/bench compare`. All read the same events from the same server, render the same webhook, claim the same
cool-down and POST to the same endpoint; the floor only POSTs. They take turns, so that a drift of the machine's speed
falls on all of them; a ratio is the median of those of the rounds. What is not installed is left out, and said.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct, to_builtins

from streamhooks.bench.ground import GROUP, Field, Ground, ground, handler
from streamhooks.bench.report import Machine
from streamhooks.bench.run import machine, to_its_end
from streamhooks.bench.serving import Spent, since, spent_so_far
from streamhooks.errors import BenchError
from streamhooks.store.connection import ask
from tests.bench.server import server
from tests.template_oracle.go import go

HERE = Path(__file__).parent / "bench"
DEBIAN = Path("/usr/share/gocode")
"""Where golang-github-gomodule-redigo-dev puts its source."""
MISSING = (
    "the Go consumer is left out: it needs Go and redigo; on Debian: "
    "apt-get install golang-go golang-github-gomodule-redigo-dev"
)


class Side(Struct, frozen=True):
    """One of those that are compared; `words` gives its command for a stream and a count."""

    name: str
    words: Callable[[Field, int], Sequence[str]]
    reads: bool = True
    """From the stream; the floor does not."""


class Measured(Struct, frozen=True):
    side: str
    us_per_event: float
    events_per_second: int
    ratio: float
    """CPU of an event of streamhooks by this side's: below 1, streamhooks costs less."""


class Compared(Struct, frozen=True):
    machine: Machine
    events: int
    """Of each side's long runs, less those of its short ones, in one round."""
    rounds: int
    sides: tuple[Measured, ...]
    left_out: tuple[str, ...]


def sides(folder: Path) -> tuple[list[Side], list[str]]:
    """Those that can run here, and why others cannot."""

    def ours(field: Field, _count: int) -> Sequence[str]:
        return [sys.executable, "-m", "streamhooks", "serve", "--config", str(field.configs[0]), "--until-idle"]

    def plain(field: Field, count: int) -> Sequence[str]:
        here = field.ground
        return [
            sys.executable,
            str(HERE / "plain_consumer.py"),
            here.redis_url,
            field.keys.stream,
            GROUP,
            url(field),
            str(count),
        ]

    def bare(field: Field, count: int) -> Sequence[str]:
        return [sys.executable, str(HERE / "bare_exchange.py"), url(field), str(count)]

    def by_hand(field: Field, count: int) -> Sequence[str]:
        address = field.ground.redis_url.removeprefix("redis://")
        return [str(folder / "consumer"), address, field.keys.stream, GROUP, url(field), str(count)]

    found = [Side("streamhooks", ours), Side("python", plain), Side("floor", bare, reads=False)]
    if not built(folder):
        return found, [MISSING]
    return [*found[:1], Side("go", by_hand), *found[1:]], []


def url(field: Field) -> str:
    return f"{field.ground.endpoint.url}{field.path}0/hook"


def built(folder: Path) -> bool:
    """Builds the Go consumer into `folder`; False where something that it needs is not installed."""
    command = go()
    if command is None or not (DEBIAN / "src/github.com/gomodule/redigo").exists():
        return False
    environ = {**os.environ, "GO111MODULE": "off", "GOPATH": str(DEBIAN), "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    words = [command, "build", "-o", str(folder / "consumer"), str(HERE / "consumer.go")]
    done = subprocess.run(words, env=environ, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchError("go", f"the Go consumer does not build:\n{done.stderr}")
    return True


async def drained(here: Ground, side: Side, count: int) -> Spent:
    """One run. Raises BenchError unless every event arrived and none was left."""
    async with here.field([handler()]) as field:
        if side.reads:
            await ask(here.client, "XGROUP CREATE", field.keys.stream, GROUP, "0", "MKSTREAM")
            await field.fill(count)
        before = spent_so_far()
        async with field.process(side.words(field, count)) as process:
            await process.ended()
        spent = since(before)
        arrived = await field.arrived()
        left = (await ask(here.client, "XPENDING", field.keys.stream, GROUP))["pending"] if side.reads else 0
        if arrived != count or left:
            raise BenchError("lost", f"{side.name}: {arrived} of {count} requests arrived, {left} entries are pending")
        return spent


async def compare(rounds: int, short: int, count: int) -> Compared:
    cpu: dict[str, list[float]] = {}
    wall: dict[str, list[float]] = {}
    async with server() as redis_url, ground(redis_url) as here:
        compared, left_out = sides(here.folder)
        for number in range(rounds):
            for side in compared:
                if sys.stderr.isatty():
                    print(f"round {number + 1} of {rounds}: {side.name} ...", file=sys.stderr)
                small = await drained(here, side, short)
                large = await drained(here, side, short + count)
                cpu.setdefault(side.name, []).append((large.cpu - small.cpu) / count)
                wall.setdefault(side.name, []).append((large.wall - small.wall) / count)
        of = await machine(here)
    measured = tuple(
        Measured(
            side.name,
            us_per_event=round(statistics.median(cpu[side.name]) * 1e6, 1),
            events_per_second=round(1 / statistics.median(wall[side.name])),
            ratio=round(statistics.median(a / b for a, b in zip(cpu["streamhooks"], cpu[side.name], strict=True)), 3),
        )
        for side in compared
    )
    return Compared(of, count, rounds, measured, tuple(left_out))


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench compare", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", type=int, default=5000, help="events of a short run (default: 5,000)")
    parser.add_argument("--count", type=int, default=40_000, help="events more of a long one (default: 40,000)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    try:
        found = to_its_end(compare(args.rounds, args.short, args.count))
    except BenchError as error:
        raise SystemExit(str(error)) from None
    if args.json:
        print(json.dumps(to_builtins(found), indent=2))
        return
    for line in found.left_out:
        print(line)
    print(f"{'':12} CPU µs  A second  streamhooks by it")
    for one in found.sides:
        print(f"{one.side:12} {one.us_per_event:6.1f}  {one.events_per_second:8,}  {one.ratio:17.2f}")


if __name__ == "__main__":
    main()
