"""docs/reference/http.md: the OpenAPI document, for people to read."""

from collections.abc import Iterator
from typing import Any

from tests.contract.http_operations import ADMIN, CHANGING, INGEST, OPERATIONS, Door, Kinds
from tests.contract.openapi import JSON, PREFIX, document

HEAD = """# HTTP API

What a worker answers over HTTP, as [openapi.yaml](../contract/openapi.yaml) (OpenAPI 3.1) has it for programs. A
running worker is asked at random what this document allows and what it does not, and must answer as it says.

Everything that is wrong is told as `{"error": {"kind": "...", "message": "..."}}`; `kind` is a stable word, the message
is for people and names the way out. Members may be added to an answer; none is taken away. Other paths are answered
404 `no_such_path`, other methods 405 `wrong_method`.

This page is made from the code by `scripts/reference`.
"""
DOORS: dict[Door, str] = {
    "health": """
## Health

On `admin.listen`, for everybody: no token, no payload.
""",
    "api": """
## The admin API

On `admin.listen`. With `admin.token` every request carries `Authorization: Bearer TOKEN`; without one the API exists
where only this machine can reach it. A request is answered for a host that is known, see
[The console](../console.md#reaching-it). What changes something has a JSON body of at most 64 KiB and the header
`X-Streamhooks: console`, which no form of another site can send:

    curl -H "Authorization: Bearer $TOKEN" -H "X-Streamhooks: console" -H "Content-Type: application/json" \\
      -d '{"why": "maintenance", "for": "1h"}' http://127.0.0.1:8080/api/v1/handlers/security-slack/pause
""",
    "ingest": """
## The HTTP door

On `ingest.listen`, which is off by default. [The HTTP door](../ingest.md) tells how it is used, by example.
""",
}


SHARED: dict[Door, list[tuple[str, Kinds]]] = {
    "health": [],
    "api": [("Every request may be answered, too", ADMIN), ("What has a body besides", CHANGING)],
    "ingest": [("Both may be answered, too", INGEST)],
}
"""Refusals that are told once for all of a door."""
OWN = {told.name: {told.status, *told.kinds} for told in OPERATIONS}
"""The statuses that are told of each operation."""


def page() -> str:
    """The whole page."""
    told = document()
    parts = [HEAD]
    for door, head in DOORS.items():
        parts.append(head)
        parts += [f"\n{title}:\n\n{_refusals(kinds)}" for title, kinds in SHARED[door]]
        for path, item in told["paths"].items():
            for method, operation in item.items():
                if method != "servers" and operation["tags"] == [door]:
                    parts += _operation(f"{method.upper()} {path}", operation)
    parts.append("\n## Objects\n")
    for name, schema in told["components"]["schemas"].items():
        if not name.startswith("Event"):
            parts += _object(name, schema)
    return "".join(parts)


def _refusals(kinds: Kinds) -> str:
    rows = [f"| {status} | {', '.join(f'`{kind}`' for kind in words)} |\n" for status, words in kinds.items()]
    return "".join(["| status | kind |\n|---|---|\n", *rows])


def _operation(title: str, told: dict[str, Any]) -> Iterator[str]:
    yield f"\n### {title}\n\n{told['summary'].rstrip('.')}{'' if told['summary'].endswith('?') else '.'}"
    yield f" {told['description']}\n" if "description" in told else "\n"
    asked = [one for one in told.get("parameters", []) if one["in"] != "header"]
    if asked:
        rows = [f"| `{one['name']}` | {one['in']} | {_type(one['schema'])} | {one['description']} |\n" for one in asked]
        yield "".join(["\n| parameter | in | type | what |\n|---|---|---|---|\n", *rows])
    if "requestBody" in told:
        content = told["requestBody"]["content"]
        body = _type(content[JSON]["schema"]) if told["tags"] == ["api"] else ", ".join(f"`{kind}`" for kind in content)
        yield f"\nBody: {body}\n"
    yield "\n| status | answer |\n|---|---|\n"
    own = OWN[told["operationId"]]
    for status, answer in told["responses"].items():
        if int(status) not in own:
            continue
        ((kind, shown),) = answer["content"].items()
        gives = _type(shown["schema"]) if kind == JSON else f"`{kind}`"
        yield f"| {status} | {gives}. {answer['description']} |\n"


def _object(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"\n### {name}\n\n{schema['description']}\n\n| member | type | what |\n|---|---|---|\n"
    needed = schema.get("required", [])
    for member, told in schema["properties"].items():
        maybe = "" if member in needed else ", may be left out"
        yield f"| `{member}` | {_type(told)}{maybe} | {told.get('description', '')} |\n"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _link(schema["$ref"].removeprefix(PREFIX))
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join("null" if word is None else f"`{word}`" for word in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema['items'])}"
        case "object":
            inner = schema.get("additionalProperties")
            return f"map of {_type(inner)}" if isinstance(inner, dict) and inner else "object"
        case None:
            return "anything"
        case str(kind):
            return kind
        case other:
            return " or ".join(other)


def _link(name: str) -> str:
    if name.startswith("Event"):
        return "[event](../contract/event.schema.json)"
    return f"[{name}](#{name.lower()})"
