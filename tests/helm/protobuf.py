"""Secrets as helm sends them: in Kubernetes' protobuf encoding, of which this reads what a Secret of helm's needs.

The bytes `k8s\\0`, then a runtime.Unknown, whose field 2 is the object (k8s.io/apimachinery, runtime/generated.proto);
the numbers of the fields are those of core/v1 and meta/v1 generated.proto.
"""

import base64
from collections.abc import Iterator
from typing import Any

MAGIC = b"k8s\0"
_VARINT, _BYTES = 0, 2


def secret(data: bytes) -> dict[str, Any]:
    """The Secret as JSON has it."""
    assert data.startswith(MAGIC), "no Kubernetes protobuf"
    raw = next(value for field, value in _fields(data[len(MAGIC) :]) if field == 2)
    metadata: dict[str, Any] = {}
    held: dict[str, str] = {}
    made: dict[str, Any] = {"metadata": metadata, "data": held}
    for field, value in _fields(raw):
        if field == 1:
            metadata |= _metadata(value)
        elif field == 2:
            key, content = _pair(value)
            held[key.decode()] = base64.b64encode(content).decode()
        elif field == 3:
            made["type"] = value.decode()
    return made


def _metadata(data: bytes) -> dict[str, Any]:
    made: dict[str, Any] = {"labels": {}}
    for field, value in _fields(data):
        if field == 1:
            made["name"] = value.decode()
        elif field == 11:
            key, text = _pair(value)
            made["labels"][key.decode()] = text.decode()
    return made


def _pair(data: bytes) -> tuple[bytes, bytes]:
    """One entry of a map."""
    entry = dict(_fields(data))
    return entry.get(1, b""), entry.get(2, b"")


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field; numbers that are no bytes are left out, for nothing here needs them."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == _VARINT:
            _, at = _varint(data, at)
        else:
            assert tag & 7 == _BYTES, f"a field of the wire type {tag & 7}"
            size, at = _varint(data, at)
            yield tag >> 3, data[at : at + size]
            at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
