"""docs/tracing.md says what is: its attributes, its variables and its commands."""

import ast
import re
from pathlib import Path

from streamhooks.observe.traces import ENDPOINTS, EXPORTER, PATIENCE, SPOKEN, wanted

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tracing.md").read_text(encoding="utf-8")
SOURCE = ROOT / "streamhooks" / "observe" / "otel.py"
ATTRIBUTE = re.compile(r"(?:messaging|http|url|server|error|streamhooks)\.[a-z_.]+")


def attributes() -> set[str]:
    """Those that the code can give: written out, or as a keyword of `_tell`."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    names = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ATTRIBUTE.fullmatch(node.value)
    } - {"streamhooks."}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_tell":
            names |= {f"streamhooks.{keyword.arg}" for keyword in node.keywords} | {"streamhooks.outcome"}
    return names


def test_the_page_has_every_attribute_and_no_other() -> None:
    said = {name for name in re.findall(r"`([a-z_.]+)`", PAGE) if ATTRIBUTE.fullmatch(name)}
    assert len(said) > 20
    assert said == attributes() | {"url.full"}, "url.full is named because it is left out"


def test_the_variables_that_switch_it_on_are_those_of_the_page() -> None:
    for name in (*ENDPOINTS, EXPORTER, SPOKEN):
        assert name in PAGE
    rows = re.findall(r"^\| `(OTEL_\w+?)(?:=(\w+))?` \|", PAGE, re.MULTILINE)
    assert [wanted({name: value or "http://127.0.0.1:4318"}) for name, value in rows] == [
        (name, "") for name, _ in rows
    ]
    assert f"{PATIENCE:g} s\nat most" in PAGE
