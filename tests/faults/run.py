"""`scripts/faults`: every experiment, as often as there is time for, and the table of what they came to.

Each run has a seed of its own, made from the first one and the number of the run, so that a row that went wrong can be
run again: `--only NAME --seed S`.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from tests.faults.checker import Verdict
from tests.faults.engines import Engine, engines
from tests.faults.experiments import CannotRunError, Experiment, experiments
from tests.faults.lab import Lab

COLUMNS = (
    "experiment", "server", "runs", "events", "lost", "unexpected", "duplicated", "recovered", "lost by Redis",
    "recovery (s)",
)  # fmt: skip
LONGEST = 600.0
"""Seconds that one run of an experiment may take."""


class Row(Struct):
    """All runs of one experiment on one engine."""

    name: str
    engine: str
    verdicts: list[Verdict]
    failures: list[str]
    """Runs that went wrong, with the seed that shows it again."""


def main(argv: Sequence[str] | None = None) -> int:
    """0: every law held in every run; 1: one was broken; 2: wrong usage."""
    args = _arguments(argv)
    chosen = [one for one in experiments().values() if not args.only or args.only in one.name]
    if not chosen:
        print(f"no experiment has {args.only!r} in its name", file=sys.stderr)
        return 2
    found = engines()
    named = [found[name] for name in args.engine or ["valkey"] if name in found]
    rows = {(one.name, engine.name): Row(one.name, engine.name, [], []) for engine in named for one in chosen}
    until = time.monotonic() + args.hours * 3600
    number = 0
    while True:
        for engine in named:
            for one in chosen:
                if missing := lacking(one):
                    print(f"left out: {one.name}: needs {', '.join(missing)}", flush=True)
                    continue
                _run_once(one, engine, args.seed + number, args.scale, rows[one.name, engine.name])
        number += 1
        if time.monotonic() >= until:
            break
    print()
    print(table(rows.values()))
    return 1 if any(row.failures for row in rows.values()) else 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/faults", description="Runs the fault experiments, prints a table.")
    parser.add_argument("--hours", type=float, default=0.0, help="go on for so long (default: each experiment once)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next has the next number")
    parser.add_argument("--only", default="", metavar="TEXT", help="experiments with this in their names")
    parser.add_argument("--engine", action="append", choices=("valkey", "redis7", "redis8"), help="may be given again")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies events, kills and seconds")
    return parser.parse_args(argv)


def lacking(one: Experiment) -> list[str]:
    """The programs that an experiment needs and this machine has not."""
    return [program for program in one.needs if shutil.which(program) is None and program not in engines()]


def _run_once(one: Experiment, engine: Engine, seed: int, scale: float, row: Row) -> None:
    started = time.monotonic()
    try:
        verdict = asyncio.run(perform(one, engine, seed, scale))
    except CannotRunError as why:
        print(f"left out: {one.name} on {engine.name}: {why}", flush=True)
        return
    except Exception as error:  # noqa: BLE001  an experiment that cannot end is a finding, not the end of the others
        row.failures.append(f"seed {seed}: {type(error).__name__}: {str(error)[-2000:]}")
        print(f"FAILED  {one.name} on {engine.name}, seed {seed}: {error!r}", flush=True)
        return
    row.verdicts.append(verdict)
    row.failures += [f"seed {seed}: {law}" for law in verdict.broken]
    word = "BROKEN" if verdict.broken else "held"
    took = time.monotonic() - started
    said = "; ".join([*verdict.broken, verdict.notes])
    print(f"{word}  {one.name} on {engine.name}, seed {seed}, {took:.1f} s {said}", flush=True)


async def perform(one: Experiment, engine: Engine, seed: int, scale: float = 1.0, on: str = "") -> Verdict:
    """One run in a folder of its own; `on` is Lab's."""
    folder = Path(tempfile.mkdtemp(prefix="streamhooks-faults-"))
    try:
        async with asyncio.timeout(LONGEST), Lab(folder, seed, engine, scale=scale, on=on) as lab:
            return await one.run(lab)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table(rows: Iterable[Row]) -> str:
    """The table as Markdown, so that the documentation can hold it as it is."""
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
    ]
    for row in rows:
        seen = row.verdicts
        recoveries = [verdict.recovery for verdict in seen if verdict.recovery is not None]
        cells = [
            row.name, row.engine, str(len(seen)), f"{sum(v.events for v in seen):,}",
            *(f"{sum(getattr(v, name) for v in seen):,}" for name in
              ("lost", "unexpected", "duplicated", "recovered", "lost_by_redis")),
            f"{max(recoveries):.1f}" if recoveries else "-",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
        lines += [f"  BROKEN {row.name}: {failure}" for failure in row.failures]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
