"""`scripts/matrix`: the suites of flow, recovery and cool-down on every server that is supported, and the table.

Each server is one run of pytest with `--server NAME`; two run at once, for a test waits half of its time.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tests.faults.engines import engines
from tests.matrix.rows import Row, read, table
from tests.matrix.suites import PART, ROOT, targets
from tests.served import SERVERS

ENGINE = {"redis7": "redis7", "redis8": "redis8", "tls": "redis7"}
"""What a server needs that does not come with streamhooks' own packages; all others are Valkey."""
LONGEST = 1800.0
"""Seconds that one server's run may take."""
SAID = 2000
"""Characters of pytest's output that are told where it ended without a report."""
EXAMPLE = """example:
  scripts/matrix --only cluster --only sentinel --json
"""


def main(argv: Sequence[str] | None = None) -> int:
    """0: all passed and nothing was lost; 1: something failed or was lost; 2: wrong usage."""
    args = _arguments(argv)
    rows = asyncio.run(_all(args.only or list(SERVERS), args.at_once, part=args.part))
    if args.json:
        print(msgspec.json.encode(rows).decode())
    else:
        print("\n".join(table(rows)))
    return 0 if all(row.is_good for row in rows) else 1


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/matrix",
        description="Runs the suites of flow, recovery and cool-down on every supported server, and prints a table. "
        "Exit code 1: a test failed, or an event was lost.",
        epilog=EXAMPLE + "\nservers:\n" + "".join(f"  {name:<10}{what}\n" for name, what in SERVERS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", choices=list(SERVERS), metavar="NAME", help="may be given again")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--part", action="store_true", help="only the cool-downs, which scripts/test tries, too")
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help="servers under test at once (default: 2)")
    return parser.parse_args(argv)


async def _all(names: Sequence[str], at_once: int, *, part: bool) -> list[Row]:
    free = asyncio.Semaphore(max(1, at_once))

    async def one(name: str) -> Row:
        async with free:
            return await run(name, part=part)

    return await asyncio.gather(*(one(name) for name in dict.fromkeys(names)))


async def run(name: str, *, part: bool = False) -> Row:
    """One server's row."""
    engine = engines().get(ENGINE.get(name, "valkey"))
    if engine is None:
        return Row(name, missing=f"{ENGINE[name]} is not installed")
    row = Row(name, f"{engine.said.split()[0]} {engine.said.partition('v=')[2].split()[0]}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="streamhooks-matrix-") as folder:
        report = Path(folder) / "report.xml"
        code, said = await _pytest(name, report, list(PART) if part else targets(name))
        if report.exists():
            read(row, report)
        if code and not row.failures:  # it crashed, or a test was skipped for a reason that is not allowed
            row.failures.append(f"pytest ended with {code}: {said[-SAID:]}")
    row.seconds = time.monotonic() - began
    word = "good" if row.is_good else "BAD"
    print(f"{word}: {name}, {sum(one.passed for one in row.suites.values())} passed in {row.seconds:.0f} s",
          file=sys.stderr, flush=True)  # fmt: skip
    return row


async def _pytest(name: str, report: Path, chosen: Sequence[str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pytest", "-q", "--server", name, "--junitxml", str(report),
        "-o", "junit_family=xunit1", "-p", "no:cacheprovider", *chosen,
        cwd=ROOT, env=_environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONGEST):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said.decode(errors="replace")


def _environment() -> Mapping[str, str]:
    """Without what a pytest around this one has said to itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


if __name__ == "__main__":
    raise SystemExit(main())
