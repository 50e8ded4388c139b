"""Stream fields <-> Event: the contract with gateways. Everything here is hostile input until it has passed.

Strategy: measure before decoding; then one typed decoding that fits what most gateways write, JSON in the packed
form. Whatever does not fit it, even if only because it is wrong, is read again by the general way, which knows every
form and spelling and names the fault. So the quick way needs no messages and the general way no speed.

Laws: an event that decodes is JSON values all through (finite floats, string keys, at most 64 deep); what `pack`
writes, `decode` reads back equal, and it writes nothing that `decode` would refuse; what `pack_event` stores,
`unpack_event` reads back equal; nothing but WireError is raised, whatever the bytes.

Kinds of WireError: those of payload.py and envelope.py, and `too_large`.
"""

import sys
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Final, NoReturn

import msgspec

from streamhooks import payload
from streamhooks.envelope import MAX_TIMESTAMP, MAX_TYPE, api_of, timestamp_of, type_of
from streamhooks.errors import WireError
from streamhooks.event_types import canonical_member
from streamhooks.model import Entry, Event, Meta

EXCERPT_BYTES: Final = 65536
"""Bytes of an undecodable entry that its dead letter keeps."""

ENVELOPE: Final = (b"type", b"ts", b"api_id", b"org_id", b"source", b"traceparent")
TYPE_NAMES: Final = ("type", "Type", "EventType")
META_NAMES: Final = ("meta", "Meta", "EventMetaData")
TS_NAMES: Final = ("ts", "TimeStamp")
"""How the packed form may spell a member: ours, Tyk's, Tyk's older one. The first that is there counts."""
_NOW: Final = "0-0"
"""The id under which an event is tried: Redis gives the real one."""


class _Document(msgspec.Struct, omit_defaults=True, gc=False):
    """The packed form as we write it; `id` only in our own records."""

    type: str
    meta: dict[str, Any]
    ts: str = ""
    api_id: str = ""
    org_id: str = ""
    source: str = ""
    traceparent: str = ""
    id: str = ""


class _Quick(msgspec.Struct, gc=False):
    """The packed form as most gateways write it; anything else does not fit."""

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TYPE)]
    meta: dict[str, Any]
    ts: Annotated[str, msgspec.Meta(max_length=MAX_TIMESTAMP)] = ""
    api_id: str = ""
    org_id: str = ""
    source: str = ""
    traceparent: str = ""
    TimeStamp: str = ""
    specversion: Any = msgspec.UNSET
    """Whatever it is: with it, the event is a CloudEvent or none."""


_quick_from_json = msgspec.json.Decoder(_Quick).decode
_packed_from_json = msgspec.json.Decoder(_Document).decode
_to_json = msgspec.json.Encoder().encode


def decode(entry: Entry, max_bytes: int) -> Event:
    """Read an entry in the form that its fields show: `d` packed, else `meta` split, else flat.

    `max_bytes` bounds what is read of it. Raises WireError, whose place is the field (`d.meta.Headers[3]`).
    """
    fields = entry.fields
    data = fields.get(b"d")
    if data is None:
        form = _decode_split if b"meta" in fields else _decode_flat
        return form(entry.id, fields, max_bytes)
    if len(data) > max_bytes:
        _too_large(len(data), max_bytes, "d")
    if data[:1] == b"{" and not payload.may_be_deep(data):
        try:
            quick = _quick_from_json(data)
        except ValueError:  # so are MsgspecError and UnicodeError
            return _decode_packed(entry.id, data)
        if quick.specversion is msgspec.UNSET and not quick.TimeStamp and quick.type.isprintable():
            moment = quick.ts
            return Event(
                entry.id,
                quick.type,
                quick.meta,
                moment if ":" in moment and moment.isprintable() else timestamp_of(moment, entry.id, "d.ts"),
                quick.api_id or api_of(quick.meta),
                quick.org_id,
                quick.source,
                quick.traceparent,
            )
    return _decode_packed(entry.id, data)


class Packed(msgspec.Struct, frozen=True, gc=False):
    """An event that a worker will decode, as it goes into the stream: `XADD <stream> * d <data>`."""

    data: bytes
    """The packed form, JSON or MessagePack; JSON where we wrote it."""
    type: str
    api_id: str
    """As `decode` finds it, with the type what a partition is chosen by."""


