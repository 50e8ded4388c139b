"""Figures that tests measure: shown at the end of every run, so that nobody has to ask for them with an option."""

import pytest

_key = pytest.StashKey[list[str]]()


class Figures:
    """`figures("3,000 events: lost 0, unexpected 0")` in a test; one line each."""

    def __init__(self, config: pytest.Config, test: str) -> None:
        self._lines = config.stash.setdefault(_key, [])
        self._test = test

    def __call__(self, line: str) -> None:
        self._lines.append(f"{self._test}: {line}")


def show(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Writes what was measured, if anything was."""
    lines = config.stash.get(_key, [])
    if lines:
        reporter.section("figures")
        for line in lines:
            reporter.write_line(line)
