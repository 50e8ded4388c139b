"""What both publishers are given and make of it: options, checked once, and events in the packed form."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypedDict

from streamhooks import wire
from streamhooks.connecting.address import Address, AddressError, read
from streamhooks.connecting.tls import Tls, TlsError, TlsFiles, tls_of
from streamhooks.errors import PublishError, WireError
from streamhooks.partitioning import stream_names, stream_of
from streamhooks.publisher.buffer import SLOW, Buffer, Call, Item, counted
from streamhooks.publisher.trouble import Trouble
from streamhooks.secret import Secret, shown_url

ANSWER_TIMEOUT: Final = 5.0
"""Seconds that one attempt may wait to connect, and again for an answer."""
MEMBERS: Final = frozenset({"type", "meta", "ts", "api_id", "org_id", "source", "traceparent"})


class Envelope(TypedDict, total=False):
    """What an event says beside its type and Meta, see docs/publishing.md."""

    ts: str | float | datetime
    """When it happened: RFC 3339, an epoch, or a datetime with a zone. Left out: when Redis took it."""
    api_id: str
    org_id: str
    source: str
    traceparent: str


class Front(ABC):
    """The options of a publisher. Times are in seconds.

    `stream` and `partitions` are those of the workers' configuration. `patience` is how long a call may try again while
    Redis is away or refuses writes (0: one attempt); an attempt under way is not cut short, and may take ten seconds
    more. `buffer_bytes` bounds what waits in memory. `ca_file`, `cert_file` and `key_file` are PEM files: whom to trust
    with TLS, and which client certificate to show. Raises PublishError (`options`) for what cannot be.
    """

    def __init__(
        self,
        url: str = "redis://127.0.0.1:6379/0",
        *,
        stream: str = "gateway:events",
        partitions: int = 1,
        password: str = "",
        max_event_bytes: int = 262_144,
        buffer_bytes: int = 16 << 20,
        patience: float = 30.0,
        replica_timeout: float = 1.0,
        ca_file: str | Secret = "",
        cert_file: str | Secret = "",
        key_file: str | Secret = "",
    ) -> None:
        _bounds("partitions", partitions, 1, 1024)
        _bounds("max_event_bytes", max_event_bytes, 1, 524_288)
        _bounds("buffer_bytes", buffer_bytes, 1, float("inf"))
        _bounds("patience", patience, 0, float("inf"))
        _bounds("replica_timeout", replica_timeout, 0.001, 60)
        if not stream:
            raise PublishError("options", "is empty: name the stream that the workers read", "stream")
        self._password = Secret(password)
        self._place = shown_url(Secret(url))
        self._address = self._read(Secret(url))
        self._tls = self._tls_of(TlsFiles(ca_file, cert_file, key_file))
        self._streams = stream_names(stream, partitions)
        self._max_event_bytes = max_event_bytes
        self._buffer_bytes = buffer_bytes
        self._patience = patience
        self._replica_timeout = replica_timeout
        self._prepare()

    @abstractmethod
    def _prepare(self) -> None:
        """Makes what the twin holds. Raises PublishError for a URL that is no address."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._place} {self._streams[0]}>"

    def _pack(self, type: str, meta: Mapping[str, Any] | None, envelope: Envelope) -> wire.Packed:
        try:
            return wire.pack(type, meta, **envelope, max_bytes=self._max_event_bytes)
        except WireError as error:
            raise PublishError(error.kind, error.message, error.place) from None

    def _pack_all(self, events: Iterable[Mapping[str, Any] | wire.Packed]) -> list[wire.Packed]:
        """All of them, or none: a fault names the event by its number, from 0."""
        return [
            event if isinstance(event, wire.Packed) else self._pack_one(number, event)
            for number, event in enumerate(events)
        ]

    def _pack_one(self, number: int, event: Mapping[str, Any]) -> wire.Packed:
        place = f"events[{number}]"
        if not isinstance(event, Mapping):
            raise PublishError("bad_value", "is no event: give a dict of type, meta and the envelope", place)
        strange = [str(name) for name in event if name not in MEMBERS]
        if strange:
            said = f"is no member of an event; those are {', '.join(sorted(MEMBERS))}"
            raise PublishError("bad_field", said, f"{place}.{strange[0][:64]}")
        try:
            return wire.pack(**{"type": None, **event}, max_bytes=self._max_event_bytes)
        except WireError as error:
            where = f"{place}.{error.place}" if error.place else place
            raise PublishError(error.kind, f"{error.message}; nothing was published", where) from None

    def _item(self, packed: wire.Packed, call: Call | None) -> Item:
        return Item(stream_of(packed.type, packed.api_id, self._streams), packed.data, call)

    def _stamped(self, type: str, meta: Mapping[str, Any] | None, envelope: Envelope) -> wire.Packed:
        """With the time of now, for what may have to wait."""
        return self._pack(type, meta, {"ts": datetime.now(UTC), **envelope})

    # What is told.

    def _full(self, buffer: Buffer, trouble: Trouble | None, data: bytes) -> PublishError:
        why = f": Redis {trouble.message}" if trouble else ": it is filled faster than Redis takes it"
        said = f"the buffer has no room, {len(buffer)} events wait in it{why}"
        return PublishError("full", said, self._place, ids=[None], unpublished=[data])

    def _not_yet(self, buffer: Buffer, trouble: Trouble | None) -> PublishError:
        trouble = trouble or SLOW
        said = f"{counted(len(buffer))} not published yet: Redis {trouble.message}; they are kept and tried further"
        return PublishError(trouble.kind, said, self._place, why=trouble.message)

    def _partly(self, error: PublishError, call: Call, events: list[wire.Packed]) -> PublishError:
        """A call of several parts that found the buffer full, or closed, in their midst."""
        ids = [item.id or None for item in call.items]
        ids += [None] * (len(events) - len(ids))
        left = [event.data for event, id in zip(events, ids, strict=True) if id is None]
        doubt = "; some may be in the stream nonetheless" if call.left else ""
        said = f"{error.message}: {counted(len(left), len(events))} not published{doubt}"
        return PublishError(error.kind, said, error.place, ids=ids, unpublished=left)

    def _give_back(self, buffer: Buffer, trouble: Trouble | None) -> None:
        """Raises PublishError where something is left in a buffer that is not sent any more."""
        trouble = trouble or SLOW
        left = buffer.give_back(trouble)
        if left:
            said = f"{counted(len(left))} not published before the end: Redis {trouble.message}"
            ids = [None] * len(left)
            raise PublishError(trouble.kind, said, self._place, ids=ids, unpublished=left, why=trouble.message)

    @property
    def _answer_timeout(self) -> float:
        return ANSWER_TIMEOUT + self._replica_timeout

    def _read(self, url: Secret) -> Address:
        """Raises PublishError, without a part of the URL."""
        try:
            return read(url)
        except AddressError as error:
            raise self._no_address(str(error)) from None

    def _no_address(self, why: str) -> PublishError:
        return PublishError("options", f"is no address that can be connected to: {why}", self._place)

    def _tls_of(self, files: TlsFiles) -> Tls | None:
        """Raises PublishError for files that cannot be used, or would not be."""
        try:
            return tls_of(self._address, files)
        except TlsError as error:
            raise PublishError("options", error.said, error.name) from None


def _bounds(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        most = "" if high == float("inf") else f" and at most {high:g}"
        raise PublishError("options", f"is {value:g}; it must be at least {low:g}{most}", name)
