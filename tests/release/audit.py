"""`scripts/audit`: what is known to be unsafe among the pinned packages, as pip-audit tells it.

Law: an answer that did not come is never taken for a good one. Where the advisory service cannot be reached, or does
not know a package, that is said in a line of its own; it fails nothing, for the packages may be as good as ever.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

ROOT = Path(__file__).parents[2]
SHIPPED = ("run", "image")
"""What is installed with streamhooks."""
LOCKS = (*SHIPPED, "build", "dev")
PATIENCE = 600.0
"""Seconds for all of it, where nobody says."""


class Audit(Struct):
    """What was heard of the packages, each `name version`."""

    sound: set[str]
    silent: set[str]
    """Of which nobody knew anything."""
    found: dict[str, list[str]]
    """What is known of the unsafe ones: the advisory, and where it is mended."""


def read(reports: Iterable[Any]) -> Audit:
    """From pip-audit's JSON, one document a lock file."""
    audit = Audit(set(), set(), {})
    for package in (package for report in reports for package in report["dependencies"]):
        name = f"{package['name']} {package.get('version', '')}".strip()
        if "skip_reason" in package:
            audit.silent.add(name)
        elif package["vulns"]:
            audit.found[name] = [_told(advisory) for advisory in package["vulns"]]
        else:
            audit.sound.add(name)
    return audit


def _told(advisory: Any) -> str:
    mended = ", ".join(advisory["fix_versions"])
    return f"{advisory['id']}, " + (f"mended in {mended}" if mended else "not mended yet")


def verdict(audit: Audit) -> tuple[int, list[str]]:
    """The exit code, and the lines that tell it."""
    lines = [f"UNSAFE: {name}: {one}" for name, known in audit.found.items() for one in known]
    if lines:
        lines.append("raise the bound in pyproject.toml if need be, then UPGRADE=1 scripts/lock")
    heard = len(audit.sound) + len(audit.found)
    if audit.silent and not heard:
        lines.append(not_audited(f"the advisory service knew none of {len(audit.silent)} packages"))
    elif audit.silent:
        lines.append(f"NOT AUDITED: {', '.join(sorted(audit.silent))}; {heard} packages were")
    elif heard and not audit.found:
        lines.append(f"{heard} packages audited, nothing is known against them")
    return (1 if audit.found else 0), lines


def not_audited(why: str) -> str:
    return f"NOT AUDITED: {why}. Nothing was found out; run scripts/audit where it can be reached."


def asked(lock: Path, seconds: float) -> Any:
    """What pip-audit says of one lock file. Raises subprocess.TimeoutExpired, and ValueError where it says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "audit.json")
        files = ("--requirement", str(lock), "--output", str(told))
        how = ("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off", "--timeout", "5")
        program = Path(sys.executable).with_name("pip-audit")
        done = subprocess.run([program, *files, *how], capture_output=True, text=True, timeout=seconds, check=False)
        if not told.exists():
            raise ValueError((done.stderr.strip().splitlines() or ["it says nothing"])[-1])
        return json.loads(told.read_text())


def main(argv: Sequence[str]) -> int:
    """0 also where nobody answered; 1 for a finding."""
    parser = argparse.ArgumentParser(prog="scripts/audit", epilog="example: scripts/audit --shipped --seconds 20")
    parser.add_argument("--shipped", action="store_true", help="only what is installed with streamhooks")
    parser.add_argument("--seconds", type=float, default=PATIENCE, help="wait no longer for each file of requirements/")
    args = parser.parse_args(argv)
    reports = []
    for lock in SHIPPED if args.shipped else LOCKS:
        try:
            reports.append(asked(ROOT / f"requirements/{lock}.txt", args.seconds))
        except subprocess.TimeoutExpired:
            print(not_audited(f"requirements/{lock}.txt: no answer within {args.seconds:g} s"))
            break  # the next would wait as long
        except ValueError as error:
            print(not_audited(f"requirements/{lock}.txt: {textwrap.shorten(str(error), 120)}"))
    code, lines = verdict(read(reports))
    for line in lines:
        print(line)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