def pack(
    type: str,
    meta: Mapping[str, Any] | None = None,
    *,
    ts: str | float | datetime = "",
    api_id: str = "",
    org_id: str = "",
    source: str = "",
    traceparent: str = "",
    max_bytes: int,
) -> Packed:
    """One event in the packed form. Raises WireError for what a worker that reads `max_bytes` would not decode."""
    if meta is not None and not isinstance(meta, Mapping):
        payload.not_a_map("meta")
    plain = payload.plain(meta or {}, 2, "meta")
    # Times become text here, and epochs with them; nothing stays nothing: the entry's id has the time.
    moment = payload.plain(ts, 2, "ts")
    document = _Document(
        type_of(type, "type"),
        plain,
        "" if moment is None or moment == "" else timestamp_of(moment, _NOW, "ts"),
        _string(api_id, "api_id"),
        _string(org_id, "org_id"),
        _string(source, "source"),
        _string(traceparent, "traceparent"),
    )
    try:
        data = _to_json(document)
    except UnicodeEncodeError:
        raise WireError("utf8", "a string holds half a surrogate pair: it has no UTF-8, leave it out") from None
    except ValueError as fault:
        # An integer beyond the digits that Python converts (sys.set_int_max_str_digits): no reader takes it either.
        raise WireError("bad_value", f"holds a number that cannot be written ({fault})", "meta") from None
    if len(data) > max_bytes:
        _too_large(len(data), max_bytes, "")
    return Packed(data, type, api_id or api_of(plain))


def check(data: bytes, max_bytes: int) -> Packed:
    """An event that somebody else has packed, in any spelling of the packed form, as it stands.

    Raises WireError, whose place begins with `d`, the field that it is for.
    """
    event = decode(Entry(_NOW, {b"d": data}), max_bytes)
    return Packed(data, event.type, event.api_id)


def encode(
    type: str,
    meta: Mapping[str, Any],
    *,
    ts: str = "",
    api_id: str = "",
    org_id: str = "",
    source: str = "",
    traceparent: str = "",
) -> dict[str, bytes]:
    """The fields to XADD for one event of our own making. Raises WireError for what no worker would decode.

    Size is not judged here: what we make is small.
    """
    packed = pack(
        type, meta, ts=ts, api_id=api_id, org_id=org_id, source=source, traceparent=traceparent, max_bytes=sys.maxsize
    )  # fmt: skip
    return {"d": packed.data}


def pack_event(event: Event) -> bytes:
    """What happened as JSON, for our own records. What changes from attempt to attempt is not in it."""
    return _to_json(
        _Document(
            event.type,
            event.meta,
            event.timestamp,
            event.api_id,
            event.org_id,
            event.source,
            event.traceparent,
            event.id,
        )
    )


def unpack_event(data: bytes, *, attempt: int = 1, only: str = "", run: str = "") -> Event:
    """Read what `pack_event` wrote, with what the record knows of the attempt. Raises WireError when it did not."""
    try:
        packed = _packed_from_json(data)
    except (ValueError, RecursionError) as fault:
        message = f"a stored event cannot be read ({fault}): it was changed by hand or by a newer release"
        raise WireError("malformed", message) from None
    return Event(
        packed.id,
        packed.type,
        packed.meta,
        packed.ts,
        packed.api_id,
        packed.org_id,
        packed.source,
        packed.traceparent,
        attempt,
        only,
        run,
    )


def raw_excerpt(entry: Entry) -> tuple[bytes, int, str]:
    """What a dead letter keeps of an entry that is no event: first 64 KiB, length in bytes, SHA-256 in hex.

    All three are of the fields written as `name=value` and a line feed each, in the entry's order.
    """
    digest = sha256()
    head = bytearray()
    length = 0
    for name, value in entry.fields.items():
        for part in (name, b"=", value, b"\n"):
            digest.update(part)
            length += len(part)
            head += part[: EXCERPT_BYTES - len(head)]
    return bytes(head), length, digest.hexdigest()


# The three forms.


