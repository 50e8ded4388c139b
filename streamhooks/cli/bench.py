"""`bench`: what a delivery costs on this machine."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from streamhooks import bench
from streamhooks.cli import bench_tables
from streamhooks.cli.opening import add_json, reach, redis_url, wrong
from streamhooks.cli.output import complain, document, printable, say
from streamhooks.secret import Secret
from streamhooks.settings import Redis, Settings
from streamhooks.store.connection import ask

EXAMPLE = "streamhooks bench --only cpu,latency --quick"
_MOST_WORKERS = 16


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--only", metavar="A,B", help=f"some of {', '.join(bench.SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="less of everything: for a look, not for figures to keep")
    parser.add_argument("--redis-url", metavar="URL", help="measure on this server, and start none")
    parser.add_argument("--workers", type=int, metavar="N", help="so many workers against one (default: 2)")
    parser.add_argument("--count", type=int, metavar="N", help="events of a long run")
    parser.add_argument("--rounds", type=int, metavar="N", help="runs whose median is a figure")
    parser.add_argument("--rates", metavar="A,B", help="events a second at which latency is measured")
    parser.add_argument("--seconds", type=float, metavar="S", help="how long each of these is held")
    parser.add_argument("--backlogs", metavar="A,B", help="events that wait while memory is measured")
    parser.add_argument("--parked", type=int, metavar="N", help="stored retries beside which a worker idles")
    parser.add_argument("--sizes", metavar="A,B", help="bytes of an event, the least first, for redis and stored")
    parser.add_argument("--stored", type=int, metavar="N", help="events whose memory in Redis is measured")
    parser.add_argument("--partitions", metavar="A,B", help="how many a worker reads")
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="FILE",
        help="measure nothing, but write where one worker spends its time: FILE.html or, for speedscope.app, FILE.json",
    )
    add_json(parser)


def run(args: Namespace) -> int:
    plan = plan_of(args)
    if plan.redis_url:
        asyncio.run(_reached(plan.redis_url))
    tell = complain if sys.stderr.isatty() else _nobody
    if args.profile:
        bench.profile(plan, args.profile, tell)
        say(f"wrote {args.profile}")
        return 0
    report = bench.run(plan, tell)
    if args.json:
        document(to_builtins(report))
    else:
        say(bench_tables.told(report))
    return 0


def _nobody(_what: str) -> None:
    """Nobody looks on."""


def plan_of(args: Namespace) -> bench.Plan:
    """What the command line asks for. Raises ConfigError."""
    given: dict[str, Any] = {
        "sections": _sections(args.only) if args.only else None,
        "redis_url": redis_url(args),
        "workers": _within("--workers", args.workers, 2, _MOST_WORKERS),
        "count": _within("--count", args.count, 9, 10_000_000),
        "rounds": _within("--rounds", args.rounds, 1, 100),
        "rates": _numbers("--rates", args.rates, 100_000),
        "seconds": _within("--seconds", args.seconds, 0.1, 3600),
        "backlogs": _numbers("--backlogs", args.backlogs, 10_000_000),
        "parked": _within("--parked", args.parked, 1, 1_000_000),
        "sizes": _numbers("--sizes", args.sizes, 200_000),
        "stored": _within("--stored", args.stored, 1, 10_000_000),
        "partitions": _numbers("--partitions", args.partitions, 1024),
    }
    plan = bench.QUICK if args.quick else bench.Plan()
    return replace(plan, **{name: value for name, value in given.items() if value})


def _sections(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in bench.SECTIONS:
            raise wrong("--only", f'"{printable(name)}" is none of {", ".join(bench.SECTIONS)}')
    return names


def _within(option: str, value: float | None, least: float, most: float) -> float | None:
    if value is not None and not least <= value <= most:
        raise wrong(option, f"is {value:g}; must be {least:g} to {most:,.0f}")
    return value


def _numbers(option: str, text: str | None, most: int) -> tuple[int, ...] | None:
    if text is None:
        return None
    words = text.replace("_", "").split(",")
    if not all(word.isdecimal() and 1 <= int(word) <= most for word in words):
        raise wrong(option, f'"{printable(text)}" must be whole numbers from 1 to {most:,}, with commas between them')
    return tuple(int(word) for word in words)


async def _reached(url: str) -> None:
    """Raises StoreError, which names the server and the way out."""
    async with reach(Settings(redis=Redis(url=Secret(url)))) as client:
        await ask(client, "PING")
