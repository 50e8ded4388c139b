"""A CloudEvent in binary mode (cloudevents/spec, http-protocol-binding.md section 3.1) as one in structured mode.

The attributes are headers that begin with `ce-`, the data is the body. What comes out is the JSON that the same event
has in structured mode, so that everything else is the wire contract's to judge.
"""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Raw

from streamhooks import payload
from streamhooks.errors import WireError

PREFIX: Final = b"ce-"
SPECVERSION: Final = "ce-specversion"
_NAME = re.compile(rb"[a-z0-9]{1,64}")
_OURS: Final = frozenset({b"data", b"datacontenttype", b"data_base64"})
"""Said by the body and its Content-Type."""
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def structured(headers: Sequence[tuple[bytes, bytes]], body: bytes, max_bytes: int) -> bytes:
    """The JSON of the event. Raises WireError, whose place is a header or lies in `data`."""
    members: dict[str, Any] = {}
    for raw, value in headers:
        name = raw.lower()
        if not name.startswith(PREFIX):
            continue
        attribute = name[len(PREFIX) :]
        place = name.decode("ascii", "replace")[:80]
        if _NAME.fullmatch(attribute) is None or attribute in _OURS:
            raise WireError("bad_field", "is no attribute of an event: names are of a to z and 0 to 9", place)
        if attribute.decode() in members:
            raise WireError("bad_field", "is given twice: keep one of them", place)
        members[attribute.decode()] = payload.text(_unquoted(value), place)
    if len(body) > max_bytes:
        said = f"the data have {len(body)} bytes, at most {max_bytes} are read (worker.max_event_bytes): send less"
        raise WireError("too_large", said, "data")
    if body.strip():
        if body.lstrip()[:1] != b"{":
            payload.not_a_map("data")
        # Judged alone, before it stands among the attributes: what closes the map too early would add some.
        payload.document(body.strip(), 2, "data")
        members["data"] = Raw(body.strip())
    return msgspec.json.encode(members)


def _unquoted(value: bytes) -> bytes:
    """Section 3.1.3.2: the quotes of RFC 7230 go first, then one round of percent-encoding."""
    if len(value) >= 2 and value[:1] == value[-1:] == b'"':
        value = _ESCAPED.sub(rb"\1", value[1:-1])
    return unquote_to_bytes(value)
