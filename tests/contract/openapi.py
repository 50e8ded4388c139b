"""docs/contract/openapi.yaml: the admin address and the HTTP door, made of their table and of the structs in the code.

Requests are closed as the code closes them. Answers are open, for members may be added to them; each that is told is
always there, but for those that the code may leave out.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias, get_args, get_type_hints

import msgspec
import yaml
from msgspec import UNSET, Struct
from msgspec.structs import fields

from tests.contract.document import FOLDER
from tests.contract.http_answers import DoorError, Error
from tests.contract.http_operations import ADMIN, CHANGING, CONFIRMS, INGEST, LISTEN, OPERATIONS, Kinds, Operation
from tests.contract.schema import event_schema
from tests.reference.described import members, text_of

FILE = FOLDER / "openapi.yaml"
Schema: TypeAlias = dict[str, Any]
JSON = "application/json"
PREFIX = "#/components/schemas/"
BEARER = "token"
ABOUT = """\
What a worker answers over HTTP. Its admin address (`admin.listen`) has health and metrics for everybody, and the API
for whoever has the token of `admin.token`; without a token the API exists on a loopback address only. The HTTP door
(`ingest.listen`) is off by default and takes events from gateways that cannot speak Redis.

Other paths are answered 404, kind `no_such_path`, other methods 405, kind `wrong_method`, in the form of Error."""


def document() -> Schema:
    """OpenAPI 3.1."""
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        item = paths.setdefault(operation.path, {"servers": [_server(operation)]})
        item[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "streamhooks",
            "version": "1",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"http://{LISTEN['api']}", "description": "The setting admin.listen."}],
        "tags": [
            {"name": "health", "description": "For probes and Prometheus; without a token."},
            {"name": "api", "description": "For the console and for programs."},
            {"name": "ingest", "description": "For gateways."},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {BEARER: {"type": "http", "scheme": "bearer"}},
            "schemas": dict(sorted({**_components(), **_events()}.items())),
        },
    }


def _server(operation: Operation) -> Schema:
    setting = "ingest.listen" if operation.door == "ingest" else "admin.listen"
    return {"url": f"http://{LISTEN[operation.door]}", "description": f"The setting {setting}."}


def _operation(told: Operation) -> Schema:
    made: Schema = {"operationId": told.name, "tags": [told.door], "summary": told.summary}
    if told.text:
        made["description"] = told.text
    if told.door != "health":
        made["security"] = [{BEARER: []}, {}]
    if parameters := list(_parameters(told)):
        made["parameters"] = parameters
    if body := _body(told):
        made["requestBody"] = body
    made["responses"] = {str(told.status): _answer(told)} | dict(_refusals(told))
    return made


def _parameters(told: Operation) -> Iterator[Schema]:
    for asked in told.asked:
        made = {"name": asked.name, "in": asked.place, "required": asked.place == "path", "description": asked.what}
        made["schema"] = asked.schema
        if asked.example:
            made["example"] = int(asked.example) if asked.schema["type"] == "integer" else asked.example
        yield made
    if told.door == "api" and told.body:
        said = "No page of another site can send it."
        value = {"type": "string", "const": CONFIRMS["const"]}
        yield {"name": CONFIRMS["name"], "in": "header", "required": True, "description": said, "schema": value}


def _body(told: Operation) -> Schema:
    if told.door == "ingest":
        return {"required": True, "content": _event_bodies(records=told.name == "publishRecords")}
    if told.body is None:
        return {}
    return {"required": bool(_needed(told.body)), "content": {JSON: {"schema": _ref(told.body.__name__)}}}


def _needed(kind: type[Struct]) -> list[str]:
    return [field.encode_name for field in fields(kind) if field.required]


def _event_bodies(*, records: bool) -> Schema:
    """By the media types of ingest/kinds.py; a test holds that all of them are here."""
    one: Schema = {"type": "object"} if records else _ref("Event")
    many = {"anyOf": [one, {"type": "array", "items": one}]}
    lines = {"schema": {"type": "string", "description": "One event a line, as JSON."}}
    packed = {"schema": {"description": "A MessagePack map of an event, or an array of them."}}
    cloud: Schema = {"type": "object"} if records else _ref("EventCloudEvent")
    flat = _ref("EventFlat")
    return {
        JSON: {"schema": many},
        "application/x-ndjson": lines,
        "application/ndjson": lines,
        "application/msgpack": packed,
        "application/vnd.msgpack": packed,
        "application/x-msgpack": packed,
        "application/x-www-form-urlencoded": {"schema": flat},
        "application/cloudevents+json": {"schema": cloud},
        "application/cloudevents-batch+json": {"schema": {"type": "array", "items": cloud}},
    }


def _answer(told: Operation) -> Schema:
    if isinstance(told.gives, str):
        return {"description": told.says, "content": {told.gives: {"schema": {"type": "string"}}}}
    return {"description": told.says, "content": {JSON: {"schema": _ref(told.gives.__name__)}}}


def kinds_of(told: Operation) -> Kinds:
    """The refusals of an operation by status, those of its door included."""
    shared = {"health": [], "api": [ADMIN, CHANGING] if told.body else [ADMIN], "ingest": [INGEST]}[told.door]
    found: dict[int, tuple[str, ...]] = {}
    for kinds in (*shared, told.kinds):
        for status, words in kinds.items():
            found[status] = (*found.get(status, ()), *words)
    return dict(sorted(found.items()))


def _refusals(told: Operation) -> Iterator[tuple[str, Schema]]:
    for status, words in kinds_of(told).items():
        if told.door == "health":
            yield (
                str(status),
                {"description": "Not now, and why.", "content": {"text/plain": {"schema": {"type": "string"}}}},
            )
            continue
        listed = ", ".join(f"`{word}`" for word in words) or "that of the event or template"
        error = "DoorError" if told.door == "ingest" else "Error"
        made: Schema = {"description": f"Kind {listed}.", "content": {JSON: {"schema": _ref(error)}}}
        if told.door == "ingest" and status in (429, 503):
            made["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
        if status == 401:
            made["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
        yield str(status), made


# Schemas.


def _ref(name: str) -> Schema:
    return {"$ref": PREFIX + name}


def _components() -> Schema:
    given = [told.gives for told in OPERATIONS if isinstance(told.gives, type)]
    taken = [told.body for told in OPERATIONS if told.body]
    roots = list(dict.fromkeys([*given, Error, DoorError, *taken]))
    _, made = msgspec.json.schema_components(roots, ref_template=PREFIX + "{name}")
    kinds = {kind.__name__: kind for root in roots for kind in structs_of(root)}
    assert set(made) == set(kinds)
    for name, schema in made.items():
        _describe(schema, kinds[name], closed=kinds[name] in taken)
    return made


def _describe(schema: Schema, kind: type[Struct], *, closed: bool) -> None:
    told = members(kind)
    schema.pop("title", None)
    schema["description"] = text_of(kind)
    for name, member in schema["properties"].items():
        if name in told:
            member["description"] = told[name]
    if not closed:
        schema["required"] = [field.encode_name for field in fields(kind) if field.default is not UNSET]
        for name in schema["required"]:
            schema["properties"][name].pop("default", None)
    elif not schema["required"]:
        del schema["required"]
    schema.setdefault("additionalProperties", True)


def structs_of(kind: Any) -> Iterator[type[Struct]]:
    """A struct, and those that it holds."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        yield kind
        for hint in get_type_hints(kind).values():
            yield from structs_of(hint)
    for inner in get_args(kind):
        yield from structs_of(inner)


def _events() -> Schema:
    """The parts of event.schema.json that are about what the door takes, under names of their own."""
    schema = event_schema()
    parts = {"Event": {name: schema[name] for name in ("description", "type", "if", "then", "else")}}
    waiting = [parts["Event"], schema["$defs"]["flat"]]
    parts["EventFlat"] = schema["$defs"]["flat"]
    while waiting:
        for name in _references(waiting.pop()):
            if _event_name(name) not in parts:
                parts[_event_name(name)] = schema["$defs"][name]
                waiting.append(schema["$defs"][name])
    renamed: Schema = _renamed(parts)
    return renamed


def _event_name(name: str) -> str:
    return f"Event{name[0].upper()}{name[1:]}"


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix("#/$defs/")
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        made = {name: _renamed(member) for name, member in value.items()}
        if isinstance(made.get("$ref"), str):
            made["$ref"] = PREFIX + _event_name(made["$ref"].removeprefix("#/$defs/"))
        return made
    return [_renamed(member) for member in value] if isinstance(value, list) else value


class _Plain(yaml.SafeDumper):
    """Without anchors: what stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def text() -> str:
    """The file."""
    return yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    FILE.write_text(text())
