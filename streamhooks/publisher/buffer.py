"""Events on their way to Redis, and what becomes of each: a queue with a bound, one batch under way at a time.

Strategy: whoever publishes adds items; the one who sends takes a batch (`next`), notes on each item what Redis said,
and has it settled (`settle`), which is where every end is decided. What is left of a batch comes first in the next one.

Laws: an item ends exactly once: with an id, or with a trouble while somebody waits for it whose patience is over. An
item that nobody waits for (`put`) ends with an id only, or in the hands of whoever closes (`give_back`). Nothing here
waits or reads a clock: `now` is an argument, in the seconds of any clock that does not jump.
"""

from collections import deque
from collections.abc import Callable
from itertools import chain

from streamhooks.errors import PublishError
from streamhooks.publisher.trouble import Trouble

BATCH = 1000
"""Events of one round trip at most. More saves nothing that can be measured."""
BATCH_BYTES = 1 << 20
"""Bytes of one round trip, unless a single event is larger: so little does not show in a server's memory."""
OVERHEAD = 200
"""Bytes that an event costs in memory beside its data."""


class Call:
    """One call that waits for its events. `over` is called once each of them has ended."""

    __slots__ = ("items", "left", "over", "replicas", "until")

    def __init__(self, until: float, replicas: int, over: Callable[[], None]) -> None:
        self.until = until
        """When its patience is over: nothing is tried again after this."""
        self.replicas = replicas
        """How many must have its events."""
        self.over = over
        self.items: list[Item] = []
        self.left = 0


class Item:
    """One event. What Redis said of it is written here by the one who sends."""

    __slots__ = ("call", "copies", "data", "ended", "id", "number", "stream", "trouble", "unsure")

    def __init__(self, stream: str, data: bytes, call: Call | None) -> None:
        self.stream = stream
        self.data = data
        self.call = call
        """None: nobody waits for it."""
        self.id = ""
        self.copies = 0
        """The replicas that have it, where it was asked."""
        self.trouble: Trouble | None = None
        self.unsure = False
        """It was sent and no answer came: it may be in the stream, and will be twice if it is sent again."""
        self.ended = False
        self.number = 0
        """Its place among all that were ever added to its buffer, from 0."""


class Buffer:
    """At most `most` bytes, unless a single event is larger."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Item] = deque()
        self._under_way: list[Item] = []
        self.size = 0
        """Bytes that are held."""
        self.added = 0
        """Events so far."""
        self._ended = 0

    def __len__(self) -> int:
        return self.added - self._ended

    @property
    def done(self) -> int:
        """The number below which every event has ended; not how many have, for later ones may overtake a stuck one."""
        left = (item.number for item in chain(self._under_way, self._waiting) if not item.ended)
        return next(left, self.added)

    @property
    def stuck(self) -> bool:
        """Something was tried and not taken, and is to be tried again."""
        return bool(self._under_way)

    def has_room(self, data: bytes) -> bool:
        return not self.size or self.size + len(data) + OVERHEAD <= self._most

    def add(self, item: Item) -> None:
        item.number = self.added
        self._waiting.append(item)
        self.size += len(item.data) + OVERHEAD
        self.added += 1
        if item.call is not None:
            item.call.items.append(item)
            item.call.left += 1

    def next(self) -> list[Item]:
        """The batch to be sent now; empty where there is nothing."""
        batch = [item for item in self._under_way if not item.ended]
        size = sum(len(item.data) for item in batch)
        while self._waiting and len(batch) < BATCH:
            item = self._waiting[0]
            size += len(item.data)
            if batch and size > BATCH_BYTES:
                break
            self._waiting.popleft()
            if not item.ended:
                batch.append(item)
        self._under_way = batch
        return batch

    def settle(self, now: float, trouble: Trouble | None) -> None:
        """Ends what Redis gave an id, and what it did not while its caller's patience is over or of no use."""
        for item in self._under_way:
            if not item.ended and (item.id or _is_over(item, now)):
                self._end(item)
        self._under_way = [item for item in self._under_way if not item.ended]
        if trouble is not None:
            self._expire(now, trouble)

    def patience(self, now: float) -> float:
        """Seconds until the next caller gives up; infinite where nobody waits."""
        calls = {item.call for item in (*self._under_way, *self._waiting) if item.call is not None}
        return max(0.0, min((call.until for call in calls), default=float("inf")) - now)

    def drop(self, call: Call) -> None:
        """Its caller waits no longer: what was not sent is not sent any more."""
        for item in call.items:
            if not item.ended:
                self._end(item)

    def give_back(self, trouble: Trouble) -> list[bytes]:
        """Ends everything; the data of what nobody waits for."""
        left = [item for item in (*self._under_way, *self._waiting) if not item.ended]
        for item in left:
            item.trouble = item.trouble or trouble
            self._end(item)
        self._under_way, self._waiting = [], deque()
        return [item.data for item in left if item.call is None]

    def _expire(self, now: float, trouble: Trouble) -> None:
        for item in self._waiting:
            if not item.ended and item.call is not None and now >= item.call.until:
                item.trouble = trouble
                self._end(item)

    def _end(self, item: Item) -> None:
        item.ended = True
        self.size -= len(item.data) + OVERHEAD
        self._ended += 1
        if item.call is not None:
            item.call.left -= 1
            if not item.call.left:
                item.call.over()


def _is_over(item: Item, now: float) -> bool:
    call, trouble = item.call, item.trouble
    return call is not None and trouble is not None and (trouble.lasting or now >= call.until)


def ids_of(call: Call, place: str) -> list[str]:
    """What a call gives once its items have ended. Raises PublishError where Redis gave no id, or too few replicas."""
    every = call.items
    ids = [item.id or None for item in every]
    missing = [item for item in every if not item.id]
    if missing:
        trouble = next((item.trouble for item in missing if item.trouble is not None), SLOW)
        unsure = sum(item.unsure for item in missing)
        doubt = f"; {unsure} may be in the stream nonetheless, for no answer came" if unsure else ""
        said = f"{counted(len(missing), len(every))} not published: Redis {trouble.message}{doubt}"
        left = [item.data for item in missing]
        raise PublishError(trouble.kind, said, place, ids=ids, unpublished=left, why=trouble.message)
    fewest = min((item.copies for item in every), default=call.replicas)
    if fewest < call.replicas:
        said = (
            f"{counted(len(every))} published, but only {fewest} of {call.replicas} replicas said in time that they "
            "have what was; do not publish again, look at the replicas"
        )
        raise PublishError("replicas", said, place, ids=ids)
    return [item.id for item in every]


def counted(part: int, whole: int | None = None) -> str:
    """`1 event was`, `2 events were`, `1 of 2 events was`."""
    events = "event" if (part if whole is None else whole) == 1 else "events"
    of = "" if whole is None or whole == 1 else f" of {whole}"
    return f"{part}{of} {events} {'was' if part == 1 else 'were'}"


SLOW = Trouble("away", "did not answer in time")
