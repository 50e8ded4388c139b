"""Ids of stream entries: how they are ordered, which one follows, and which one was the last.

Both halves go up to 2^64 - 1, and an id that a gateway gives has no fixed width: text does not compare.
"""

import re

from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.connection import ask

_MOST = 2**64 - 1
_ID = re.compile(r"\d{1,20}-\d{1,20}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether Redis takes it as a whole id."""
    return _ID.fullmatch(text) is not None and max(order(text)) <= _MOST


def order(id: str, *, last: bool = False) -> tuple[int, int]:
    """An id as numbers, to be compared. `-` and `+` are the ends, as XRANGE has them.

    A time without a sequence stands for its first entry, with `last` for its last one.
    """
    if id == "-":
        return 0, 0
    if id == "+":
        return _MOST, _MOST
    ms, _, seq = id.partition("-")
    return int(ms), int(seq or (_MOST if last else 0))


def following(id: str) -> str:
    """The least id above this one."""
    ms, seq = order(id)
    return f"{ms}-{seq + 1}" if seq < _MOST else f"{ms + 1}-0"


def preceding(id: str) -> str:
    """The greatest id below this one: whoever reads on after it is given the entry itself next."""
    ms, seq = order(id)
    if seq > 0:
        return f"{ms}-{seq - 1}"
    return f"{ms - 1}-{_MOST}" if ms > 0 else "0-0"


async def last_id(client: Redis, key: str) -> str:
    """The id that was given last in a stream, though its entry may be gone; `0-0` where there is no stream.

    Whoever walks up to it meets nothing that comes meanwhile. Raises StoreError.
    """
    try:
        return str((await ask(client, "XINFO STREAM", key))["last-generated-id"].decode())
    except StoreError as error:
        if error.kind == "no_group":  # no such key
            return "0-0"
        raise
