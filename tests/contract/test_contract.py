"""docs/contract/: as the code says, and accepting what a worker decodes, as far as a schema can say it."""

import json
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from streamhooks.errors import WireError
from streamhooks.event_types import NAMES
from streamhooks.model import Entry
from streamhooks.wire import META_NAMES, TS_NAMES, TYPE_NAMES, decode
from tests.contract import document
from tests.contract.schema import NOT_SAID, event_schema
from tests.wire.test_hostile import FIELD_FAULTS, PACKED_FAULTS

LIMIT = 262_144
SCHEMA = event_schema()
EVENT = Draft202012Validator(SCHEMA)
ENTRY = Draft202012Validator({**SCHEMA["$defs"]["entry"], "$defs": SCHEMA["$defs"]})


def decodes(fields: dict[bytes, bytes]) -> bool:
    try:
        decode(Entry("1795428000123-0", fields), LIMIT)
    except WireError:
        return False
    return True


def packed(members: Any) -> bool:
    """Whether a worker decodes it; JSON and MessagePack must agree."""
    as_json = decodes({b"d": json.dumps(members).encode()})
    assert decodes({b"d": msgspec.msgpack.encode(members)}) == as_json
    return as_json


@pytest.mark.parametrize(
    ("file", "text"),
    [(document.SCHEMA, document.schema_text()), (document.ASYNCAPI, document.asyncapi_text())],
    ids=["schema", "asyncapi"],
)
def test_the_files_are_what_the_code_says(file: Any, text: str) -> None:
    assert file.read_text() == text, "run scripts/contract"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_example_is_accepted_and_decoded() -> None:
    assert [example["type"] for example in SCHEMA["examples"]] == list(NAMES)
    for example in SCHEMA["examples"]:
        EVENT.validate(example)
        assert packed(example)


# The same answer from both.

