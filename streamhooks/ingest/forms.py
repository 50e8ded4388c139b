"""A form (application/x-www-form-urlencoded) -> one event in the packed form.

The fields are those of the wire contract: `type`, the envelope, and members of Meta, which are strings. Brackets nest,
as they do in most languages' forms: `HostInfo[CheckURL]=...` is a member of a map, `scopes[]=a&scopes[]=b` a list.

Strict, because a value that was not encoded may look like another field: what no encoder would write is refused. With
one exception: Go's html/template, which Tyk renders with, writes the `+` of `urlquery` as `&#43;`. No encoder leaves a
bare `#`, so that can be nothing else.
"""

import re
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from streamhooks import payload, wire
from streamhooks.errors import WireError
from streamhooks.event_types import canonical_member
from streamhooks.model import Entry

MOST_FIELDS: Final = 1000
MOST_BRACKETS: Final = 8
_HTML_PLUS: Final = b"&#43;"
_BARE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_UNENCODED = re.compile(rb"[\x00-\x20\x7f-\xff\"#<>\\^`{|}]")
"""What every encoder encodes; brackets are not among them, for they nest."""
_NESTED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def packed(body: bytes, max_bytes: int) -> bytes:
    """The event as its packed form's bytes. Raises WireError, whose place is a field."""
    if len(body) > 3 * max_bytes:  # every byte percent-encoded
        said = f"the form has {len(body)} bytes, too many for an event of {max_bytes} (worker.max_event_bytes)"
        raise WireError("too_large", said)
    fields, nested = _fields(body.replace(_HTML_PLUS, b"+"))
    if "d" in fields:
        if len(fields) > 1 or nested:
            raise WireError("bad_field", "stands alone: it is the whole event", "d")
        return fields["d"].encode()
    raw = {name.encode(): value.encode() for name, value in fields.items()}
    event = wire.decode(Entry("0-0", raw), max_bytes)
    meta = dict(event.meta)
    for name, tree in nested.items():
        member = canonical_member(name, event.type)
        if member in meta:
            raise WireError("bad_field", "is given with brackets and without: keep one of them", member[:64])
        meta[member] = _plain(tree)
    return wire.pack(
        event.type,
        meta,
        ts=fields.get("ts", ""),
        api_id=event.api_id,
        org_id=event.org_id,
        source=event.source,
        traceparent=event.traceparent,
        max_bytes=max_bytes,
    ).data


def _fields(body: bytes) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """The plain fields, and trees of those with brackets."""
    if body.count(b"&") >= MOST_FIELDS:
        raise WireError("bad_field", f"the form has more than {MOST_FIELDS} fields: send fewer")
    fields: dict[str, str] = {}
    nested: dict[str, dict[str, Any]] = {}
    for number, pair in enumerate(body.split(b"&"), 1):
        if not pair:
            continue
        raw_name, _, raw_value = pair.partition(b"=")
        name = _text(raw_name, f"field {number}")
        place = name[:64]
        if not name:
            raise WireError("bad_field", "has no name: write NAME=VALUE", f"field {number}")
        value = _text(raw_value, place)
        match = _NESTED.fullmatch(name)
        if match:
            _put(nested.setdefault(match[1], {}), _BRACKETS.findall(match[2]), value, place)
        elif name in fields:
            raise WireError("bad_field", "is given twice: keep one of them", place)
        else:
            fields[name] = value
    return fields, nested


def _put(tree: dict[str, Any], keys: list[str], value: str, place: str) -> None:
    """Puts a value at the end of a chain of keys; an empty key is the next number."""
    if len(keys) > MOST_BRACKETS:
        raise WireError("too_deep", f"has more than {MOST_BRACKETS} brackets: flatten it", place)
    for key in keys[:-1]:
        tree = tree.setdefault(key or str(len(tree)), {})
        if not isinstance(tree, dict):
            raise WireError("bad_field", "is a value and has members: keep one of them", place)
    last = keys[-1] or str(len(tree))
    if last in tree:
        raise WireError("bad_field", "is given twice: keep one of them", place)
    tree[last] = value


def _plain(tree: Any) -> Any:
    """A map whose keys count from 0 is a list."""
    if not isinstance(tree, dict):
        return tree
    if all(key == str(number) for number, key in enumerate(tree)):
        return [_plain(member) for member in tree.values()]
    return {key: _plain(member) for key, member in tree.items()}


def _text(raw: bytes, place: str) -> str:
    strange = _UNENCODED.search(raw)
    if strange:
        said = f"holds {strange[0]!r:.8} as it is: percent-encode names and values (in a template: urlquery)"
        raise WireError("malformed", said, place)
    if _BARE_PERCENT.search(raw):
        said = "holds a % that begins no percent-encoding: write it as %25 (in a template: urlquery)"
        raise WireError("malformed", said, place)
    return payload.text(unquote_to_bytes(raw.replace(b"+", b" ")), place)
