"""One request's body -> entries in the streams: all of its events, or none and every reason why.

Law: ids are told only of what Redis has acknowledged. Where Redis fails midway, the sender is told which events were
taken and of which nobody can say, so that it sends the others again and no more.

The worker shares this process's loop, so what is large is read on a thread, and what is small in slices, between which
deliveries go on; and Redis is asked over connections of the door's own, so that no delivery waits for one.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import structlog
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.errors import StoreError, WireError
from streamhooks.ingest.bodies import Piece, Untyped, judge, pieces, refused, refused_whole
from streamhooks.ingest.kinds import Kind
from streamhooks.ingest.refusals import Bad, IngestError, bad
from streamhooks.observe.figures import Figures
from streamhooks.partitioning import stream_names, stream_of
from streamhooks.settings import Settings
from streamhooks.store.adding import Added, add, longest
from streamhooks.wire import Packed

log = structlog.get_logger("streamhooks")
T = TypeVar("T")
SLICE_BYTES = 16384
"""What is read in one go: some ten milliseconds where it is as hostile as can be. A whole event of that kind would
take two hundred."""
RETRY_AFTER = {"full": "5", "redis": "5", "busy": "1"}
"""Seconds, by what is in the way."""


class Taken(Struct, frozen=True):
    ids: list[str]
    skipped: int = 0
    """Records of an access log that are no events."""


class Taking:
    """The way of every request into the streams of one configuration."""

    def __init__(self, client: Redis, settings: Settings, figures: Figures) -> None:
        self._client = client
        self._most_bytes = settings.worker.max_event_bytes
        self._most_entries = settings.ingest.max_stream_entries
        self._streams = stream_names(settings.stream.key, settings.stream.partitions)
        self._figures = figures
        self._well = True

    async def take(self, kind: Kind, body: bytes, headers: Sequence[tuple[bytes, bytes]], *, records: bool) -> Taken:
        """Raises IngestError."""
        try:
            found = await _aside(len(body), partial(pieces, kind, body, headers, self._most_bytes))
        except WireError as error:
            self._count("refused", 1)
            raise refused_whole(error) from None
        events, skipped = await self._judged(found, records)
        chosen = [(stream_of(event.type, event.api_id, self._streams), event.data) for event in events]
        if chosen:
            await self._check_room({stream for stream, _ in chosen}, len(chosen))
        added = await add(self._client, chosen)
        self._count("taken", len(added.ids))
        self._count("skipped", skipped)
        self._count("unknown", len(added.unknown))
        if added.failed:
            raise self._failed(added.failed, added, len(chosen))
        self._answers()
        return Taken([added.ids[number] for number in range(len(chosen))], skipped)

    async def _judged(self, found: Sequence[Piece], records: bool) -> tuple[list[Packed], int]:
        """The events, and how many pieces are none. Raises IngestError naming everything that is bad."""
        events: list[Packed] = []
        wrong: list[Bad] = []
        skipped = seen = 0
        for index, piece in enumerate(found):
            try:
                judged = await _aside(len(piece.data), partial(judge, piece, self._most_bytes, record=records))
            except WireError as error:
                wrong.append(bad(index, piece.line, error))
            else:
                if isinstance(judged, Untyped):
                    skipped += 1
                else:
                    events.append(judged)
            seen += len(piece.data)
            if seen > SLICE_BYTES:
                seen = 0
                await asyncio.sleep(0)
        if wrong:
            self._count("refused", len(found))
            raise refused(wrong, len(found))
        return events, skipped

    async def _check_room(self, streams: set[str], events: int) -> None:
        try:
            length = await longest(self._client, streams)
        except StoreError as error:
            raise self._failed(error, Added({}), events) from None
        if length > self._most_entries:
            said = (
                f"the stream has {length} entries, more than ingest.max_stream_entries ({self._most_entries}): "
                "try again when the workers have caught up"
            )
            raise IngestError(429, "stream_full", said, headers={"Retry-After": RETRY_AFTER["full"]})

    def _failed(self, error: StoreError, added: Added, events: int) -> IngestError:
        if self._well:
            self._well = False
            log.warning("ingest_stopped", error=error.message, effect="requests are answered 503 until Redis is back")
        kind, why = {
            "away": ("redis_away", "Redis does not answer"),
            "refusing": ("redis_refuses", "Redis takes no writes"),
        }.get(error.kind, ("redis_error", "Redis refuses a command; the log of the worker says why"))
        headers = {"Retry-After": RETRY_AFTER["redis"]}
        if not added.ids and not added.unknown:
            return IngestError(503, kind, f"{why}: nothing was taken, try again", headers=headers)
        said = f"{why}: {len(added.ids)} of {events} events were taken; send again what is neither taken nor unknown"
        taken = [{"index": number, "id": id} for number, id in sorted(added.ids.items())]
        more = {"taken": taken, "unknown": list(added.unknown)}
        return IngestError(503, kind, said, headers=headers, more=more)

    def _answers(self) -> None:
        if not self._well:
            self._well = True
            log.warning("ingest_goes_on")

    def _count(self, result: str, events: int) -> None:
        self._figures.ingested[result] += events


async def _aside(size: int, act: Callable[[], T]) -> T:
    """On a thread where it is large: then the interpreter takes turns, and only a decoder's own run holds it up."""
    return await asyncio.to_thread(act) if size > SLICE_BYTES else act()
