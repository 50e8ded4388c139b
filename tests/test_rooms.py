"""The house keeps its shape: small files, short functions, rules that only decide, one place that acknowledges.

docs/internals.md lists the rules of the house, each with the test that holds it.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "streamhooks"
LONGEST_FILE = 450
LONGEST_FUNCTION = 60
RULES = (
    "model.py",
    "wire.py",
    "envelope.py",
    "partitioning.py",
    "connecting/address.py",
    "connecting/slots.py",
    "payload.py",
    "event_types.py",
    "own_events.py",
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
WITHOUT_RULES_OF_THE_LINTER = ("secret.py", "errors.py")
"""Words: they import nothing at all that could break a rule."""
MOMENTS = {"now", "utcnow", "today"}
OUTSIDE = {"open", "print", "input", "exec", "eval"}
SHUT_IN = {"template/compiler.py"}
"""Executes what it has generated itself."""
TASKS = {"create_task", "ensure_future", "TaskGroup", "Thread", "run_in_executor"}
MAKE_TASKS = {
    "flow/runners.py": "every task of a worker",
    "reload.py": "the look at the files",
    "ingest/door.py": "closes with the worker",
    "publisher/aio.py": "a buffer that is written while the caller goes on",
    "publisher/blocking.py": "the same, where there is no loop",
    "observe/traces.py": "a last sending that nobody waits for",
    "cli/lookups.py": "getaddrinfo, which cannot be told to stop",
    "dev/run.py": "sample events",
    "bench/latency.py": "events at their time, whatever becomes of those before",
    "bench/served.py": "events at their rate, while what they cost is read",
}
"""Where something is started beside its caller, and what."""
KEY_PARTS = ("retry", "parked", "dead", "totals", "position", "handed", "journal", "handlers", "cool", "done", "held",
             "told", "rate", "worker")  # fmt: skip
KEY_NAME = re.compile(rf"(?:^|\}}):(?:{'|'.join(KEY_PARTS)})\b|^webhook\.cache\.")
FILE_NAME = re.compile(r"(?<![\w/.-])((?:[a-z_0-9]+/)*[a-z_0-9]+\.(?:py|lua|md))\b")
IGNORED = re.compile(r"# (?:noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\])(?P<why>.*)")

UNWELCOME = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

FILES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")])


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
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


def _rules() -> list[Path]:
    rooms = [PACKAGE / rule for rule in (*RULES, *WITHOUT_RULES_OF_THE_LINTER)]
    return [file for room in rooms for file in (room.rglob("*.py") if room.is_dir() else (room,))]


def _nodes(paths: list[Path]) -> Iterator[tuple[str, ast.AST]]:
    """Every node of the files, with its place."""
    for path in paths:
        for node in ast.walk(_tree(path)):
            yield f"{_named(path)}:{getattr(node, 'lineno', 0)}", node


def _called(node: ast.AST) -> str:
    """The last word of what is called; empty where nothing is."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_a_file_that_a_comment_names_is_there() -> None:
    there = {
        path.name for path in ROOT.rglob("*") if path.suffix in {".py", ".lua", ".md"} and ".venv" not in path.parts
    }
    gone = [
        f"{_named(path)}:{number} {name}"
        for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.lua")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for name in FILE_NAME.findall(line)
        if name.rpartition("/")[2] not in there or ("/" in name and not any(ROOT.rglob(name)))
    ]
    assert not gone


def test_rules_wait_for_nothing() -> None:
    assert len(_rules()) > len(RULES)
    waiting = [
        place
        for place, node in _nodes(_rules())
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    ]
    assert not waiting


def test_rules_ask_no_clock_and_touch_nothing() -> None:
    """What they may not import is the linter's to say, see the next test."""
    files = [path for path in _rules() if str(path.relative_to(PACKAGE)) not in SHUT_IN]
    methods = [place for place, node in _nodes(files) if isinstance(node, ast.Call)
               and isinstance(node.func, ast.Attribute) and node.func.attr in MOMENTS]  # fmt: skip
    functions = [place for place, node in _nodes(files) if isinstance(node, ast.Call)
                 and isinstance(node.func, ast.Name) and node.func.id in OUTSIDE]  # fmt: skip
    assert not methods + functions


def test_the_linter_knows_the_same_rules() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [one for one in contracts if one["name"].startswith("rules")]
    modules = [f"streamhooks.{rule.removesuffix('.py').replace('/', '.')}" for rule in RULES]
    assert sorted(contract["source_modules"]) == sorted(modules)
    assert {"asyncio", "aiohttp", "redis", "logging", "structlog", "time", "random", "os"} <= set(
        contract["forbidden_modules"]
    )


