"""docs/performance.md: its commands are those that there are."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from streamhooks.cli import bench

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text()
COMMANDS = sorted(set(re.findall(r"(?:^    |`)(streamhooks bench[^\n`]*)", PAGE, re.MULTILINE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_is_one_that_bench_takes(line: str) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    bench.arguments(parser)
    args = parser.parse_args(shlex.split(line)[2:])
    assert bench.plan_of(args).sections


def test_the_page_shows_every_section() -> None:
    told = {name for line in COMMANDS for name in re.findall(r"--only (\S+)", line)}
    assert {"cpu", "latency", "memory", "startup", "workers", "handler"} <= told


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", PAGE))
def test_what_the_page_links_to_is_there(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
