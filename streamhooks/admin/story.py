"""One event's whole life, gathered from what Redis keeps: what `/api/v1/explain/{id}` tells.

The one place that knows where to look: the entry, who matches it, who has it pending, its stored retries, its dead
letters, the notes of the journal. Whatever tells stories may take its place by giving the same shape.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.delivery.masking import masked
from streamhooks.delivery.request import webhook_id
from streamhooks.errors import StoreError, TemplateError, WireError
from streamhooks.files import Loaded
from streamhooks.flow.lanes import holds
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler
from streamhooks.model import Entry, Event
from streamhooks.operations.choice import event_of, partition_of
from streamhooks.operations.letters import Found, row
from streamhooks.operations.moments import utc
from streamhooks.store.connection import ask, translated
from streamhooks.store.dead import DeadLetters
from streamhooks.store.ids import is_id
from streamhooks.store.journal import Journal, Note, Written
from streamhooks.store.keys import Keys, partitions
from streamhooks.store.pauses import HELD

RETRIES_LOOKED_AT = 1000


class Step(Struct):
    """One thing that happened."""

    at: int
    """Milliseconds since 1970."""
    what: str
    text: str
    handler: str = ""
    worker: str = ""
    attempt: int = 0
    status: int = 0
    ms: int = 0
    answer: str = ""
    by: str = ""
    """Suppressed: the entry whose request stands for this one."""


class Part(Struct):
    """One handler's part in it."""

    handler: str
    verdict: str
    """`fires`, or what keeps it from that: `type`, `when`."""
    text: str
    webhook_id: str = ""


class Place(Struct):
    """Where it is now."""

    state: str
    text: str
    handler: str = ""
    letter: str = ""
    """The id of its dead letter."""


class Story(Struct):
    """One event in one partition."""

    id: str
    stream: str
    partition: int
    kept: bool
    """The stream still holds the entry."""
    event: dict[str, str] | None = None
    content: Mapping[str, Any] | None = None
    """Its Meta, credentials masked."""
    remarks: list[str] = []
    steps: list[Step] = []
    handlers: list[Part] = []
    now: list[Place] = []
    to_do: list[dict[str, str]] = []


async def stories(client: Redis, loaded: Loaded, id: str) -> list[Story]:
    """Of the event of this id, be it that of its entry, its dead letter or its webhook. Raises StoreError."""
    stream = loaded.settings.stream
    found = []
    for number, keys in enumerate(partitions(stream.key, stream.partitions)):
        if partition_of(id) in {None, number}:
            story = await _Gathering(client, loaded, keys, number).of(event_of(id))
            found += [story] if story else []
    return found


