"""A record of a gateway's access log -> an event, where the gateway says that the request was one.

Loggers write a record for every request, and most of them cannot be told to leave any out. So the gateway's
configuration names a `type` where something happened, and what has none is no event, and no fault either. They also
write more than was asked for, the caller's credentials among it: so nothing of a record is kept but the envelope and
Meta. A logger that cannot nest has no `meta`; then all other members are Meta's, under Tyk's spelling of their names.
"""

from typing import Any, Final

from streamhooks import payload, wire
from streamhooks.event_types import canonical_member
from streamhooks.wire import Packed

_ENVELOPE: Final = frozenset(
    {"type", "Type", "EventType", "meta", "Meta", "EventMetaData", "ts", "TimeStamp", "api_id", "org_id", "source",
     "traceparent"}
)  # fmt: skip


def packed(data: bytes, max_bytes: int) -> Packed | None:
    """The event; None: there is none. Raises WireError, whose place begins with `d`."""
    if len(data) > max_bytes:
        return wire.check(data, max_bytes)  # says so
    record = payload.document(data, 1, "d")
    if "specversion" in record:
        return wire.check(data, max_bytes)
    type_ = _first(record, "type", "Type", "EventType")
    if type_ is None or type_ == "":
        return None
    meta = _first(record, "meta", "Meta", "EventMetaData")
    return wire.pack(
        type_,
        _flat(record, type_) if meta is None else meta,
        ts=_first(record, "ts", "TimeStamp", otherwise=""),
        api_id=_first(record, "api_id", otherwise=""),
        org_id=_first(record, "org_id", otherwise=""),
        source=_first(record, "source", otherwise=""),
        traceparent=_first(record, "traceparent", otherwise=""),
        max_bytes=max_bytes,
    )


def _flat(record: dict[str, Any], type_: object) -> dict[str, Any]:
    members = {name: value for name, value in record.items() if name not in _ENVELOPE}
    spelled = {name: canonical_member(name, type_ if isinstance(type_, str) else "") for name in members}
    # `message` beside `Message`: both are kept, as in the flat form of the wire contract.
    return {name if spelled[name] in members else spelled[name]: value for name, value in members.items()}


def _first(record: dict[str, Any], *names: str, otherwise: Any = None) -> Any:
    """The first of several spellings that says something."""
    return next((record[name] for name in names if record.get(name) is not None), otherwise)
