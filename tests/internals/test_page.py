"""docs/internals.md and docs/decisions/ say what is: what is made from the code is current, links lead somewhere, and
the tests that they name hold something.
"""

import ast
import re
from pathlib import Path

import pytest

from tests.internals.drawing import ARROWS, changes, everywhere, svg
from tests.internals.page import PAGE, PICTURE, ROOT, page

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES = [PAGE, *DECISIONS]
ROOMS = ROOT / "streamhooks"
named = pytest.mark.parametrize("written", PAGES, ids=lambda path: path.stem)


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run scripts/internals"


def test_the_picture_is_what_the_table_says() -> None:
    assert PICTURE.read_text(encoding="utf-8") == svg(), "run scripts/internals"
    assert set(changes()) == set(ARROWS), "a change has no arrow, or an arrow no change: tests/internals/drawing.py"
    assert everywhere() == ["delivered"]


def links(written: Path) -> list[str]:
    return [
        link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", written.read_text(encoding="utf-8")) if "//" not in link
    ]


@named
def test_every_link_leads_somewhere(written: Path) -> None:
    assert [link for link in links(written) if not (written.parent / link).exists()] == []


@named
def test_every_test_that_is_named_is_in_the_file_that_is_linked_beside_it(written: Path) -> None:
    for part in re.split(r"\n\n|\n(?=[|-])", written.read_text(encoding="utf-8")):
        wanted = set(re.findall(r"`(test_\w+|pytest_\w+)`", part))
        files = [written.parent / link for link in re.findall(r"\]\(([^)#]+\.py)\)", part)]
        there = {
            node.name
            for file in files
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert wanted <= there, part


@named
def test_every_path_that_is_named_is_there(written: Path) -> None:
    paths = re.findall(r"`((?:streamhooks|tests|scripts|docs|helm|templates)/[\w./-]*)`", written.read_text())
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_room_has_its_place_on_the_page() -> None:
    linked = {link for link in links(PAGE) if link.startswith("../streamhooks/")}
    rooms = {room.name for room in ROOMS.iterdir() if room.is_dir() and any(room.glob("*.py"))}
    seen = {link.removeprefix("../streamhooks/").partition("/")[0] for link in linked}
    assert not rooms - seen


def test_decisions_are_numbered_and_listed_and_say_what_was_rejected() -> None:
    pages = [path for path in DECISIONS if path.stem != "README"]
    assert [int(path.stem.partition("-")[0]) for path in pages] == list(range(1, len(pages) + 1))
    listed = re.findall(r"\]\((\d\d-[\w-]+\.md)\)", (ROOT / "docs/decisions/README.md").read_text())
    assert listed == [path.name for path in pages]
    for path in pages:
        headings = re.findall(r"^## (.*)$", path.read_text(), re.MULTILINE)
        assert headings == ["What it was about", "What was decided", "What it costs", "What was rejected"], path.name
