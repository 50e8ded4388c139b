"""The contract as files: `scripts/contract` writes docs/contract/, a test compares them with the code."""

import json
from pathlib import Path
from typing import Any

import yaml

from streamhooks.event_types import example
from streamhooks.settings import Settings
from tests.contract.schema import event_schema

FOLDER = Path(__file__).parents[2] / "docs/contract"
SCHEMA = FOLDER / "event.schema.json"
ASYNCAPI = FOLDER / "asyncapi.yaml"
FORMAT = "application/schema+json;version=draft-2020-12"
FORMS = {
    "packed": "One field `d`, JSON or MessagePack.",
    "split": "`type`, `meta` (JSON or MessagePack), and the envelope's fields.",
    "flat": "`type`, the envelope's fields, and any other fields.",
}


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0, told from where streamhooks stands: it receives."""
    stream = Settings().stream
    messages = {form: {"$ref": f"#/components/messages/{form}"} for form in FORMS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "streamhooks",
            "version": "1",
            "description": "What gateways write into the Redis stream, with XADD; see docs/publishing.md.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"redis": {"host": "127.0.0.1:6379", "protocol": "redis", "description": "The setting redis.url."}},
        "channels": {
            "events": {
                "address": stream.key,
                "description": "The setting stream.key. With stream.partitions = N it is <key>:0 to <key>:N-1, chosen "
                "by CRC-32 of type, line feed and API id, modulo N.",
                "servers": [{"$ref": "#/servers/redis"}],
                "messages": messages,
            }
        },
        "operations": {
            "receiveEvent": {
                "action": "receive",
                "channel": {"$ref": "#/channels/events"},
                "summary": "XADD <stream> * <field> <value> ...",
                "messages": [{"$ref": f"#/channels/events/messages/{form}"} for form in FORMS],
            }
        },
        "components": {"messages": {form: _message(form, says) for form, says in FORMS.items()}},
    }


def _message(form: str, says: str) -> dict[str, Any]:
    return {
        "name": form,
        "title": f"An event in the {form} form",
        "description": says,
        "payload": {"schemaFormat": FORMAT, "schema": {"$ref": f"./{SCHEMA.name}#/$defs/{form}"}},
        "examples": [{"name": "AuthFailure", "payload": example_entry(form)}],
    }


def example_entry(form: str) -> dict[str, str]:
    """The fields of an AuthFailure."""
    event = example("AuthFailure")
    meta = {name: event.meta[name] for name in ("Message", "Path", "Origin", "Key")}
    envelope = {"type": event.type, "api_id": event.api_id}
    if form == "packed":
        return {"d": json.dumps({**envelope, "meta": meta})}
    if form == "split":
        return {**envelope, "meta": json.dumps(meta)}
    return {**envelope, **{name.lower(): value for name, value in meta.items()}}


def schema_text() -> str:
    return json.dumps(event_schema(), indent=2, ensure_ascii=False) + "\n"


def asyncapi_text() -> str:
    return yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    SCHEMA.write_text(schema_text())
    ASYNCAPI.write_text(asyncapi_text())
