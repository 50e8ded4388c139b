"""Whatever comes: an answer of the table, never a 500; and what is taken is decoded by every worker."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamhooks import wire
from streamhooks.errors import WireError
from streamhooks.ingest.bodies import Untyped, judge, pieces
from streamhooks.ingest.kinds import TYPES, Kind, kind_of
from streamhooks.ingest.refusals import IngestError
from streamhooks.model import Entry
from tests.flow.rig import Rig
from tests.ingest.asking import door

MOST = 4096
KINDS: list[Kind] = [*dict.fromkeys(TYPES.values()), "binary"]
TEXT = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["type", "meta", "ts", "api_id", "Type", "Meta", "TimeStamp", "specversion", "data", "time", "d", "a[b]", "a[]"]
)
EVENTS = st.dictionaries(NAMES, st.sampled_from(["T", "1.0", "", {}, {"a": 1}]) | VALUES, max_size=5)
BOMBS = st.sampled_from(
    [
        b"[" * 3000,
        b'{"a":' * 3000,
        b"\x91" * 3000,
        b'[{"type":"T","meta":' + b"[" * 900,
        b"&" * 3000,
        b"\n" * 3000,
        b"%" * 99,
    ]
)
PARTS = st.binary(max_size=60) | st.sampled_from(
    [b"type=T", b"&", b"=", b"%", b"&#43;", b"[", b"]", b"{", b"}", b",", b'"', b"\n", b"\xff", b"\x00", b"NaN"]
)


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


def packed(value: Any) -> bytes:
    try:
        return msgspec.msgpack.encode(value)
    except (OverflowError, UnicodeEncodeError):
        return b"\xc0"


def form(fields: dict[str, Any]) -> bytes:
    pairs = (
        f"{quote_plus(name, safe='[]')}={quote_plus(str(value), errors='replace')}" for name, value in fields.items()
    )
    return "&".join(pairs).encode()


BODIES = (
    st.lists(PARTS, max_size=12).map(b"".join)
    | BOMBS
    | EVENTS.map(written)
    | st.lists(EVENTS, max_size=4).map(written)
    | st.lists(EVENTS, max_size=4).map(lambda events: b"\n".join(map(written, events)))
    | EVENTS.map(packed)
    | st.lists(EVENTS, max_size=4).map(packed)
    | EVENTS.map(form)
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"ce-type", b"ce-specversion", b"CE-Source", b"ce-", b"ce-data", b"ce-x_y", b"host"]),
        st.sampled_from([b"1.0", b"T", b'"a\\"b"', b"%ff", b"%00", b""]) | st.binary(max_size=12),
    ),
    max_size=5,
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(KINDS), BODIES, HEADERS, st.booleans())
def test_whatever_the_bytes_only_refusals_are_raised_and_what_passes_is_decoded(
    kind: Kind, body: bytes, headers: list[tuple[bytes, bytes]], records: bool
) -> None:
    found = []
    with suppress(IngestError, WireError):
        found = [judge(piece, MOST, record=records) for piece in pieces(kind, body, headers, MOST)]
    for event in found:
        if not isinstance(event, Untyped):
            decoded = wire.decode(Entry("1-1", {b"d": event.data}), MOST)
            assert (decoded.type, decoded.api_id) == (event.type, event.api_id)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.text(min_size=1, max_size=20).filter(lambda name: not set(name) & set("[]")), TEXT, max_size=6)
)
def test_what_an_encoder_writes_into_a_form_comes_out_as_it_was(members: dict[str, str]) -> None:
    """Names in the wire contract's lower case get Tyk's spelling, so all are told apart by a prefix."""
    sent = {f"x-{name}": value for name, value in members.items()}
    [piece] = pieces("form", form({"type": "T", **sent}), (), 100_000)
    assert wire.decode(Entry("1-1", {b"d": piece.data}), 100_000).meta == sent


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=3), st.lists(st.text(max_size=10), max_size=2), st.booleans())
def test_whatever_the_content_type_it_is_a_kind_or_refused(
    types: list[str], encodings: list[str], binary: bool
) -> None:
    with suppress(IngestError):
        assert kind_of(types, encodings, binary=binary) in KINDS


STATUSES = {202, 400, 401, 403, 404, 405, 408, 411, 413, 415, 417, 429}


async def test_no_request_is_answered_500(rig: Rig) -> None:
    """Over HTTP, with one worker for all of them."""
    seen: list[tuple[str, bytes]] = []

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from([*TYPES, "text/plain", "application/x+json"]), BODIES)
    def collect(type: str, body: bytes) -> None:
        seen.append((type, body))

    collect()
    async with door(rig) as ours:
        for number, (type, body) in enumerate(seen):
            headers = {"ce-specversion": "1.0", "ce-type": "T"} if number % 5 == 0 else {}
            assert (await ours.post(body, type, headers)).status in STATUSES, (type, body)
        assert rig.records.of("ingest_failed") == []
