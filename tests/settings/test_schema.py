"""The JSON Schema of the configuration: as strict as a schema can be, and never stricter than what reads the files."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from streamhooks.files import load_mapping
from streamhooks.handlers.definition import OwnDefinition
from streamhooks.settings import Settings, schema
from tests.settings.test_setting_faults import CASES, HANDLER

SCHEMA = schema.of(Settings)
SCHEMA["properties"]["handlers"] = {"type": "array", "items": schema.of(OwnDefinition)}
VALIDATOR = Draft7Validator(SCHEMA)
UNSEEN = (
    "redis.tls.ca_file", "tyk.apis", "reference", "retry.attempts", "retry.first", "open_cap", "key_file", "hash tag",
    "duration such as", "must be from", "insecure_skip_verify", "must be the network", "must be a network",
    '"0/s"', '"a:70000"', "defaults.proxy", "admin.token", "ingest.token",
    "ingest.max_stream_entries", "address of admin.listen", "is no address that can be connected to",
)  # fmt: skip
"""What the messages of faults have in common that no schema sees: files, two keys that go, or do not go, together,
amounts, what a URL of Redis says after its host."""
GOOD: list[dict[str, Any]] = [
    {"redis": {"url": "rediss://u:p@h:6379/1", "password": "env://P", "tls": {"ca_file": "file:///etc/hostname"}}},
    {"redis": {"url": "env://URL"}, "admin": {"listen": "[::1]:8080", "token": "env://P"}},
    {"stream": {"key": "a{b}c", "start": 0, "retention": {"age": "1m30s"}}, "worker": {"lease": "2.5"}},
    {"stream": {"start": "$", "group": "ü"}, "worker": {"drain_timeout": 0.5}, "log": {"level": "debug"}},
    {"defaults": {"rate_limit": "10/s", "retry": {"delays": ["1s", 2]}, "allow_cidrs": ["10.0.0.0/8", "::1"]}},
    {"defaults": {"proxy": "http://u:p@proxy:3128"}, "reload": False, "dead": {"max_age": "30d"}},
    {"handlers": [HANDLER | {"header_map": {"A": "{{ .Type }}", "B": "env://P"}, "on": ["Breaker*", "*"]}]},
    {"handlers": [HANDLER | {"id": "", "sign": {"hmac": {"secrets": ["env://P"]}}, "event_timeout": "10m"}]},
]


@pytest.mark.parametrize(("data", "message"), CASES, ids=[message.partition(":")[0] for _, message in CASES])
def test_what_is_wrong_by_itself_the_schema_refuses_too(data: Any, message: str) -> None:
    if not any(word in message for word in UNSEEN):
        assert not VALIDATOR.is_valid(data)


@pytest.mark.parametrize("data", GOOD, ids=str)
def test_what_is_good_is_good_by_the_schema(data: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("hello")
    environ = {"P": "p" * 16, "URL": "redis://h"}
    without_files = {key: value for key, value in data.items() if key != "redis"}
    loaded = load_mapping({"handlers": [HANDLER], **without_files}, tmp_path, environ)
    assert len(loaded.handlers) == 1
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


def test_an_unknown_key_is_named_by_the_schema() -> None:
    (error,) = VALIDATOR.iter_errors({"handlers": [{**HANDLER, "tagret_path": "x"}]})
    assert (list(error.path), error.message) == (
        ["handlers", 0],
        "Additional properties are not allowed ('tagret_path' was unexpected)",
    )
