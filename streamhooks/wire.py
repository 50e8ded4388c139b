"""Stream fields <-> Event: the contract with gateways. Everything here is hostile input until it has passed.

Strategy: measure before decoding; then one typed decoding that fits what most gateways write, JSON in the packed
form. Whatever does not fit it, even if only because it is wrong, is read again by the general way, which knows every
form and spelling and names the fault. So the quick way needs no messages and the general way no speed.

Laws: an event that decodes is JSON values all through (finite floats, string keys, at most 64 deep); what `encode`
writes, `decode` reads back equal; what `pack_event` stores, `unpack_event` reads back equal; nothing but WireError is
raised, whatever the bytes.

Kinds of WireError: those of payload.py, and `too_large`, `no_type`, `bad_type`, `bad_field`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NoReturn

import msgspec

from streamhooks import payload
from streamhooks.errors import WireError
from streamhooks.event_types import canonical_member
from streamhooks.model import Entry, Event, Meta

MAX_TYPE: Final = 128
"""Characters of a type."""
MAX_TIMESTAMP: Final = 128
"""Characters of a `ts` that is text; Tyk's longest, with a monotonic part, has about 60."""
EXCERPT_BYTES: Final = 65536
"""Bytes of an undecodable entry that its dead letter keeps."""

ENVELOPE: Final = (b"type", b"ts", b"api_id", b"org_id", b"source", b"traceparent")

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_EPOCH = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253402300799
"""9999-12-31T23:59:59Z: an id may hold 64 bits of milliseconds, a date cannot."""


class _Packed(msgspec.Struct, omit_defaults=True, gc=False):
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

    type: str
    meta: dict[str, Any]
    ts: str = ""
    api_id: str = ""
    org_id: str = ""
    source: str = ""
    traceparent: str = ""
    TimeStamp: str = ""
    specversion: str = ""


_quick_from_json = msgspec.json.Decoder(_Quick).decode
_packed_from_json = msgspec.json.Decoder(_Packed).decode
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
        if not (quick.specversion or quick.TimeStamp):
            return Event(
                entry.id,
                _type(quick.type, "d.type"),
                quick.meta,
                _timestamp(quick.ts, entry.id, "d.ts"),
                quick.api_id or _api_of(quick.meta),
                quick.org_id,
                quick.source,
                quick.traceparent,
            )
    return _decode_packed(entry.id, data)


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
    """The fields to XADD for one event, in the packed form. Raises WireError for what no worker would decode.

    Size is not judged here: the bound is a setting of the worker.
    """
    packed = _Packed(_type(type, "type"), payload.plain(meta, 2, "meta"), ts, api_id, org_id, source, traceparent)
    _timestamp(ts, "0-0", "ts")
    try:
        return {"d": _to_json(packed)}
    except UnicodeEncodeError:
        raise WireError("utf8", "a string holds half a surrogate pair: it has no UTF-8, leave it out") from None


