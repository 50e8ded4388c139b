"""A body -> the events in it, each as the bytes of its packed form. Everything here is hostile input.

Strategy: cut first, decode afterwards. An array is cut by a decoder that validates it as a whole and copies no value,
lines by a regular expression, so that a body costs next to nothing before it is known how many events it holds; each
event is then decoded by the wire contract, as a worker will, one at a time, so that the caller can pause in between.

What is stored is what was sent: the bytes of an event are not written anew, but for forms and for CloudEvents in
binary mode, which have no packed form of their own.

Laws: nothing but IngestError and WireError is raised, whatever the bytes; an event that passes is one that every worker
with the same bound decodes.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from streamhooks import payload, wire
from streamhooks.errors import WireError
from streamhooks.ingest import cloud_events, forms, records
from streamhooks.ingest.kinds import Kind
from streamhooks.ingest.refusals import Bad, IngestError, unreadable
from streamhooks.wire import Packed

MOST_EVENTS: Final = 1000
"""In one request: what a worker reads beside it must not wait for long."""
_LINE = re.compile(rb"[^\r\n]+")
_SPACE: Final = b" \t\r\n"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_json_array = msgspec.json.Decoder(list[Raw]).decode
_msgpack_array = msgspec.msgpack.Decoder(list[Raw]).decode


class Piece(Struct, frozen=True, gc=False):
    """One event of a body, not yet decoded."""

    data: bytes
    line: int = 0
    """Of NDJSON, from 1."""
    must_be_cloud_event: bool = False
    is_json: bool = True
    """As the Content-Type has it; else MessagePack."""


class Untyped(Struct, frozen=True):
    """A record of a request at which nothing happened."""


class _Names(Struct, gc=False):
    """Enough of an event to see whether it means to be a CloudEvent."""

    specversion: Any = None


_names_from_json = msgspec.json.Decoder(_Names).decode


def pieces(kind: Kind, body: bytes, headers: Sequence[tuple[bytes, bytes]], max_bytes: int) -> list[Piece]:
    """The events of a body. `headers` are those of a CloudEvent in binary mode; `max_bytes` bounds an event.

    Raises IngestError for a body that holds no events, and WireError for a form or a binary CloudEvent, which are one
    event, that is none.
    """
    if kind == "binary":
        return [Piece(cloud_events.structured(headers, body, max_bytes))]
    body = body.removeprefix(_BYTE_ORDER_MARK) if kind != "msgpack" else body
    if not body.strip(_SPACE):
        raise unreadable("empty", "is empty: send an event, or several")
    match kind:
        case "lines":
            found = list(_lines(body))
        case "form":
            found = [Piece(forms.packed(body.strip(_SPACE), max_bytes))]
        case "json":
            found = _one_or_many(body.strip(_SPACE))
        case "cloud_event":
            found = [Piece(body.strip(_SPACE), must_be_cloud_event=True)]
        case "cloud_events":
            found = [Piece(piece.data, must_be_cloud_event=True) for piece in _array(body.strip(_SPACE))]
        case "msgpack":
            found = _one_or_many_of_msgpack(body)
    if len(found) > MOST_EVENTS:
        said = f"the body holds more than {MOST_EVENTS} events: send fewer at once"
        raise IngestError(413, "too_many", said)
    return found


def judge(piece: Piece, max_bytes: int, *, record: bool = False) -> Packed | Untyped:
    """Decodes one event as a worker will. `record`: it is one of an access log, see records.py.

    Raises WireError, whose place begins with `d`.
    """
    if piece.is_json != (piece.data[:1] == b"{"):
        payload.not_a_map("d")
    if record:
        return records.packed(piece.data, max_bytes) or Untyped()
    event = wire.check(piece.data, max_bytes)
    if piece.must_be_cloud_event and not _says_its_version(piece.data):
        said = "is missing: the Content-Type says that this is a CloudEvent, which has one"
        raise WireError("bad_field", said, "d.specversion")
    return event


def refused(found: Sequence[Bad], of: int) -> IngestError:
    """All or nothing: the bad events of a request, by name."""
    verb = "is none" if len(found) == 1 else "are none"
    said = f"{len(found)} of {of} event{'' if of == 1 else 's'} {verb}: nothing was taken"
    return IngestError(400, "bad_events", said, more={"events": list(found)})


def refused_whole(error: WireError) -> IngestError:
    """The same of a body that is one event."""
    return refused([Bad(0, error.kind, error.place, error.message)], 1)


def _lines(body: bytes) -> Iterator[Piece]:
    number, counted, many = 1, 0, 0
    for match in _LINE.finditer(body):
        if many > MOST_EVENTS:
            return
        data = match[0].strip(_SPACE)
        if data:
            many += 1
            number += body.count(b"\n", counted, match.start())
            counted = match.start()
            yield Piece(data, number)


def _one_or_many(body: bytes) -> list[Piece]:
    return _array(body) if body[:1] == b"[" else [Piece(body)]


def _array(body: bytes) -> list[Piece]:
    if body[:1] != b"[":
        raise unreadable("not_an_array", "is no JSON array: a batch begins with [")
    return _cut(_json_array, body, "JSON array")


def _one_or_many_of_msgpack(body: bytes) -> list[Piece]:
    is_array = 0x90 <= body[0] <= 0x9F or body[0] in (0xDC, 0xDD)  # MessagePack specification, array format family
    if not is_array:
        return [Piece(body, is_json=False)]
    return [Piece(piece.data, is_json=False) for piece in _cut(_msgpack_array, body, "MessagePack array")]


def _cut(decode: Any, body: bytes, name: str) -> list[Piece]:
    try:
        return [Piece(bytes(raw).strip(_SPACE) if name[0] == "J" else bytes(raw)) for raw in decode(body)]
    except RecursionError:
        raise unreadable("too_deep", "is nested too deep to be events: flatten it") from None
    except (msgspec.MsgspecError, ValueError, OverflowError) as fault:
        reason = str(fault).partition("malformed: ")[2] or str(fault).partition(" - at")[0]
        raise unreadable("malformed", f"is not a whole {name} ({reason})") from None


def _says_its_version(data: bytes) -> bool:
    try:
        return _names_from_json(data).specversion is not None
    except (msgspec.MsgspecError, ValueError, RecursionError):  # MessagePack, which no CloudEvent is written in
        return False
