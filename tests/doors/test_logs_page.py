"""docs/logs.md and the code name the same records, with the same levels and fields: both ways, read from the source."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "logs.md"
LEVELS = {"debug", "info", "warning", "error", "exception"}
ROW = re.compile(r"\| `(\w+)` \| ([\w, ]+) \| (.*?) \| .* \|")
IN_EVERY = {"event", "level", "timestamp"}


class Written:
    """What the code may write under one name."""

    def __init__(self) -> None:
        self.levels: set[str] = set()
        self.fields: set[str] = set()

    def add(self, level: str, fields: set[str]) -> None:
        self.levels.add("error" if level == "exception" else level)
        self.fields |= (fields - {"exc_info"}) | (
            {"exception"} if level == "exception" or "exc_info" in fields else set()
        )


def calls() -> Iterator[tuple[ast.Module, ast.Call, set[str]]]:
    """Every call that writes a record, with the levels that it may have."""
    for path in sorted((ROOT / "streamhooks").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        chosen = _chosen_levels(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                levels = _level_of(node.func) or (
                    chosen.get(node.func.id, set()) if isinstance(node.func, ast.Name) else set()
                )
                if levels:
                    yield tree, node, levels


def _level_of(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "log":
        return {node.attr} & LEVELS
    return set()


def _chosen_levels(tree: ast.Module) -> dict[str, set[str]]:
    """Names that stand for `log.warning if ... else log.debug`."""
    return {
        node.targets[0].id: _level_of(node.value.body) | _level_of(node.value.orelse)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.IfExp)
    }


def _fields(tree: ast.Module, call: ast.Call) -> set[str]:
    """The names of a call's fields; those of `**made(...)` are the keys of the dictionaries that `made` holds."""
    names = {keyword.arg for keyword in call.keywords if keyword.arg}
    for keyword in call.keywords:
        if keyword.arg is None and isinstance(keyword.value, ast.Call) and isinstance(keyword.value.func, ast.Name):
            names |= _keys_in(tree, keyword.value.func.id)
        elif keyword.arg is None:
            assert ast.unparse(call.args[0]) == "'admin_change'", f"its fields cannot be read: {ast.unparse(call)}"
            names |= _audited()
    return names


def _keys_in(tree: ast.Module, function: str) -> set[str]:
    (found,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function]
    keys = [key for node in ast.walk(found) if isinstance(node, ast.Dict) for key in node.keys]
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def _audited() -> set[str]:
    """What the API's changes are told with, beside what the request asked for."""
    names: set[str] = set()
    for path in (ROOT / "streamhooks" / "admin").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "audit":
                assert all(keyword.arg for keyword in node.keywords), f"its fields cannot be read: {ast.unparse(node)}"
                names |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return names


@pytest.fixture(scope="module")
def written() -> dict[str, Written]:
    found: dict[str, Written] = defaultdict(Written)
    for tree, call, levels in calls():
        name = call.args[0]
        assert isinstance(name, ast.Constant), f"a record's name is a constant: {ast.unparse(call)}"
        for level in levels:
            found[str(name.value)].add(level, _fields(tree, call))
    return found


@pytest.fixture(scope="module")
def told() -> dict[str, tuple[set[str], set[str]]]:
    rows = [ROW.fullmatch(line) for line in PAGE.read_text(encoding="utf-8").splitlines()]
    table = [row for row in rows if row]
    assert len({row[1] for row in table}) == len(table), "a record has one row"
    return {row[1]: (set(row[2].split(", ")), set(re.findall(r"`(\w+)`", row[3]))) for row in table}


def test_the_page_has_every_record_that_the_code_can_write_and_no_other(
    written: dict[str, Written], told: dict[str, tuple[set[str], set[str]]]
) -> None:
    assert len(written) > 30
    assert sorted(told) == sorted(written)


def test_the_page_has_every_level_and_every_field(
    written: dict[str, Written], told: dict[str, tuple[set[str], set[str]]]
) -> None:
    wrong = {
        name: (sorted(of.levels), sorted(of.fields))
        for name, of in written.items()
        if name in told and told[name] != (of.levels, of.fields)
    }
    assert not wrong, f"docs/logs.md says otherwise of {wrong}"


def test_no_record_has_a_field_of_its_own_that_every_record_has(written: dict[str, Written]) -> None:
    assert not {name for name, of in written.items() if of.fields & IN_EVERY}
