"""Figures that tests measure: shown at the end of every run, so that nobody has to ask for them with an option.

Where several processes share the tests, each hands over what it has, and the one that reports shows all of it.
"""

from collections.abc import Iterable

import pytest

_key = pytest.StashKey[list[str]]()


class Figures:
    """`figures("3,000 events: lost 0, unexpected 0")` in a test; one line each."""

    def __init__(self, config: pytest.Config, test: str) -> None:
        self._config = config
        self._test = test

    def __call__(self, line: str) -> None:
        add(self._config, [f"{self._test}: {line}"])


def told(config: pytest.Config) -> list[str]:
    """What was measured so far."""
    return config.stash.setdefault(_key, [])


def add(config: pytest.Config, lines: Iterable[str]) -> None:
    """Puts lines that were measured here, or by another process, to those that are shown."""
    told(config).extend(lines)


def show(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Writes what was measured, if anything was."""
    lines = told(config)
    if lines:
        reporter.section("figures")
        for line in lines:
            reporter.write_line(line)
