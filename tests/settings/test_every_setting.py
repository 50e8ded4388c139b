"""Every setting and every key of a handler is read by somebody: one that is not would be taken and do nothing."""

import ast
from pathlib import Path

import msgspec
import pytest

from streamhooks.handlers.definition import OwnDefinition
from streamhooks.settings import Settings

PACKAGE = Path(__file__).resolve().parents[2] / "streamhooks"
SAID = {PACKAGE / "settings" / "model.py", PACKAGE / "handlers" / "definition.py"}
"""Where they are said: no reading."""


def names(struct: type[msgspec.Struct]) -> set[str]:
    """The keys of a struct and of those inside it."""
    found: set[str] = set()
    for field in msgspec.structs.fields(struct):
        found.add(field.name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found |= names(field.type)
    return found


@pytest.fixture(scope="module")
def read() -> set[str]:
    """Every attribute that is asked for, and every word that might be a key."""
    nodes = [
        node for path in PACKAGE.rglob("*.py") if path not in SAID for node in ast.walk(ast.parse(path.read_text()))
    ]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("struct", [Settings, OwnDefinition])
def test_every_key_is_read_somewhere(struct: type[msgspec.Struct], read: set[str]) -> None:
    assert len(names(struct)) > 30
    assert names(struct) - read == set()
