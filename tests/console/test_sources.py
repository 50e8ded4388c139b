"""What the console's own files may hold: nothing that makes HTML or a program of a text, nothing from elsewhere."""

import re
from pathlib import Path

import pytest

from streamhooks.admin.shell import STATIC, TYPES

FILES = sorted(STATIC.iterdir())
FORBIDDEN = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "Function(", "import(",
    "localStorage", "sessionStorage", "indexedDB", "document.cookie", "EventSource",
)  # fmt: skip
LONGEST = 200
"""Lines of a script: one subject each."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_of_a_kind_that_is_served(path: Path) -> None:
    assert path.suffix in TYPES


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".js"], ids=lambda path: path.name)
def test_a_script_makes_no_html_and_keeps_nothing(path: Path) -> None:
    text = path.read_text()
    for word in FORBIDDEN:
        assert word not in text
    assert text.startswith("// "), "it says first what it is"
    assert len(text.splitlines()) <= LONGEST


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix != ".svg"], ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+", path.read_text()))
    assert {found for found in addresses if "." in found} <= {"http://www.w3.org"}, "the name of SVG alone"


def test_every_script_is_reached_from_the_page() -> None:
    scripts = {path.name for path in FILES if path.suffix == ".js"}
    reached = {"console.js"}
    while True:
        named = {name for one in reached for name in re.findall(r'from "\./(\w+\.js)"', (STATIC / one).read_text())}
        if named <= reached:
            break
        reached |= named
    assert reached == scripts