def _decode_packed(entry_id: str, data: bytes) -> Event:
    members = payload.document(data, 1, "d")
    if "specversion" in members:
        return _decode_cloud_event(entry_id, members)
    name, value = _first(members, *TYPE_NAMES)
    type_ = type_of(value, f"d.{name}")
    name, value = _first(members, *META_NAMES)
    meta = _meta(value, f"d.{name}")
    name, value = _first(members, *TS_NAMES)
    return _from_members(entry_id, members, type_, meta, timestamp_of(value, entry_id, f"d.{name}"))


def _decode_cloud_event(entry_id: str, members: dict[str, Any]) -> Event:
    """CloudEvents 1.0 (cloudevents/spec, json-format.md section 3).

    Its `id` is the producer's and need not be unique in the stream: an event's id is its entry's, in every form.
    """
    if members["specversion"] != "1.0":
        raise WireError("bad_field", 'is no version that is read here: send CloudEvents "1.0"', "d.specversion")
    if "data_base64" in members:
        raise WireError("bad_field", "binary data is not read: send `data` as a JSON object", "d.data_base64")
    type_ = type_of(members.get("type"), "d.type")
    meta = _meta(members.get("data"), "d.data")
    return _from_members(entry_id, members, type_, meta, timestamp_of(members.get("time"), entry_id, "d.time"))


def _from_members(entry_id: str, members: dict[str, Any], type_: str, meta: Meta, timestamp: str) -> Event:
    return Event(
        entry_id,
        type_,
        meta,
        timestamp,
        _string(members.get("api_id"), "d.api_id") or api_of(meta),
        _string(members.get("org_id"), "d.org_id"),
        _string(members.get("source"), "d.source"),
        _string(members.get("traceparent"), "d.traceparent"),
    )


def _decode_split(entry_id: str, fields: dict[bytes, bytes], max_bytes: int) -> Event:
    data = fields[b"meta"]
    size = len(data) + sum(len(fields[name]) for name in ENVELOPE if name in fields)
    if size > max_bytes:
        _too_large(size, max_bytes, "meta")
    type_ = type_of(_field(fields, b"type"), "type")
    # The map lies one deeper than it looks, so that an event is as deep in this form as in the packed one.
    return _from_fields(entry_id, fields, type_, payload.document(data, 2, "meta"))


def _decode_flat(entry_id: str, fields: dict[bytes, bytes], max_bytes: int) -> Event:
    size = sum(len(name) + len(value) for name, value in fields.items())
    if size > max_bytes:
        _too_large(size, max_bytes, "")
    type_ = type_of(_field(fields, b"type"), "type")
    texts: dict[str, str] = {}
    for raw, value in fields.items():
        if raw not in ENVELOPE:
            name = payload.text(raw, f"field {raw[:64]!r}")
            texts[name] = payload.text(value, name[:64])
    meta: Meta = {}
    for name, text in texts.items():
        member = canonical_member(name, type_)
        # `message` beside `Message`: both are kept, under the names they came with.
        meta[name if member in texts else member] = text
    return _from_fields(entry_id, fields, type_, meta)


def _from_fields(entry_id: str, fields: dict[bytes, bytes], type_: str, meta: Meta) -> Event:
    return Event(
        entry_id,
        type_,
        meta,
        timestamp_of(_field(fields, b"ts"), entry_id, "ts"),
        _field(fields, b"api_id") or api_of(meta),
        _field(fields, b"org_id") or "",
        _field(fields, b"source") or "",
        _field(fields, b"traceparent") or "",
    )


def _field(fields: dict[bytes, bytes], name: bytes) -> str | None:
    value = fields.get(name)
    return None if value is None else payload.text(value, name.decode())


def _first(members: dict[str, Any], *names: str) -> tuple[str, Any]:
    """The first of several spellings that is there, with its value."""
    return next(((name, members[name]) for name in names if members.get(name) is not None), (names[0], None))


def _meta(value: object, place: str) -> Meta:
    if value is None:
        return {}
    if not isinstance(value, dict):
        payload.not_a_map(place)
    return value


def _string(value: object, place: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WireError("bad_field", f"is {payload.word(value)}: it must be a string", place)
    return value


def _too_large(size: int, max_bytes: int, place: str) -> NoReturn:
    message = f"the event has {size} bytes, at most {max_bytes} are read (worker.max_event_bytes): send less"
    raise WireError("too_large", message, place)
