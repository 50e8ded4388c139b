"""What pages show of a terminal and mark as run is run: each command does, and prints, what the page says."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.pages.links import PAGES, ROOT
from tests.pages.sessions import MARK, Command, Ids, commands, files, write
from tests.ports import free_port, is_free
from tests.waiting import eventually

RUN = [page for page in (*PAGES, ROOT / "README.md") if MARK in page.read_text()]
PORT = "9000"
"""Of the receiver on the pages; the tests take one that is free."""


def test_the_quick_start_is_run() -> None:
    assert ROOT / "docs/index.md" in RUN


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
async def test_every_command_of_a_page_prints_what_the_page_says(
    page: Path, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    assert await redis.dbsize() == 0
    port = free_port()
    text = await asyncio.to_thread(page.read_text)
    text = text.replace(PORT, str(port))
    write(text, tmp_path)
    ids = Ids()
    with Terminal(tmp_path, redis_url) as terminal:
        for command in commands(text):
            line = ids.in_line(command.line)
            if command.stays:
                terminal.begin(line)
                await eventually(lambda: not is_free(port))
            else:
                printed = await asyncio.to_thread(terminal.run, line)
                assert ids.fault(command.output, printed) == "", line


class Terminal:
    """A shell in a folder, as somebody has it who has installed streamhooks and whose Redis is `url`."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        programs = folder / ".programs"
        programs.mkdir()
        # A page tells of scripts as they are called in a clone.
        (folder / "scripts").mkdir()
        (folder / "scripts/dev").write_text(f'#!/bin/sh\nexec {ROOT}/scripts/dev "$@"\n')
        (folder / "scripts/dev").chmod(0o755)
        (programs / "streamhooks").write_text(f'#!/bin/sh\nexec {sys.executable} -m streamhooks "$@"\n')
        (programs / "streamhooks").chmod(0o755)
        (programs / "python").symlink_to(sys.executable)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAMHOOKS_")}
        path = f"{programs}:{os.environ['PATH']}"
        self._environment = kept | {"PATH": path, "PYTHONPATH": str(ROOT), "STREAMHOOKS_REDIS__URL": url}
        self._background: list[subprocess.Popen[bytes]] = []
        self._printed = folder / ".printed"
        """What those in the background print."""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._background:
            process.terminate()
            process.wait()

    def begin(self, line: str) -> None:
        """Runs a command in the background, until the end."""
        with self._printed.open("ab") as printed:
            started = subprocess.Popen(
                ["bash", "-c", f"exec {line.removesuffix(' &')}"],
                cwd=self._folder,
                env=self._environment,
                stdout=printed,
            )
        self._background.append(started)

    def run(self, line: str) -> str:
        """What a command prints, and what those in the background print meanwhile. It must end well."""
        before = len(self._printed.read_bytes()) if self._printed.exists() else 0
        ran = subprocess.run(
            ["bash", "-c", line], cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        behind = self._printed.read_bytes()[before:].decode() if self._printed.exists() else ""
        return ran.stdout + behind


def test_an_output_is_compared_line_by_line_and_ids_by_what_they_name() -> None:
    ids = Ids()
    assert ids.fault("1795929092167-0\n", "1800000000000-0\n") == ""
    assert (
        ids.fault(
            "a  b\n...\nid 1795929092167-0, 1795929092582-0\n", "a b\nx\ny\nid 1800000000000-0, 1800000000000-1\n"
        )
        == ""
    )
    assert ids.in_line("explain 1795929092582-0") == "explain 1800000000000-1"
    assert "the page has" in ids.fault("id 1795929092582-0\n", "id 1800000000000-0\n")
    assert "the page has" in ids.fault("a\n", "a\nb\n")


def test_the_files_and_commands_of_a_page_are_found() -> None:
    shown = "Write `a/b.yaml`:\n\n```yaml\nx: 1\n```\n"
    page = f"{shown}\n{MARK}\n```console\n$ one &\n$ two\nout\n```\n\n```console\n$ three\n```\n"
    assert files(page) == {"a/b.yaml": "x: 1\n"}
    assert commands(page) == [Command("one &", ""), Command("two", "out\n")]
