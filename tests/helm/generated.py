"""The chart's values.schema.json and README.md, made of values.yaml and of the structs of the configuration.

A comment above a value describes it. `@schema {...}` in it is the JSON Schema of what the default does not tell; a
block of keys without it is a closed section, and what a flow `{}` holds must be said. `scripts/chart` writes both
files, and a test compares them. Handlers and settings come from the structs by which the worker reads them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from streamhooks.handlers.definition import Definition, OwnDefinition
from streamhooks.settings import Settings, schema
from streamhooks.settings.rules import Leaf, Schema

CHART = Path(__file__).parents[2] / "helm/streamhooks"
SCHEMA, README = CHART / "values.schema.json", CHART / "README.md"
_TITLE = re.compile(r"# --- (.+?) -+")
_BY_CHART = ("redis", "templates", "admin", "reload")


class Value(Struct, frozen=True):
    """One key of values.yaml, with the keys below it where it is a section."""

    path: str
    default: Any
    text: str
    schema: Schema | None
    title: str
    """Of the part that begins with this value."""
    inner: tuple["Value", ...] = ()


def values() -> tuple[Value, ...]:
    """What values.yaml says."""
    text = (CHART / "values.yaml").read_text()
    node = yaml.compose(text, yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)
    return tuple(_inside(node, text.splitlines(), yaml.safe_load(text), ""))


def _inside(node: yaml.MappingNode, lines: list[str], defaults: dict[str, Any], above: str) -> Iterator[Value]:
    for key, child in node.value:
        name = str(key.value)
        path = f"{above}.{name}" if above else name
        comment = _comment(lines, key.start_mark.line)
        words = [line for line in comment if not line.startswith("@schema")]
        said = [line.removeprefix("@schema ") for line in comment if line.startswith("@schema")]
        own = json.loads(said[0]) if said else None
        section = isinstance(child, yaml.MappingNode) and own is None
        inner = tuple(_inside(child, lines, defaults[name], path)) if section else ()
        yield Value(path, defaults[name], " ".join(words), own, _title(lines, key.start_mark.line), inner)


def _comment(lines: list[str], at: int) -> list[str]:
    found: list[str] = []
    while at and lines[at - 1].lstrip().startswith("# "):
        at -= 1
        found.insert(0, lines[at].strip().removeprefix("# "))
    return found


def _title(lines: list[str], at: int) -> str:
    while at and lines[at - 1].startswith("# ") and not _TITLE.match(lines[at - 1]):
        at -= 1
    match = _TITLE.match(lines[at - 2]) if at > 1 and not lines[at - 1] else None
    return match[1] if match else ""


# The schema.


def by_reference(leaf: Leaf) -> Schema:
    """What may stand in a ConfigMap: of a key no PEM. That a secret is a reference, and a proxy without a password, is
    left to templates/_checks.tpl: what helm says of a pattern repeats the value."""
    if leaf.kind == "secret":
        return {"type": "string"}
    if leaf.kind == "pem":
        return {"type": "string", "not": {"pattern": "^-----BEGIN"}}
    return leaf.schema


def _settings() -> dict[str, Any]:
    made = schema.of(Settings, by_reference)
    for name in _BY_CHART:
        del made["properties"][name]
    for name in ("listen", "token"):
        del made["properties"]["ingest"]["properties"][name]
    return made


def _handler() -> dict[str, Any]:
    made = schema.of(OwnDefinition, by_reference)
    made["properties"]["true"] = made["properties"]["on"]  # what helm makes of an unquoted on:, see _config.tpl
    made["required"] = ["target_path"]
    made["anyOf"] = [{"required": ["on"]}, {"required": ["true"]}]
    return made


def _event_handlers() -> dict[str, Any]:
    meta = schema.of(Definition, by_reference)
    del meta["properties"]["sign"]  # its secrets would have to stand here: references are not followed in this form
    meta["required"] = ["target_path"]
    entry = {"handler_name": {"type": "string"}, "handler_meta": meta}
    events = {"type": "object", "additionalProperties": {"type": "array", "items": _closed(entry, *entry)}}
    return _closed({"events": events})


def _closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    made = {"type": "object", "properties": properties, "additionalProperties": False}
    return made | {"required": list(required)} if required else made


def alerts() -> list[str]:
    """The names of the alerts that the chart ships."""
    groups = yaml.safe_load((CHART / "files/alerts.yaml").read_text())["groups"]
    return [rule["alert"] for group in groups for rule in group["rules"]]


def _definitions() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    name = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
    texts = {"type": "object", "additionalProperties": text}
    filled = {"type": "string", "minLength": 1}
    override = _closed({"expr": filled, "for": filled, "labels": texts, "annotations": texts})
    return {
        "name": name,
        "named": _closed({"name": name}, "name"),
        "keyOfSecret": _closed({"name": name, "key": filled}, "name", "key"),
        "optionalKeyOfSecret": _closed({"name": text, "key": filled}),
        "secretFiles": _closed({"name": {"type": "string", "pattern": "^[a-z0-9][-a-z0-9]*$"}, "secret": name}, "name"),
        "texts": texts,
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "alert": {"type": "string", "enum": alerts()},
        "overrides": _closed(dict.fromkeys(alerts(), override)),
        "handler": _handler(),
        "eventHandlers": _event_handlers(),
        "settings": _settings(),
    }


def _of(value: Value) -> Schema:
    if value.schema is not None:
        return value.schema
    if isinstance(value.default, dict):
        return _section(value.inner)
    kinds = {bool: "boolean", str: "string", int: "integer"}
    return {"type": kinds[type(value.default)]}


def _section(inner: tuple[Value, ...]) -> dict[str, Any]:
    return _closed({value.path.rpartition(".")[2]: {**_of(value), **_described(value)} for value in inner})


def _described(value: Value) -> dict[str, str]:
    # Beside a $ref nothing counts in draft 7.
    return {"description": value.text} if value.text and "$ref" not in (value.schema or {}) else {}


def schema_text() -> str:
    """values.schema.json."""
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the chart streamhooks"}
    return json.dumps({**head, **_section(values()), "definitions": _definitions()}, indent=1) + "\n"


# The page.


def readme_text() -> str:
    """README.md: README.md.in, with the table of values."""
    return (CHART / "README.md.in").read_text().replace("{{ values }}\n", "".join(_parts(values())))


def _parts(told: tuple[Value, ...]) -> Iterator[str]:
    for value in told:
        if value.title:
            yield f"\n### {value.title}\n\n| value | default | what |\n|---|---|---|\n"
        yield from _rows(value)


def _rows(value: Value) -> Iterator[str]:
    default = "" if value.inner else f"`{json.dumps(value.default, ensure_ascii=False)}`"
    text = " ".join(word for word in (value.text, _choice(value)) if word)
    yield f"| `{value.path}` | {default} | {text} |\n".replace("|  |", "| |")
    for inner in value.inner:
        yield from _rows(inner)


def _choice(value: Value) -> str:
    words = (value.schema or {}).get("enum", [])
    return f"One of {', '.join(f'`{word}`' for word in words)}." if words else ""


if __name__ == "__main__":
    SCHEMA.write_text(schema_text())
    README.write_text(readme_text())