texts = st.text(max_size=5) | st.sampled_from(["x" * 128, "x" * 129, "a\n", "\x7f", "ö\u2028"])
moments = (
    st.sampled_from(
        [
            "2026-11-23T10:00:00Z", "1795428000", "", "x" * 129, "a\x00", 0, -1, 1795428000.25, -62135596800,
            -62135596801, 99_999_999_999, 1e11, 253402300799999, 253402300800000, -1e11, -62135596800000,
            -62135596800001, 1e300, 2**63,
        ]
    )
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
others = st.none() | st.booleans() | st.integers(-9, 9) | st.lists(st.none(), max_size=1)
maps = st.dictionaries(texts, texts | others, max_size=2)
NAMES_OF_MEMBERS = [
    *TYPE_NAMES, *META_NAMES, *TS_NAMES, "api_id", "org_id", "source", "traceparent", "specversion", "data", "time",
    "data_base64", "id", "colour",
]  # fmt: skip
members = st.fixed_dictionaries(
    {},
    optional={
        name: (moments if name in {*TS_NAMES, "time"} else maps if name in {*META_NAMES, "data"} else texts) | others
        for name in NAMES_OF_MEMBERS
        if name != "specversion"
    },
)


@given(members)
def test_the_schema_accepts_a_packed_event_where_a_worker_decodes_it(event: dict[str, Any]) -> None:
    assert EVENT.is_valid(event) == packed(event)


@given(members, texts)
def test_an_event_with_a_good_type_is_judged_alike_whatever_its_other_members_are(
    event: dict[str, Any], type_: str
) -> None:
    event = {**event, "type": type_}
    assert EVENT.is_valid(event) == packed(event)


@given(members, st.sampled_from(["1.0", "1.0", "1.0", "0.3", "", None, 1.0]))
def test_the_schema_accepts_a_cloud_event_where_a_worker_decodes_it(event: dict[str, Any], version: Any) -> None:
    event = {"type": "com.example.breaker", **event, "specversion": version}
    assert EVENT.is_valid(event) == packed(event)


@given(
    st.dictionaries(st.sampled_from(["type", "ts", "api_id", "org_id", "source", "message", "ü"]), texts, max_size=5)
)
def test_the_schema_accepts_a_flat_entry_where_a_worker_decodes_it(fields: dict[str, str]) -> None:
    assert ENTRY.is_valid(fields) == decodes(raw(fields))


@given(st.dictionaries(st.sampled_from(["type", "ts", "api_id", "colour"]), texts, max_size=4), maps)
def test_the_schema_accepts_a_split_entry_where_a_worker_decodes_it(fields: dict[str, str], meta: Any) -> None:
    fields = {**fields, "meta": json.dumps(meta)}
    assert ENTRY.is_valid(fields) == decodes(raw(fields))


def raw(fields: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in fields.items()}


# What is known to be wrong.


@pytest.mark.parametrize("data", [data for data, _, _ in PACKED_FAULTS], ids=repr)
def test_what_a_worker_refuses_is_no_json_or_refused_by_the_schema_or_told_as_what_it_cannot_say(data: bytes) -> None:
    try:
        members = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        return
    out_of_years = isinstance(members, dict) and members.get("ts") == "99999999999999999999"
    assert EVENT.is_valid(members) == out_of_years


@pytest.mark.parametrize("fields", [fields for fields, _, _ in FIELD_FAULTS], ids=lambda fields: repr(fields)[:60])
def test_fields_that_a_worker_refuses_are_no_text_or_refused_or_hold_what_the_schema_cannot_see(
    fields: dict[bytes, bytes],
) -> None:
    try:
        texts = {name.decode(): value.decode() for name, value in fields.items()}
    except UnicodeError:
        return
    # contentSchema is told to people and generators; a validator does not look into a string (2020-12, 8.2).
    assert ENTRY.is_valid(texts) == ("meta" in texts and "type" in texts)


def written(event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    return event, json.dumps(event)


NOT_SEEN = {
    NOT_SAID[0]: written({"type": "X", "meta": {"a": "x" * LIMIT}}),
    NOT_SAID[1]: written({"type": "X", "meta": {"a": json.loads("[" * 63 + "]" * 63)}}),
    NOT_SAID[2]: ({"type": "X", "meta": {"a": 10**4300}}, '{"type":"X","meta":{"a":1' + "0" * 4300 + "}}"),
    NOT_SAID[3]: written({"type": "X", "ts": "99999999999999999999"}),
}


@pytest.mark.parametrize(("event", "text"), NOT_SEEN.values(), ids=NOT_SEEN.keys())
def test_what_the_schema_cannot_say_is_refused_by_the_worker_alone(event: dict[str, Any], text: str) -> None:
    assert EVENT.is_valid(event)
    assert not decodes({b"d": text.encode()})


def test_what_a_field_holds_is_told_and_not_validated() -> None:
    for fields in ({"d": "nonsense"}, {"type": "X", "meta": "nonsense"}):
        assert ENTRY.is_valid(fields)
        assert not decodes(raw(fields))
    assert "the field d holds a JSON object" in NOT_SAID[4]


# AsyncAPI.


def test_the_asyncapi_document_has_what_3_0_asks_for_and_its_references_lead_somewhere() -> None:
    api = yaml.safe_load(document.ASYNCAPI.read_text())
    assert api["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(api["info"])
    assert api["channels"]["events"]["address"] == "gateway:events"
    assert {server["protocol"] for server in api["servers"].values()} == {"redis"}
    files = {"": api, "./event.schema.json": json.loads(document.SCHEMA.read_text())}
    found = list(references(api))
    assert len(found) >= 10
    for reference in found:
        file, _, path = reference.partition("#/")
        place: Any = files[file]
        for name in path.split("/"):
            place = place[name]
    operation = api["operations"]["receiveEvent"]
    assert operation["action"] == "receive"
    # An operation names messages of its channel, not of the components (AsyncAPI 3.0, Operation Object).
    assert all(each["$ref"].startswith("#/channels/events/messages/") for each in operation["messages"])


@pytest.mark.parametrize("form", document.FORMS)
def test_the_examples_of_every_form_are_the_same_event(form: str) -> None:
    api = yaml.safe_load(document.ASYNCAPI.read_text())
    (example,) = api["components"]["messages"][form]["examples"]
    Draft202012Validator({**SCHEMA["$defs"][form], "$defs": SCHEMA["$defs"]}).validate(example["payload"])
    event = decode(Entry("1-0", raw(example["payload"])), LIMIT)
    assert event == decode(Entry("1-0", raw(document.example_entry("packed"))), LIMIT)
    assert (event.type, event.api_id, set(event.meta)) == (
        "AuthFailure",
        "payments",
        {"Message", "Path", "Origin", "Key"},
    )


def references(value: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)
