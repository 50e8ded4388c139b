"""docs/performance.md and docs/scaling.md: their commands are those that there are."""

import argparse
import re
import shlex
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import pytest

from streamhooks.bench import SCALING, SECTIONS
from streamhooks.cli import bench
from streamhooks.partitioning import stream_names, stream_of

TIMES = "\N{MULTIPLICATION SIGN}"
ROOT = Path(__file__).resolve().parents[2]
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("performance.md", "scaling.md")}
COMMANDS = {name: sorted(set(re.findall(r"(?:^    |`)(streamhooks bench[^\n`]*)", page, re.MULTILINE)))
            for name, page in PAGES.items()}  # fmt: skip


@pytest.mark.parametrize("line", [line for lines in COMMANDS.values() for line in lines])
def test_every_command_of_the_pages_is_one_that_bench_takes(line: str) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    bench.arguments(parser)
    args = parser.parse_args(shlex.split(line)[2:])
    assert bench.plan_of(args).sections


def test_the_pages_show_every_section() -> None:
    told = {page: {name for line in lines for names in re.findall(r"--only (\S+)", line) for name in names.split(",")}
            for page, lines in COMMANDS.items()}  # fmt: skip
    assert set(SECTIONS) - set(SCALING) <= told["performance.md"]
    assert set(SCALING) <= told["scaling.md"]


@pytest.mark.parametrize(
    ("page", "link"), [(name, link) for name, page in PAGES.items() for link in re.findall(r"\]\(([^)]+)\)", page)]
)
def test_what_the_pages_link_to_is_there(page: str, link: str) -> None:
    file, _, heading = link.partition("#")
    target = ROOT / "docs" / (file or page)
    assert target.exists()
    if heading:
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
        assert heading in {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table of docs/scaling.md that has this in its first line, without that and the rule below."""
    table = next(one for one in re.findall(r"(?:^\|.*\n)+", PAGES["scaling.md"], re.MULTILINE) if heading in one)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def number(cell: str) -> float:
    return float(cell.removesuffix(" µs").replace(",", ""))


def test_what_one_core_carries_follows_from_what_was_measured() -> None:
    adding = {name: number(cpu) for name, cpu, *_ in rows("adding an event")}
    delivering = {name: number(cpu) for name, cpu, *_ in rows("delivering it")}
    trimmed, expired = map(float, re.findall(r"which costs ([\d.]+) µs", PAGES["scaling.md"]))
    for name, alone, together in rows("events a second | each added by itself"):
        size, _, how = name.partition(", ")
        least = delivering[name] + trimmed + (0 if how == "no cool-down" else expired)
        (one,) = [cpu for way, cpu in adding.items() if way.startswith(f"{size}, each")]
        (many,) = [cpu for way, cpu in adding.items() if way.startswith(f"{size}, 100")]
        assert number(alone) == pytest.approx(1e6 / (one + least), rel=0.01), name
        assert number(together) == pytest.approx(1e6 / (many + least), rel=0.01), name


def test_the_figures_of_the_example_are_what_their_formulas_give() -> None:
    checked = 0
    for name, figure, formula in rows("| figure | from |"):
        first, *rest = re.split(rf" ([{TIMES}/]) ", formula)
        if rest and all(re.fullmatch(r"[\d,.]+", one) for one in (first, *rest[1::2])):
            given = number(first)
            for sign, other in zip(rest[::2], rest[1::2], strict=True):
                given = given * number(other) if sign == TIMES else given / number(other)
            assert number(re.split(r"[;,]? ", figure)[0].rstrip(";,")) == pytest.approx(given, rel=0.01), name
            checked += 1
    assert checked >= 6


def test_cells_are_not_chosen_by_what_chooses_the_partition() -> None:
    """As docs/scaling.md says: by CRC-32 a cell's events of one type and length of API id meet in one partition."""
    streams = stream_names("gateway:events", 16)

    def filled(cell_of: Callable[[bytes], int]) -> int:
        apis = [f"{number:08}" for number in range(5000) if cell_of(b"%08d" % number) % 16 == 3]
        return len({stream_of("AuthFailure", api, streams) for api in apis})

    assert filled(lambda api: int.from_bytes(sha256(api).digest())) == 16
    assert filled(crc32) == 1
