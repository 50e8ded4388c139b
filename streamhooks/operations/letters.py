"""Which dead letters a person means. How they are shown is in shown.py."""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.delivery.request import webhook_id
from streamhooks.operations.choice import Choice
from streamhooks.settings import Settings
from streamhooks.store.dead import DeadLetters, Letter
from streamhooks.store.ids import is_id, last_id, order
from streamhooks.store.keys import Keys, partitions

LOOKED_AT = 10_000
"""Letters for one page: half a second or so of reading."""


class Found(Struct, frozen=True):
    """A letter and the partition that it lies in."""

    keys: Keys
    number: int
    letter: Letter

    @property
    def names(self) -> frozenset[str]:
        """Every id that a person may call it by."""
        record = self.letter.record
        sent = webhook_id(record.origin, self.number, record.handler, record.id_run) if record.handler else ""
        return frozenset({self.letter.id, record.origin, sent})


class Search:
    """One walk over the letters that are meant, partition by partition, oldest first.

    It goes up to the letters that are there when it begins: what is replayed and dies again is not met a second time.
    """

    def __init__(self, client: Redis, settings: Settings, choice: Choice) -> None:
        self._client = client
        self._choice = choice
        self._places = tuple(enumerate(partitions(settings.stream.key, settings.stream.partitions)))
        self.missing = dict.fromkeys(choice.ids)
        """The ids that no letter was found for, once the walk has ended; in their order."""

    async def found(self) -> AsyncIterator[Found]:
        """Raises StoreError."""
        ends = {number: await last_id(self._client, keys.dead) for number, keys in self._places}
        direct: set[str] = set()
        for number, keys in self._places:
            for id in filter(is_id, self._choice.ids):
                async for found in self._walk(number, keys, id, id):
                    direct.add(id)
                    yield found
        # What no letter is called by is the id of an event or of a webhook.
        others = frozenset(self._choice.ids) - direct
        if self._choice.ids and not others:
            return
        for number, keys in self._places:
            until = min(self._choice.until, ends[number], key=lambda id: order(id, last=True))
            async for found in self._walk(number, keys, self._choice.since, until):
                if not self._choice.ids or (found.letter.id not in direct and found.names & others):
                    yield found

    async def _walk(self, number: int, keys: Keys, since: str, until: str) -> AsyncIterator[Found]:
        async for letter in DeadLetters(self._client, keys).letters(since, until):
            found = Found(keys, number, letter)
            if takes(self._choice, letter):
                for name in found.names if self.missing else ():
                    self.missing.pop(name, None)
                yield found


def takes(choice: Choice, letter: Letter) -> bool:
    """Whether the filters take it; ids are another matter."""
    record = letter.record
    return (
        choice.takes_time(letter.id)
        and (not choice.handler or record.handler == choice.handler)
        and (not choice.reason or record.reason == choice.reason)
        and choice.takes_type(record.type)
    )


class Page(Struct, frozen=True):
    """Some letters, the newest first."""

    found: tuple[Found, ...]
    following: str
    """What `newest` takes as `before` to go on; empty: there is nothing more."""
    total: int
    """Letters that there are, whatever the filters say."""


async def newest(client: Redis, settings: Settings, choice: Choice, size: int, before: str = "") -> Page:
    """At most `size` letters that the filters take, the newest first, over all partitions.

    Not more than LOOKED_AT letters are looked at for one page: it may hold fewer, and still have a following one.
    Raises StoreError, and ValueError for a `before` that no page has given.
    """
    places = tuple(enumerate(partitions(settings.stream.key, settings.stream.partitions)))
    bound = _Mark.read(before) if before else _Mark("+", len(places))
    dead = [DeadLetters(client, keys) for _, keys in places]
    sources = [_marked(number, letters.newest(bound.end(number, choice.until), choice.since)) for number, letters
               in enumerate(dead)]  # fmt: skip
    found: list[Found] = []
    last = bound
    looked = 0
    async for mark, letter in _merged(sources):
        if len(found) == size or looked == LOOKED_AT:
            return Page(tuple(found), last.spelled, sum([await one.count() for one in dead]))
        looked += 1
        last = mark
        if takes(choice, letter):
            found.append(Found(places[mark.number][1], mark.number, letter))
    return Page(tuple(found), "", sum([await one.count() for one in dead]))


class _Mark(Struct, frozen=True, order=False):
    """The place of a letter among those of all partitions: by id, then by partition, for an id may be there twice."""

    id: str
    number: int

    @classmethod
    def read(cls, text: str) -> "_Mark":
        """Raises ValueError."""
        id, _, number = text.partition("_")
        if not is_id(id) or not (number.isascii() and number.isdecimal() and len(number) < 6):
            raise ValueError(text)
        return cls(id, int(number))

    @property
    def spelled(self) -> str:
        return f"{self.id}_{self.number}"

    @property
    def rank(self) -> tuple[tuple[int, int], int]:
        return order(self.id), self.number

    def end(self, number: int, until: str) -> str:
        """Where the walk over a partition begins, as XREVRANGE has it."""
        if order(until, last=True) < order(self.id):
            return until
        return self.id if number < self.number else f"({self.id}"


async def _marked(number: int, letters: AsyncIterator[Letter]) -> AsyncIterator[tuple[_Mark, Letter]]:
    async for letter in letters:
        yield _Mark(letter.id, number), letter


async def _merged(sources: Sequence[AsyncIterator[tuple[_Mark, Letter]]]) -> AsyncIterator[tuple[_Mark, Letter]]:
    heads = [head for source in sources if (head := await anext(source, None)) is not None]
    while heads:
        head = max(heads, key=lambda one: one[0].rank)
        heads.remove(head)
        yield head
        following = await anext(sources[head[0].number], None)
        if following is not None:
            heads.append(following)
