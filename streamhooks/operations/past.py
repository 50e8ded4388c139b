"""Which past events a person means: the history of every partition in the order of its ids, and whom each event fires.

All partitions are walked side by side, so that one id says how far a replay has come, wherever the event lies.
"""

import heapq
from collections.abc import AsyncIterator, Sequence

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.delivery.request import webhook_id
from streamhooks.errors import WireError
from streamhooks.files import Loaded
from streamhooks.flow.lanes import wants
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.model import Event
from streamhooks.operations.choice import Choice, event_of, partition_of
from streamhooks.store.history import History, Past
from streamhooks.store.ids import order
from streamhooks.store.keys import Keys, partitions


class Firing(Struct, frozen=True):
    """A past event, and the handlers of the configuration in force that it fires."""

    keys: Keys
    event: Event
    handlers: tuple[str, ...]


class LeftOut(Struct):
    """What lay in the time that was asked for and is not fired."""

    not_acknowledged: int = 0
    undecodable: int = 0
    unmatched: int = 0


class Walk:
    """One walk over what is meant, by the order of ids; `left_out` and `missing` are known once it has ended."""

    def __init__(self, client: Redis, loaded: Loaded, choice: Choice) -> None:
        stream = loaded.settings.stream
        self._choice = choice
        self._catalogue = Catalogue(loaded.handlers)
        self._max_bytes = loaded.settings.worker.max_event_bytes
        self._places = tuple(
            (keys, History(client, keys, stream.group)) for keys in partitions(stream.key, stream.partitions)
        )
        self._called: dict[str, list[str]] = {}
        for id in choice.ids:
            self._called.setdefault(event_of(id), []).append(id)
        self.left_out = LeftOut()
        self.missing = dict.fromkeys(choice.ids)
        """The ids for which nothing was found, in their order."""

    async def firings(self) -> AsyncIterator[Firing]:
        """Raises StoreError."""
        sources = [self._entries(history) for _, history in self._places]
        async for number, past in merged(sources):
            names = self._names(past.entry.id, number)
            if not self._choice.takes_time(past.entry.id) or (self._choice.ids and not names):
                continue
            firing = self._firing(number, past, names)
            if firing is not None:
                yield firing

    async def _entries(self, history: History) -> AsyncIterator[Past]:
        """Named entries one by one, for they may lie far apart; else all that the filters for time take."""
        if not self._choice.ids:
            async for past in history.entries(self._choice.since, self._choice.until):
                yield past
        for id in sorted(self._called, key=order):
            async for past in history.entries(id, id):
                yield past

    def _names(self, entry: str, number: int) -> list[str]:
        """What a person called the entry by: its own id, or the id of a webhook of its partition."""
        return [id for id in self._called.get(entry, ()) if partition_of(id) in {None, number}]

    def _firing(self, number: int, past: Past, names: Sequence[str]) -> Firing | None:
        event = self._decoded(past)
        if event is not None and not self._choice.takes_type(event.type):
            return None
        selected: list[str] = []
        if not past.ended:
            self.left_out.not_acknowledged += 1
        elif event is None:
            self.left_out.undecodable += 1
        else:
            selected = [one.id for one in self._catalogue.select(event) if wants(one, event)]
            self.left_out.unmatched += not selected
        if event is None or not selected:
            self._met(names)
            return None
        handlers = tuple(handler for handler in selected if self._takes(handler, event, number, names))
        return Firing(self._places[number][0], event, handlers) if handlers else None

    def _decoded(self, past: Past) -> Event | None:
        try:
            return wire.decode(past.entry, self._max_bytes)
        except WireError:
            return None

    def _takes(self, handler: str, event: Event, number: int, names: Sequence[str]) -> bool:
        """Whether the handler is meant: by --handler, and of a webhook-id by what it says of its handler."""
        if self._choice.handler and handler != self._choice.handler:
            return False
        sent = webhook_id(event.id, number, handler)
        meant = [name for name in names if name == event.id or name.partition("_r")[0] == sent]
        self._met(meant)
        return bool(meant) or not names

    def _met(self, names: Sequence[str]) -> None:
        for name in names:
            self.missing.pop(name, None)


async def merged(sources: Sequence[AsyncIterator[Past]]) -> AsyncIterator[tuple[int, Past]]:
    """Entries of all sources by the order of their ids, each with the number of its source."""
    heads: list[tuple[tuple[int, int], int, Past]] = []

    async def take_from(number: int) -> None:
        past = await anext(sources[number], None)
        if past is not None:
            heapq.heappush(heads, (order(past.entry.id), number, past))

    for number in range(len(sources)):
        await take_from(number)
    while heads:
        _, number, past = heapq.heappop(heads)
        yield number, past
        await take_from(number)
