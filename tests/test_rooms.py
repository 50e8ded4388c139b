"""The house keeps its shape: small files, short functions, rules that only decide, one place that acknowledges."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "streamhooks"
LONGEST_FILE = 450
LONGEST_FUNCTION = 60
RULES = (
    "secret.py",
    "model.py",
    "wire.py",
    "envelope.py",
    "partitioning.py",
    "connecting/address.py",
    "connecting/slots.py",
    "payload.py",
    "event_types.py",
    "template",
    "handlers",
    "delivery",
    "settings",
    "ingest/bodies.py",
    "ingest/cloud_events.py",
    "ingest/forms.py",
    "ingest/kinds.py",
    "ingest/records.py",
    "ingest/refusals.py",
)
UNWELCOME = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

FILES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")])


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(_tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_a_file_has_one_subject_and_is_named_for_it(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    assert not UNWELCOME & set(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_a_function_is_one_thought(path: Path) -> None:
    long = [node.name for node in _functions(path) if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION]
    assert not long


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=_named)
def test_a_file_says_its_strategy_first(path: Path) -> None:
    tree = _tree(path)
    assert not tree.body or ast.get_docstring(tree)


def test_rules_wait_for_nothing() -> None:
    rooms = [PACKAGE / rule for rule in RULES]
    files = [file for room in rooms for file in (room.rglob("*.py") if room.is_dir() else (room,))]
    assert len(files) > len(RULES)
    waiting = [
        f"{_named(path)}:{node.lineno}"
        for path in files
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    ]
    assert not waiting


def test_only_the_settling_script_acknowledges() -> None:
    """`take.lua` may drop what somebody deleted while it was pending: there is nothing left to deliver."""
    sources = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.lua")]
    acknowledging = {path.name for path in sources if "'XACK'" in path.read_text() or '"XACK"' in path.read_text()}
    assert acknowledging == {"settle.lua", "take.lua"}


def test_every_script_says_its_keys_and_its_answer() -> None:
    for path in (PACKAGE / "store" / "lua").glob("*.lua"):
        head = path.read_text().split("\n\n")[0]
        assert "-- KEYS" in head, path.name
        assert "-- answers" in head, path.name
