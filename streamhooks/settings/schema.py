"""What a section of the configuration may be, as JSON Schema (draft 7): for the Helm chart's values.

It is made of the structs and of the rule beside each field, not by msgspec.json.schema: a setting's type is what the
program uses (a float), and people write `"1m30s"`. An unknown key is refused, a null is no value, as reading.py has it.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct

from streamhooks.settings.reading import Rule, rules_of
from streamhooks.settings.rules import Leaf, Many, Schema, Table

REFERENCE = r"env://[A-Za-z_][A-Za-z0-9_]*|file:///.+"
OfLeaf: TypeAlias = Callable[[Leaf], Schema]


def written(leaf: Leaf) -> Schema:
    """Whatever a file may say: the value, or a reference where one is followed."""
    if leaf.kind in ("secret", "pem", "header"):
        return {"anyOf": [leaf.schema, {"type": "string", "pattern": f"^(?:{REFERENCE})$"}]}
    return leaf.schema


def of(rule: Rule, of_leaf: OfLeaf = written) -> dict[str, Any]:
    """The schema of a struct, or of one setting. `of_leaf` may be narrower than `written`."""
    if isinstance(rule, type):
        return _section(rule, of_leaf)
    if isinstance(rule, Many):
        return {"type": "array", "items": dict(of_leaf(rule.item))}
    if isinstance(rule, Table):
        return {"type": "object", "additionalProperties": dict(of_leaf(rule.item))}
    return dict(of_leaf(rule))


def _section(kind: type[Struct], of_leaf: OfLeaf) -> dict[str, Any]:
    properties = {name: of(rule, of_leaf) for name, rule in rules_of(kind).items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}
