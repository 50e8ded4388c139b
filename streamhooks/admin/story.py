"""One event's whole life, gathered from everything that Redis keeps: what `/api/v1/explain/{id}` tells.

The one place that knows where to look: the entry, who matches it, who has it pending, its stored retries, its dead
letters, the notes of the journal.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct, to_builtins
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.delivery.request import webhook_id
from streamhooks.errors import StoreError, WireError
from streamhooks.files import Loaded
from streamhooks.flow.lanes import holds
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler
from streamhooks.masking import masked
from streamhooks.model import Entry, Event
from streamhooks.operations.choice import Choice, event_of, partition_of
from streamhooks.operations.letters import Found, row, takes
from streamhooks.store.connection import ask
from streamhooks.store.dead import DeadLetters
from streamhooks.store.journal import Journal, Written
from streamhooks.store.keys import Keys, partitions
from streamhooks.store.pauses import HELD, Note

RETRIES_LOOKED_AT = 1000


class Story(Struct):
    """What is known of one event in one partition."""

    id: str
    stream: str
    kept: bool
    """Whether the stream still holds the entry."""
    at: int
    """Milliseconds since 1970, from the id."""
    event: dict[str, Any] | None = None
    """As it was written, credentials masked."""
    undecodable: str = ""
    handlers: list[dict[str, Any]] = []
    """Those of the configuration: whether they match it, and why not."""
    pending: list[dict[str, Any]] = []
    """Where it is handed out now: the entry itself, or a retry of it."""
    parked: list[dict[str, Any]] = []
    letters: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    journal_since: int | None = None
    """Milliseconds of the oldest note there is; None: the journal is empty."""
    journal: str = "problems"
    """What the journal is told of: off, problems, all."""


async def stories(client: Redis, loaded: Loaded, notes: dict[str, Note], id: str) -> list[Story]:
    """Of the event of this id, be it that of its entry, its dead letter or its webhook; one for each partition.

    `notes` say who is paused. Raises StoreError.
    """
    settings = loaded.settings
    found = []
    for number, keys in enumerate(partitions(settings.stream.key, settings.stream.partitions)):
        if partition_of(id) in {None, number}:
            story = await _Gathering(client, loaded, keys, number, notes).of(id)
            if story is not None:
                found.append(story)
    return found


class _Gathering:
    """One partition, asked about one event."""

    def __init__(self, client: Redis, loaded: Loaded, keys: Keys, number: int, pauses: dict[str, Note]) -> None:
        self._client = client
        self._loaded = loaded
        self._keys = keys
        self._number = number
        self._pauses = pauses

    async def of(self, id: str) -> Story | None:
        origin = event_of(id)
        entry = await self._entry(origin)
        if entry is None and (named := await self._letter_named(origin)):
            origin = named
            entry = await self._entry(origin)
        story = Story(id=origin, stream=self._keys.stream, kept=entry is not None, at=int(origin.partition("-")[0]))
        story.journal = self._loaded.settings.worker.journal
        event = self._decoded(entry, story) if entry else None
        letters = [letter async for letter in self._letters(origin)]
        story.letters = [row(letter) for letter in letters]
        written = [one async for one in Journal(self._client, self._keys).notes() if one.note.entry == origin]
        story.notes = [{"at": one.at, **_told(one)} for one in written]
        story.journal_since = await Journal(self._client, self._keys).oldest()
        if event is None:
            event = _event_of(letters)
        if event is not None:
            story.event = masked(msgspec.json.decode(wire.pack_event(event)))
            story.handlers = [self._matching(handler, event) for handler in self._loaded.handlers]
        runs = {one.note.run for one in written} | {letter.letter.record.run for letter in letters}
        story.pending = [one async for one in self._pending(origin)]
        story.parked = await self._parked(origin, runs)
        known = entry or story.letters or story.notes or story.pending or story.parked
        return story if known else None

    async def _entry(self, id: str) -> Entry | None:
        found = await ask(self._client, "XRANGE", self._keys.stream, id, id)
        return Entry(id, found[0][1]) if found else None

    async def _letter_named(self, id: str) -> str:
        async for letter in DeadLetters(self._client, self._keys).letters(id, id):
            return letter.record.origin
        return ""

    def _decoded(self, entry: Entry, story: Story) -> Event | None:
        try:
            return wire.decode(entry, self._loaded.settings.worker.max_event_bytes)
        except WireError as error:
            story.undecodable = str(error)
            return None

    async def _letters(self, origin: str) -> Any:
        every = Choice()
        async for letter in DeadLetters(self._client, self._keys).letters():
            if letter.record.origin == origin and takes(every, letter):
                yield Found(self._keys, self._number, letter)

    def _matching(self, handler: Handler, event: Event) -> dict[str, Any]:
        note = self._pauses.get(handler.id)
        return {
            "id": handler.id,
            "webhook_id": webhook_id(event.id, self._number, handler.id),
            "why_not": why_not(handler, event),
            "state": note.state if note else "active",
        }

    async def _pending(self, origin: str) -> Any:
        group = self._loaded.settings.stream.group
        for one in await _pending_at(self._client, self._keys.stream, group, origin):
            yield {"where": "stream", **one}
        for id, fields in await ask(
            self._client, "XRANGE", self._keys.retry, "-", "+", "COUNT", RETRIES_LOOKED_AT
        ):  # fmt: skip
            if fields.get(b"origin", b"").decode() == origin:
                handler = fields.get(b"handler", b"").decode()
                held = await _pending_at(self._client, self._keys.retry, group, id.decode())
                for one in held or [{"consumer": "", "idle": 0.0, "deliveries": 0}]:
                    yield {"where": "retry", "handler": handler, **one}

    async def _parked(self, origin: str, runs: Iterable[str]) -> list[dict[str, Any]]:
        names = [(handler.id, run) for handler in self._loaded.handlers for run in {"", *runs}]
        owners = [f"{origin}{f'~{run}' if run else ''}|{handler}" for handler, run in names]
        if not owners:
            return []
        scores = await ask(self._client, "ZMSCORE", self._keys.parked, *owners)
        return [
            {"handler": handler, "held": float(score) >= HELD, "due": None if float(score) >= HELD else int(score)}
            for (handler, _), score in zip(names, scores, strict=True)
            if score is not None
        ]


def why_not(handler: Handler, event: Event) -> str:
    """Why the handler does not fire on the event; empty: it does."""
    if not Catalogue((handler,)).select(event):
        listens = " ".join(handler.on)
        if any(event.type.startswith(one[:-1]) if one.endswith("*") else event.type == one for one in handler.on):
            return "it is only for other APIs" if handler.apis and event.api_id not in handler.apis else (
                "it is only for other organisations")  # fmt: skip
        return f"it listens to {listens}"
    try:
        return "" if holds(handler, event) else "its condition (when) does not hold"
    except Exception:  # noqa: BLE001  a condition that fails fires, and its dead letter says why
        return ""


def _told(written: Written) -> dict[str, Any]:
    told: dict[str, Any] = to_builtins(written.note)
    return told


def _event_of(letters: Sequence[Found]) -> Event | None:
    """What a letter holds of the event, where the stream has it no more."""
    for found in letters:
        if found.letter.record.event:
            try:
                return wire.unpack_event(found.letter.record.event)
            except WireError:
                continue
    return None


async def _pending_at(client: Redis, key: str, group: str, id: str) -> list[dict[str, Any]]:
    try:
        found = await ask(client, "XPENDING", key, group, id, id, 1)
    except StoreError as error:
        if error.kind == "no_group":
            return []
        raise
    return [
        {"consumer": one["consumer"].decode(), "idle": one["time_since_delivered"] / 1000,
         "deliveries": one["times_delivered"]}
        for one in found
    ]  # fmt: skip