class _Gathering:
    """One partition, asked about one event."""

    def __init__(self, client: Redis, loaded: Loaded, keys: Keys, number: int) -> None:
        self._client = client
        self._loaded = loaded
        self._keys = keys
        self._number = number

    async def of(self, id: str) -> Story | None:
        entry = await self._entry(id)
        if entry is None and (origin := await self._origin_of_letter(id)):
            id, entry = origin, await self._entry(origin)
        story = Story(id, self._keys.stream, self._number, kept=entry is not None)
        letters = await self._letters(id)
        written = [one async for one in Journal(self._client, self._keys).notes() if one.note.entry == id]
        story.steps = [Step(int(id.partition("-")[0]), "added", f"added to {self._keys.stream}")]
        story.steps += [_step(one) for one in written]
        event = self._decoded(entry, letters, story)
        if event is not None:
            names = ("type", "api_id", "org_id", "source", "timestamp")
            story.event = {name: getattr(event, name) for name in names}
            story.content = masked(event.meta)
            story.handlers = [self._part(handler, event) for handler in self._loaded.handlers]
        runs = {one.note.run for one in written} | {one.letter.record.run for one in letters} | {""}
        story.now = await self._pending(id) + await self._stored(id, runs) + [_grave(one) for one in letters]
        self._remark(story, written, await Journal(self._client, self._keys).oldest())
        return story if entry or letters or written or story.now else None

    async def _entry(self, id: str) -> Entry | None:
        found = await ask(self._client, "XRANGE", self._keys.stream, id, id)
        return Entry(id, found[0][1]) if found else None

    async def _origin_of_letter(self, id: str) -> str:
        async for letter in DeadLetters(self._client, self._keys).letters(id, id):
            return letter.record.origin if is_id(letter.record.origin) else ""
        return ""

    async def _letters(self, id: str) -> list[Found]:
        every = DeadLetters(self._client, self._keys).letters()
        return [Found(self._keys, self._number, letter) async for letter in every if letter.record.origin == id]

    def _decoded(self, entry: Entry | None, letters: list[Found], story: Story) -> Event | None:
        """Of the stream's entry, else of a dead letter."""
        try:
            if entry is not None:
                return wire.decode(entry, self._loaded.settings.worker.max_event_bytes)
        except WireError as error:
            story.remarks.append(f"the entry is no event: {error}")
        for found in letters:
            try:
                return wire.unpack_event(found.letter.record.event)
            except WireError:
                continue
        return None

    def _part(self, handler: Handler, event: Event) -> Part:
        verdict, text = _verdict(handler, event)
        named = webhook_id(event.id, self._number, handler.id) if verdict == "fires" else ""
        return Part(handler.id, verdict, text, named)

    async def _pending(self, id: str) -> list[Place]:
        places = await self._held_at(self._keys.stream, id, "")
        words = ("XRANGE", self._keys.retry, "-", "+", "COUNT", RETRIES_LOOKED_AT)
        for carrier, fields in await ask(self._client, *words):
            if fields.get(b"origin") == id.encode():
                handler = fields.get(b"handler", b"").decode()
                due = [Place("due", "in the retry stream, waiting to be read", handler)]
                places += await self._held_at(self._keys.retry, carrier.decode(), handler) or due
        return places

    async def _held_at(self, key: str, id: str, handler: str) -> list[Place]:
        try:
            with translated():
                found: Any = await self._client.xpending_range(key, self._loaded.settings.stream.group, id, id, 1)
        except StoreError as error:
            if error.kind == "no_group":
                return []
            raise
        places = []
        for one in found:
            said = f"pending at {one['consumer'].decode()}, handed out {_counted(one['times_delivered'])}"
            places.append(Place("pending", said, handler))
        return places

    async def _stored(self, id: str, runs: set[str]) -> list[Place]:
        names = [(one.id, f"{id}~{run}|{one.id}" if run else f"{id}|{one.id}") for one in self._loaded.handlers
                 for run in sorted(runs)]  # fmt: skip
        if not names:
            return []
        scores = await ask(self._client, "ZMSCORE", self._keys.parked, *(owner for _, owner in names))
        return [
            Place("held", "stored until its handler is resumed", handler)
            if float(score) >= HELD
            else Place("parked", f"stored for a retry at {utc(int(float(score)))}", handler)
            for (handler, _), score in zip(names, scores, strict=True)
            if score is not None
        ]

    def _remark(self, story: Story, written: list[Written], oldest: int | None) -> None:
        mode = self._loaded.settings.worker.journal
        if mode == "off":
            story.remarks.append("worker.journal is off: attempts are not noted")
        elif mode == "problems" and not written:
            since = f" since {utc(oldest)}" if oldest is not None else ""
            story.remarks.append(f"worker.journal notes problems only, and has none of this event{since}")


def _counted(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _verdict(handler: Handler, event: Event) -> tuple[str, str]:
    if not Catalogue((handler,)).select(event):
        return "type", f"listens to {' '.join(handler.on)}; not to this type, API or organisation"
    try:
        fires = holds(handler, event)
    except TemplateError:
        return "fires", "fires: its condition (when) fails, and a dead letter says why"
    return ("fires", "fires") if fires else ("when", "its condition (when) does not hold for this event")


def _grave(found: Found) -> Place:
    told = row(found)
    return Place("dead", f"dead letter ({told['reason']}): {told['why']}", told["handler"], letter=told["id"])


def _step(written: Written) -> Step:
    note = written.note
    return Step(
        at=written.at, what="attempt" if note.sent else note.what, text=_said(note), handler=note.handler,
        worker=note.worker, attempt=note.attempt, status=note.status, ms=note.ms, answer=note.answer,
        by=note.by.partition("|")[0],
    )  # fmt: skip


def _said(note: Note) -> str:
    came = f"attempt {note.attempt}: {note.status or note.failure} in {note.ms} ms; " if note.sent else ""
    match note.what:
        case "delivered":
            return f"{came}delivered"
        case "suppressed":
            return "suppressed: the same request stands for it"
        case "retry":
            again = "when its handler is resumed" if note.again < 0 else f"in {note.again:g} s"
            return f"{came}{note.why}; again {again}"
        case "dead":
            return f"{came}dead letter ({note.reason}): {note.why}"
        case "unmatched":
            return "no handler wants it"
        case _:
            assert_never(note.what)
