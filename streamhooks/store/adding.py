"""Adding events to their streams, and how long these have grown.

Events of one stream go in calls of a script, each of which adds all of its events or none. What a call could not say,
because its answer was lost, is known as that: it may have been added.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.connection import ask
from streamhooks.store.scripts import Script, calls

_add = Script("add")


class Added(Struct, frozen=True):
    """What became of events: their ids by number, and, where Redis failed, why and whose fate is not known."""

    ids: dict[int, str]
    unknown: tuple[int, ...] = ()
    failed: StoreError | None = None


async def add(client: Redis, events: Sequence[tuple[str, bytes]]) -> Added:
    """Adds events, each a stream and its packed form. Raises nothing: a failure is told with what was added before."""
    numbers: dict[str, list[int]] = {}
    for number, (stream, _) in enumerate(events):
        numbers.setdefault(stream, []).append(number)
    ids: dict[int, str] = {}
    for stream, own in numbers.items():
        for call in calls(own, lambda number: len(events[number][1])):
            try:
                answer = await _add(client, [stream], [events[number][1] for number in call])
            except StoreError as error:
                return Added(ids, tuple(call) if error.kind == "away" else (), error)
            ids.update((number, id.decode()) for number, id in zip(call, answer, strict=True))
    return Added(ids)


async def longest(client: Redis, streams: Iterable[str]) -> int:
    """The entries of the longest of these streams. Raises StoreError."""
    return max([int(await ask(client, "XLEN", stream)) for stream in streams], default=0)
