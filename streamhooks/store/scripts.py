"""Lua scripts as functions: the source is a file beside this one, the typed call is in the room that owns the keys.

A script's head says its keys, arguments, answer and laws. It is sent once and called by its SHA-1 afterwards; a server
that has forgotten it (restart, SCRIPT FLUSH) is sent the source again.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from typing import Any, TypeVar

from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.connection import Word, ask

T = TypeVar("T")
RECORDS_PER_CALL = 100
"""A record is at most 30 words with what goes beside it: some managed services take at most 3,999 in a request."""
BYTES_PER_CALL = 1 << 20
"""Of payload: a script that copies more holds every other client up."""


def calls(items: Sequence[T], size: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """Cuts what is to be stored into calls of a script; `size` tells the bytes of one. One that is too large alone
    goes alone.
    """
    begin = held = 0
    for at, item in enumerate(items):
        own = size(item)
        if at > begin and (at - begin == RECORDS_PER_CALL or held + own > BYTES_PER_CALL):
            yield items[begin:at]
            begin, held = at, 0
        held += own
    if begin < len(items):
        yield items[begin:]


class Script:
    """One Lua script. `await script(client, keys, words)` gives its answer as redis-py has it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.source = files("streamhooks.store").joinpath("lua", f"{name}.lua").read_text("utf-8")
        self._sha = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, client: Redis, keys: Sequence[str], words: Sequence[Word]) -> Any:
        try:
            return await ask(client, "EVALSHA", self._sha, len(keys), *keys, *words)
        except StoreError as error:
            if error.kind != "no_script":
                raise
            return await ask(client, "EVAL", self.source, len(keys), *keys, *words)