def test_an_import_for_types_alone_is_the_front_door_s() -> None:
    """Such imports lead up where nobody sees it."""
    asking = {_named(path) for path in PACKAGE.rglob("*.py") if "TYPE_CHECKING" in path.read_text()}
    assert asking == {"streamhooks/__init__.py"}


def test_what_runs_beside_its_caller_is_started_in_a_few_places() -> None:
    starting = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(_called(node) in TASKS for node in ast.walk(_tree(path)))
    }
    assert starting == set(MAKE_TASKS)


def test_an_ignore_says_why() -> None:
    silent = [
        f"{_named(path)}:{number}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := IGNORED.search(line)) and not found["why"].strip(" #-")
    ]
    assert not silent


def test_only_the_settling_script_acknowledges() -> None:
    """`take.lua` may drop what somebody deleted while it was pending: there is nothing left to deliver."""
    sources = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.lua")]
    acknowledging = {path.name for path in sources if "'XACK'" in path.read_text() or '"XACK"' in path.read_text()}
    assert acknowledging == {"settle.lua", "take.lua"}


def test_key_names_are_made_in_one_file() -> None:
    keys = PACKAGE / "store" / "keys.py"
    assert _key_names([keys])
    assert not _key_names([path for path in PACKAGE.rglob("*.py") if path != keys])
    for path in (PACKAGE / "store" / "lua").glob("*.lua"):
        code = re.sub(r"--.*", "", path.read_text())
        assert not [text for text in re.findall(r"'([^']*)'", code) if KEY_NAME.search(text)], path.name


def _key_names(paths: list[Path]) -> list[str]:
    texts = ((place, node.value) for place, node in _nodes(paths) if isinstance(node, ast.Constant))
    return [place for place, text in texts if isinstance(text, str) and KEY_NAME.search(text)]


def test_every_script_is_called_by_one_function_and_no_other_way_changes_several_things_at_once() -> None:
    sources = {path: path.read_text() for path in PACKAGE.rglob("*.py")}
    called = sorted(name for text in sources.values() for name in re.findall(r'\bScript\("(\w+)"\)', text))
    assert called == sorted(path.stem for path in (PACKAGE / "store" / "lua").glob("*.lua"))
    transactions = {_named(path) for path, text in sources.items() if re.search(r"\bMULTI\b|transaction=True", text)}
    assert not transactions


def test_every_script_says_its_keys_and_its_answer() -> None:
    for path in (PACKAGE / "store" / "lua").glob("*.lua"):
        head = path.read_text().split("\n\n")[0]
        assert "-- KEYS" in head, path.name
        assert "-- answers" in head, path.name


TESTS = [path for path in FILES if path.name.startswith("test_")]


def _tests(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in _functions(path) if node.name.startswith("test_"))


def test_a_test_is_a_sentence() -> None:
    short = [f"{_named(path)} {test.name}" for path in TESTS for test in _tests(path) if test.name.count("_") < 3]
    assert not short


def test_a_test_waits_for_conditions_and_never_for_a_while() -> None:
    """An endpoint of a test may be slow, and a load has a pace: they are functions of their own."""
    waiting = [
        f"{_named(path)}:{call.lineno}"
        for path in TESTS
        for test in _tests(path)
        for call in _own_calls(test)
        if _called(call) == "sleep" and not (isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)
    ]
    assert not waiting


def _own_calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls of a function, without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _own_calls(child)


def test_a_test_patches_nothing_of_ours() -> None:
    patched = []
    for path in FILES:
        ours = {name.asname or name.name.partition(".")[0] for node in ast.walk(_tree(path))
                if isinstance(node, ast.ImportFrom | ast.Import) and "streamhooks" in ast.unparse(node)
                for name in node.names}  # fmt: skip
        patched += [f"{_named(path)}:{node.lineno}" for node in ast.walk(_tree(path))
                    if isinstance(node, ast.Call) and _called(node) in {"setattr", "patch", "patch_object"}
                    and _root(node) in ours]  # fmt: skip
        patched += [f"{_named(path)}:{node.lineno}" for node in ast.walk(_tree(path))
                    if isinstance(node, ast.ImportFrom) and node.module == "unittest.mock"
                    and {name.name for name in node.names} - {"create_autospec"}]  # fmt: skip
    assert not patched


def _root(call: ast.Call) -> str:
    """The first name of what a call changes; of a text its first part."""
    what: ast.AST | None = call.args[0] if call.args else None
    while isinstance(what, ast.Attribute):
        what = what.value
    if isinstance(what, ast.Constant):
        return str(what.value).partition(".")[0]
    return what.id if isinstance(what, ast.Name) else ""