def pack_event(event: Event) -> bytes:
    """What happened as JSON, for our own records. What changes from attempt to attempt is not in it."""
    return _to_json(
        _Packed(
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
    name, value = _first(members, "type", "Type", "EventType")
    type_ = _type(value, f"d.{name}")
    name, value = _first(members, "meta", "Meta", "EventMetaData")
    meta = _meta(value, f"d.{name}")
    name, value = _first(members, "ts", "TimeStamp")
    return _from_members(entry_id, members, type_, meta, _timestamp(value, entry_id, f"d.{name}"))


def _decode_cloud_event(entry_id: str, members: dict[str, Any]) -> Event:
    """CloudEvents 1.0 (cloudevents/spec, json-format.md section 3).

    Its `id` is the producer's and need not be unique in the stream: an event's id is its entry's, in every form.
    """
    if members["specversion"] != "1.0":
        raise WireError("bad_field", 'is no version that is read here: send CloudEvents "1.0"', "d.specversion")
    if "data_base64" in members:
        raise WireError("bad_field", "binary data is not read: send `data` as a JSON object", "d.data_base64")
    type_ = _type(members.get("type"), "d.type")
    meta = _meta(members.get("data"), "d.data")
    return _from_members(entry_id, members, type_, meta, _timestamp(members.get("time"), entry_id, "d.time"))


def _from_members(entry_id: str, members: dict[str, Any], type_: str, meta: Meta, timestamp: str) -> Event:
    return Event(
        entry_id,
        type_,
        meta,
        timestamp,
        _string(members, "api_id") or _api_of(meta),
        _string(members, "org_id"),
        _string(members, "source"),
        _string(members, "traceparent"),
    )


def _decode_split(entry_id: str, fields: dict[bytes, bytes], max_bytes: int) -> Event:
    data = fields[b"meta"]
    size = len(data) + sum(len(fields[name]) for name in ENVELOPE if name in fields)
    if size > max_bytes:
        _too_large(size, max_bytes, "meta")
    type_ = _type(_field(fields, b"type"), "type")
    # The map lies one deeper than it looks, so that an event is as deep in this form as in the packed one.
    return _from_fields(entry_id, fields, type_, payload.document(data, 2, "meta"))


def _decode_flat(entry_id: str, fields: dict[bytes, bytes], max_bytes: int) -> Event:
    size = sum(len(name) + len(value) for name, value in fields.items())
    if size > max_bytes:
        _too_large(size, max_bytes, "")
    type_ = _type(_field(fields, b"type"), "type")
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
        _timestamp(_field(fields, b"ts"), entry_id, "ts"),
        _field(fields, b"api_id") or _api_of(meta),
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


# The envelope.


def _type(value: object, place: str) -> str:
    if value is None:
        raise WireError("no_type", f"is missing: every event has a type of 1 to {MAX_TYPE} characters", place)
    if not isinstance(value, str):
        raise WireError("bad_type", f"is {payload.word(value)}: a type is a string", place)
    if not 0 < len(value) <= MAX_TYPE:
        raise WireError("bad_type", f"has {len(value)} characters: a type has 1 to {MAX_TYPE}", place)
    if not value.isprintable() and _CONTROL.search(value):
        raise WireError("bad_type", "holds a control character: leave it out", place)
    return value


def _meta(value: object, place: str) -> Meta:
    if value is None:
        return {}
    if not isinstance(value, dict):
        payload.not_a_map(place)
    return value


def _string(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WireError("bad_field", f"is {payload.word(value)}: it must be a string", f"d.{name}")
    return value


def _api_of(meta: Meta) -> str:
    """The API that an event is about where its envelope does not say: the places where Tyk's own events have it."""
    for name in ("APIID", "api_id", "oauth2_api_id"):
        value = meta.get(name)
        if value and isinstance(value, str):
            return value
    host = meta.get("HostInfo")
    data = host.get("MetaData") if isinstance(host, dict) else None
    value = data.get("api_id") if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def _timestamp(value: object, entry_id: str, place: str) -> str:
    """Text as the gateway wrote it; numbers, also written as text, as RFC 3339 in UTC; nothing: the entry's time."""
    if value is None or value == "":
        return _entry_time(entry_id)
    if isinstance(value, str):
        if _EPOCH.fullmatch(value):
            return _epoch(float(value) if "." in value else int(value), place)
        if len(value) > MAX_TIMESTAMP or _CONTROL.search(value):
            message = f"is no time: write RFC 3339 or an epoch, at most {MAX_TIMESTAMP} characters, none a control one"
            raise WireError("bad_field", message, place)
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(value, place)
    raise WireError("bad_field", f"is {payload.word(value)}: it must be RFC 3339 text or an epoch number", place)


def _epoch(value: float, place: str) -> str:
    """Seconds below 1e11 (the year 5138), else milliseconds (from 1973 on)."""
    try:
        length = timedelta(seconds=value) if abs(value) < 1e11 else timedelta(milliseconds=value)
        return payload.rfc3339(_EPOCH_START + length)
    except (OverflowError, ValueError):
        message = "is an epoch outside the years 1 to 9999: give seconds below 1e11, or milliseconds"
        raise WireError("bad_field", message, place) from None


def _entry_time(entry_id: str) -> str:
    milliseconds = entry_id.partition("-")[0].zfill(4)
    return f"{_second(milliseconds[:-3])}.{milliseconds[-3:]}Z"


@lru_cache(maxsize=64)
def _second(seconds: str) -> str:
    """`2026-11-23T10:00:00`; entries of one second come together, and formatting a date costs more than a look-up."""
    moment = _EPOCH_START + timedelta(seconds=min(int(seconds), _LAST_SECOND))
    return moment.replace(tzinfo=None).isoformat()


def _too_large(size: int, max_bytes: int, place: str) -> NoReturn:
    message = f"the event has {size} bytes, at most {max_bytes} are read (worker.max_event_bytes): send less"
    raise WireError("too_large", message, place)
