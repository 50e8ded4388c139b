"""Wall clocks that jump while a process runs, by libfaketime. The monotonic clock goes on, as it does where somebody
sets the time of a machine."""

import subprocess
from functools import cache
from pathlib import Path

from tests.faults.engines import Engine

PATIENCE = 3.0
"""Seconds. A server whose allocator asks for the time before libfaketime is there never comes up."""


class Clock:
    """`env` before a program puts it under this clock."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(0)

    def set(self, seconds: int) -> None:
        """The clock shows so many seconds more than it is, from a second on at the latest."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self._file)

    @property
    def env(self) -> tuple[str, ...]:
        """The prefix of a command line."""
        return (
            "env", f"LD_PRELOAD={_library()}", f"FAKETIME_TIMESTAMP_FILE={self._file}", "FAKETIME_CACHE_DURATION=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
        )  # fmt: skip


@cache
def _library() -> str:
    command = ["faketime", "-f", "+0", "printenv", "LD_PRELOAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@cache
def can_be_moved(engine: Engine) -> bool:
    """Whether this server runs under libfaketime."""
    command = ["faketime", "-f", "+1h", engine.binary, "--version"]
    try:
        return subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
