"""How a dead letter is shown: a row of a listing, or all of it. Credentials are masked unless somebody reveals them."""

from typing import Any

import msgspec

from streamhooks import wire
from streamhooks.delivery.masking import credentials, masked, withheld, without
from streamhooks.errors import WireError
from streamhooks.operations.letters import Found
from streamhooks.operations.moments import utc, utc_of
from streamhooks.secret import HIDDEN
from streamhooks.store.record import Record


def row(found: Found) -> dict[str, Any]:
    """A letter in a listing: no payload, no answer."""
    letter, record = found.letter, found.letter.record
    return {
        "id": letter.id,
        "buried": utc_of(letter.id),
        "event": record.origin,
        "stream": found.keys.stream,
        "handler": record.handler,
        "type": record.type,
        "reason": record.reason,
        "attempts": record.attempt if record.handler else 0,
        "status": record.status,
        "why": without(record.why, _secrets(record)) if record.reason == "template" else record.why,
        "replayable": bool(record.event),
    }


def _secrets(record: Record) -> list[str]:
    """The credentials of the event: a template may fail with a text that holds them."""
    try:
        return credentials(wire.unpack_event(record.event).meta)
    except WireError:
        return []


def whole(found: Found, *, reveal: bool) -> dict[str, Any]:
    """Everything that is known of a letter. Credentials are masked, also where the endpoint repeated them."""
    record = found.letter.record
    told = row(found)
    told |= {"first_attempt": utc(record.first), "last_attempt": utc(record.last), "fingerprint": record.fingerprint}
    if reveal:
        told["why"] = record.why
    if record.event:
        told["event_content"] = _content(record.event, reveal=reveal)
    if record.status:
        told["answer"] = without(record.answer.decode(errors="backslashreplace"), [] if reveal else _secrets(record))
    if record.raw_sha256:
        # What cannot be read cannot be masked either.
        told["raw"] = record.raw.decode(errors="backslashreplace") if reveal else f"{HIDDEN} (--reveal shows it)"
        told |= {"raw_length": record.raw_length, "raw_sha256": record.raw_sha256}
    return told


def _content(packed: bytes, *, reveal: bool) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(packed, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError):
        return {"unreadable": f"{len(packed)} bytes: changed by hand, or written by another release"}
    meta = event.get("meta")
    if isinstance(meta, dict):
        event["meta"] = withheld(meta)
    return event if reveal else masked(event)
