"""README.md says nothing that another page does not: its figures, the promise, and which commands are not run."""

import re

import pytest
from msgspec import Struct

from tests.pages.links import ROOT
from tests.pages.sessions import MARK

README = (ROOT / "README.md").read_text()
RELIABILITY = (ROOT / "docs/reliability.md").read_text()
_BLOCK = re.compile(r"^(.*)\n```console$", re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w,.]*\w)")

_EXPERIMENT = (
    "experiment",
    "server",
    "runs",
    "events",
    "lost",
    "unexpected",
    "duplicated",
    "recovered",
    "by Redis",
    "s",
)
"""The columns of the table of experiments."""


class Figure(Struct, frozen=True):
    """A row of the figures: what it says, the command, and the section of a page that has both."""

    said: str
    command: str
    page: str
    anchor: str


def _figures() -> list[Figure]:
    table = README.split("\n## Figures\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| `(.+?)` \(\[more\]\((.+?)#(.+?)\)\) \|$", table, re.MULTILINE)
    return [Figure(*row) for row in rows]


FIGURES = _figures()


def _section(page: str, anchor: str) -> str:
    """The text below the heading of an anchor."""
    parts = re.split(r"^#+ (.+)$", (ROOT / page).read_text(), flags=re.MULTILINE)
    named = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"): text
             for title, text in zip(parts[1::2], parts[2::2], strict=True)}  # fmt: skip
    return named[anchor]


def test_all_rows_of_the_figures_are_compared() -> None:
    rows = README.split("\n## Figures\n")[1].split("\n## ")[0].count("\n| ")
    assert len(FIGURES) == rows - 1  # the heading


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.command)
def test_a_figure_is_that_of_the_page_it_leads_to(figure: Figure) -> None:
    section = _section(figure.page, figure.anchor)
    known = set(_NUMBER.findall(section)) | _totals(section)
    assert {number for number in _NUMBER.findall(figure.said) if number not in known} == set()
    assert figure.command in section


def _totals(section: str) -> set[str]:
    """Of the table of experiments: how many, the events of all, and the lost ones of all."""
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    if not rows or len(rows[0]) != len(_EXPERIMENT):
        return set()
    columns = _EXPERIMENT.index("events"), _EXPERIMENT.index("lost")
    events, lost = (sum(int(row[column].replace(",", "")) for row in rows) for column in columns)
    return {f"{len(rows):,}", f"{events:,}", f"{lost:,}"}


def test_the_promise_is_in_its_exact_words() -> None:
    quote = re.compile(r"^> streamhooks delivers at least once\..*?(?=^[^>])", re.MULTILINE | re.DOTALL)
    (ours,), (theirs,) = quote.findall(README), quote.findall(RELIABILITY)
    assert ours == theirs


def test_a_block_of_commands_is_run_or_says_why_not() -> None:
    above = _BLOCK.findall(README)
    unmarked = [line for line in above if line != MARK]
    assert [line for line in unmarked if not re.fullmatch(r"<!-- Not run: .{20,} -->", line)] == []
    assert len(unmarked) <= 2
    assert "```sh" not in README
    assert "\n    $ " not in README


def test_it_stays_short() -> None:
    assert len(README.splitlines()) <= 170
