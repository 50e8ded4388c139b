"""Bytes -> JSON values: one map, written as JSON or as MessagePack, with everything in it checked.

JSON is already safe but for its depth, so its values are walked only where the raw bytes hold more brackets than may
nest; MessagePack brings bytes, times, any key and NaN, so it is always walked. Its times become RFC 3339 text and its
binary strings text. What is wrong becomes a WireError that names the place, and nothing else is ever raised.

Kinds: `too_deep`, `not_a_map`, `malformed`, `utf8`, `not_finite`, `bad_key`, `bad_value`.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NoReturn, TypeAlias

import msgspec

from streamhooks.errors import WireError

MAX_DEPTH: Final = 64
"""Containers inside containers, the event's own map being the first."""

Path: TypeAlias = "tuple[Path, str | int] | str"
"""A place as a chain from the inside out, of keys and indexes: spelled only when something is wrong."""

_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
_NOT_FINITE = re.compile(rb"[:,\[\s]-?(NaN|Infinity)\b")
_PLAIN = frozenset({str, int, bool, type(None)})
_CONTAINERS = frozenset({dict, list})
_MSGPACK_MAPS = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})
"""First bytes of a map: fixmap, map 16, map 32 (MessagePack specification, Formats)."""

_from_json = msgspec.json.Decoder().decode
_from_msgpack = msgspec.msgpack.Decoder().decode


def document(data: bytes, depth: int, place: str) -> dict[str, Any]:
    """One map, as JSON where it begins with `{`, else as MessagePack. `depth` is how deep the map itself lies."""
    is_json = data[:1] == b"{"
    if not is_json and (not data or data[0] not in _MSGPACK_MAPS):
        not_a_map(place)
    try:
        value = _from_json(data) if is_json else _from_msgpack(data)
    except UnicodeDecodeError:
        raise WireError("utf8", "is not UTF-8: write strings in UTF-8", place) from None
    except RecursionError:
        _too_deep(place)
    except (msgspec.MsgspecError, ValueError, OverflowError) as fault:
        _malformed(data, is_json, str(fault), place)
    if not is_json or may_be_deep(data):
        value = plain(value, depth, place)
    return value  # type: ignore[no-any-return]  # both formats were seen to begin with a map


def may_be_deep(data: bytes) -> bool:
    """Whether JSON text could nest deeper than allowed: fewer brackets, those in strings included, cannot."""
    return data.count(b"{") + data.count(b"[") >= MAX_DEPTH


def plain(value: Any, depth: int, path: Path) -> Any:
    """The same value in JSON's types: bytes become text, times RFC 3339. Raises WireError for what has no JSON.

    Members that are plain, or empty, are judged where they stand: a hostile event holds a quarter of a million, and a
    call for each of them would hold up every delivery.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        raise WireError("not_finite", f"is {value}: JSON has no such number, leave it out", _spelled(path))
    if kind is dict or isinstance(value, Mapping):
        if depth > MAX_DEPTH:
            _too_deep(_root(path))
        return {
            _key(key, path): member
            if type(member) in _PLAIN or (not member and depth < MAX_DEPTH and type(member) in _CONTAINERS)
            else plain(member, depth + 1, (path, str(key)))
            for key, member in value.items()
        }
    if kind is list or isinstance(value, list | tuple):
        if depth > MAX_DEPTH:
            _too_deep(_root(path))
        return [
            member
            if type(member) in _PLAIN or (not member and depth < MAX_DEPTH and type(member) in _CONTAINERS)
            else plain(member, depth + 1, (path, index))
            for index, member in enumerate(value)
        ]
    if isinstance(value, bytes | bytearray):
        return text(bytes(value), _spelled(path))
    if isinstance(value, datetime):
        return _moment(value, path)
    if isinstance(value, str | int):
        return value
    raise WireError("bad_value", f"is {word(value)}: only JSON's values can be sent", _spelled(path))


def text(data: bytes, place: str) -> str:
    """UTF-8 as a string. Raises WireError."""
    try:
        return data.decode()
    except UnicodeDecodeError as fault:
        message = f"byte {fault.start} is not UTF-8: write text in UTF-8, binary data in base64"
        raise WireError("utf8", message, place) from None


def rfc3339(moment: datetime) -> str:
    """In UTC with milliseconds, or with microseconds where it has them."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds" if utc.microsecond % 1000 else "milliseconds") + "Z"


def word(value: object) -> str:
    """What a value is, in JSON's words where JSON has one."""
    words = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "a map"}
    return words.get(type(value), f"a {type(value).__name__}")


def not_a_map(place: str) -> NoReturn:
    raise WireError("not_a_map", "is no map: write a JSON object that begins with { or a MessagePack map", place)


def _moment(value: datetime, path: Path) -> str:
    if value.tzinfo is None:
        raise WireError("bad_value", "is a time without a zone: give it one", _spelled(path))
    try:
        return rfc3339(value)
    except OverflowError:
        raise WireError("bad_value", "is a time outside the years 1 to 9999 in UTC", _spelled(path)) from None


def _key(key: object, path: Path) -> str:
    if isinstance(key, str):
        return key
    raise WireError("bad_key", f"has the key {key!r:.40}: keys of a map are strings", _spelled(path))


def _malformed(data: bytes, is_json: bool, fault: str, place: str) -> NoReturn:
    if is_json and ("Number out of range" in fault or _NOT_FINITE.search(data)):
        message = "holds a number that is not finite (NaN, Infinity or beyond 1e308): leave it out"
        raise WireError("not_finite", message, place)
    if is_json and "truncated" in fault and _HALF_PAIR.search(data):
        raise WireError("utf8", r"holds half a surrogate pair (\ud800 to \udfff) or is cut short", place)
    reason = fault.partition("malformed: ")[2] or fault.partition(" - at")[0]
    format_ = "JSON" if is_json else "MessagePack"
    raise WireError("malformed", f"is not {format_} ({reason}): write one whole {format_} map", place)


def _too_deep(place: str) -> NoReturn:
    raise WireError("too_deep", f"is nested deeper than {MAX_DEPTH}: flatten it", place)


def _root(path: Path) -> str:
    while not isinstance(path, str):
        path = path[0]
    return path


def _spelled(path: Path) -> str:
    """`d.meta.Headers[3]`, cut to 200 characters: keys are the sender's to choose."""
    parts: list[str] = []
    while not isinstance(path, str):
        path, step = path
        parts.append(f".{step}" if isinstance(step, str) else f"[{step}]")
    spelled = path + "".join(reversed(parts))
    return spelled if len(spelled) <= 200 else spelled[:197] + "..."
