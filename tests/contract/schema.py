"""The JSON Schema (2020-12) of an event, made from the constants of the code that reads events.

The root is the packed form, the JSON object in the field `d`; `#/$defs/entry` is a whole entry, its fields as text.
What a schema cannot say is listed in `NOT_SAID`; test_contract.py shows that nothing else differs from wire.decode.
"""

from typing import Any, TypeAlias

from streamhooks.envelope import MAX_TIMESTAMP, MAX_TYPE
from streamhooks.event_types import NAMES, TYPES, example
from streamhooks.wire import ENVELOPE, META_NAMES, TS_NAMES, TYPE_NAMES

Schema: TypeAlias = dict[str, Any]

CONTROL = "[\\u0000-\\u001f\\u007f-\\u009f]"
"""Not `^[^...]*$`: in some engines `$` is before a line feed at the end, too."""
FIRST_SECOND, LAST_SECOND = -62135596800, 253402300799
"""The years 1 to 9999."""
SECONDS_BELOW = 1e11
NOT_SAID = (
    "an event has at most 256 KiB (worker.max_event_bytes), in JSON or MessagePack",
    "it is nested at most 64 deep",
    "numbers are finite, and have no more digits than a program converts; strings have UTF-8",
    "a ts that is the text of a number is an epoch of the years 1 to 9999, too",
    "the field d holds a JSON object or a MessagePack map, the field meta as well",
)


def event_schema() -> Schema:
    """The whole document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:streamhooks:event:1",
        "title": "An event, packed: the JSON object in the field d of a stream entry",
        "description": f"What no schema can say: {'; '.join(NOT_SAID)}.",
        "type": "object",
        "if": {"required": ["specversion"]},
        "then": _ref("cloudEvent"),
        "else": _ref("own"),
        "examples": [_example(name) for name in NAMES],
        "$defs": {
            "type": _type(),
            "meta": {
                "description": f"What happened. For Tyk's own types: {_members()}.",
                "type": "object",
            },
            "ts": _ts(),
            "own": _own(),
            "cloudEvent": _cloud_event(),
            "entry": _entry(),
            "packed": _packed(),
            "split": _split(),
            "flat": _flat(),
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _example(name: str) -> Schema:
    event = example(name)
    return {
        "type": event.type,
        "meta": event.meta,
        "ts": event.timestamp,
        "api_id": event.api_id,
        "org_id": event.org_id,
    }


def _members() -> str:
    return "; ".join(f"{kind.name}: {', '.join(member.json for member in kind.members)}" for kind in TYPES.values())


# Its members.


def _type() -> Schema:
    return {
        "description": "One of Tyk's, or any other name.",
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_TYPE,
        "not": {"pattern": CONTROL},
        "examples": [*NAMES],
    }


def _ts() -> Schema:
    text = {"type": "string", "maxLength": MAX_TIMESTAMP, "not": {"pattern": CONTROL}}
    number = {
        "type": "number",
        "anyOf": [
            {"minimum": FIRST_SECOND, "exclusiveMaximum": SECONDS_BELOW},
            {"minimum": SECONDS_BELOW, "exclusiveMaximum": (LAST_SECOND + 1) * 1000},
            {"minimum": FIRST_SECOND * 1000, "maximum": -SECONDS_BELOW},
        ],
    }
    return {
        "description": "When it happened: RFC 3339, Tyk's own format, or an epoch, in seconds below 1e11, else in "
        "milliseconds. Without it, the time in the entry's id.",
        "anyOf": [text, number],
    }


def _envelope(*, null: bool) -> Schema:
    """The members that are a plain string."""
    kind: Schema = {"type": ["string", "null"]} if null else {"type": "string"}
    return {name: kind for name in _names(ENVELOPE) if name not in {"type", "ts"}}


def _names(fields: tuple[bytes, ...]) -> list[str]:
    return [field.decode() for field in fields]


def _spelled(names: tuple[str, ...], value: Schema, *, may_lack: bool) -> Schema:
    """The first of several spellings that is there and not null must be a `value`."""
    cases = []
    for place, name in enumerate(names):
        others: Schema = {earlier: {"type": "null"} for earlier in names[:place]}
        cases.append({"properties": {**others, name: value}, "required": [name]})
    if may_lack:
        cases.append({"properties": {name: {"type": "null"} for name in names}})
    return {"anyOf": cases}


def _own() -> Schema:
    return {
        "title": "Our spelling, Tyk's {Type, Meta, TimeStamp}, or its older {EventType, EventMetaData, TimeStamp}",
        "type": "object",
        "properties": _envelope(null=True),
        "allOf": [
            _spelled(TYPE_NAMES, _ref("type"), may_lack=False),
            _spelled(META_NAMES, _ref("meta"), may_lack=True),
            _spelled(TS_NAMES, _ref("ts"), may_lack=True),
        ],
    }


def _cloud_event() -> Schema:
    return {
        "title": "A CloudEvent 1.0 in JSON",
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "type": _ref("type"),
            "data": _or_null(_ref("meta")),
            "time": _or_null(_ref("ts")),
            "data_base64": False,
            **_envelope(null=True),
        },
        "required": ["specversion", "type"],
    }


# An entry of the stream.


def _entry() -> Schema:
    return {
        "title": "An entry of the stream, each field as text",
        "type": "object",
        "additionalProperties": {"type": "string"},
        "if": {"required": ["d"]},
        "then": _ref("packed"),
        "else": {"if": {"required": ["meta"]}, "then": _ref("split"), "else": _ref("flat")},
    }


def _holding(schema: Schema) -> Schema:
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}


def _packed() -> Schema:
    return {
        "title": "Packed: the whole event in one field, the fastest",
        "type": "object",
        "properties": {"d": _holding({"$ref": "#"})},
        "required": ["d"],
    }


def _text_envelope() -> Schema:
    text = {"type": "string", "maxLength": MAX_TIMESTAMP, "not": {"pattern": CONTROL}}
    return {"type": _ref("type"), "ts": text, **_envelope(null=False)}


def _split() -> Schema:
    return {
        "title": "Split: Meta in one field, the envelope in others; further fields are ignored",
        "type": "object",
        "properties": {**_text_envelope(), "meta": _holding(_ref("meta"))},
        "required": ["type", "meta"],
    }


def _flat() -> Schema:
    return {
        "title": "Flat: the envelope, and every further field is a member of Meta, a string",
        "type": "object",
        "properties": {**_text_envelope(), "d": False, "meta": False},
        "required": ["type"],
    }
