"""`streamhooks.sync.Publisher`: events into the stream, from a program with threads or without.

Strategy: `publish` sends in the thread that calls it; what was `put` is sent by one thread of our own, started with the
first. Both go through a Buffer, a small one of its own for each call of `publish`, and share one connection, on which
one round trip is under way at a time. The laws are those of aio.py.

A process that forks (gunicorn with --preload) may make its publisher before: the child begins anew, without what waited
in the parent's buffer, which stays the parent's.
"""

import atexit
import os
import threading
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self, Unpack
from weakref import WeakSet

from redis.exceptions import ResponseError

from streamhooks.connecting.address import Node
from streamhooks.connecting.blocking import Blocking, connection
from streamhooks.connecting.troubles import FAULTS
from streamhooks.errors import PublishError
from streamhooks.publisher.attempt import Attempt, outcome
from streamhooks.publisher.buffer import Buffer, Call, Item, ids_of
from streamhooks.publisher.front import Envelope, Front
from streamhooks.publisher.pauses import pauses
from streamhooks.publisher.request import xadds
from streamhooks.publisher.routes import ASK_FOR_SLOTS, ROUNDS, Routes, Share
from streamhooks.publisher.trouble import Trouble
from streamhooks.wire import Packed

_alive: "WeakSet[Publisher]" = WeakSet()


class Publisher(Front):
    """`with Publisher("redis://...") as publisher:`, or one for a whole program; safe to use from many threads.

    It connects when first needed, and again whenever it must. See Front for the options. At the end of the process what
    was put is flushed, with the patience of the publisher; what cannot be is told on stderr.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def publish(
        self,
        type: str,
        meta: Mapping[str, Any] | None = None,
        *,
        replicas: int = 0,
        patience: float | None = None,
        **envelope: Unpack[Envelope],
    ) -> str:
        """Publishes one event and gives the id of its entry, once Redis has acknowledged it.

        `replicas`: how many must have it, too (WAIT). `patience`: instead of the publisher's own. Raises PublishError.
        """
        (id,) = self._publish([self._pack(type, meta, envelope)], replicas, patience)
        return id

    def publish_many(
        self, events: Iterable[Mapping[str, Any] | Packed], *, replicas: int = 0, patience: float | None = None
    ) -> list[str]:
        """Publishes many in as few round trips as they fit in; the ids in the events' order.

        An event is a dict of `type`, `meta` and the envelope's members, or was packed before (streamhooks.wire). Raises
        PublishError: before anything was published where one of them is no event, else with the ids of those that were.
        """
        return self._publish(self._pack_all(events), replicas, patience)

    def put(
        self,
        type: str,
        meta: Mapping[str, Any] | None = None,
        *,
        patience: float | None = None,
        **envelope: Unpack[Envelope],
    ) -> None:
        """Leaves one event to be published in the background, and returns as soon as the buffer has room for it.

        What was put is kept and tried until Redis takes it, or close() gives it back. An event without `ts` gets the
        time of this call, because it may wait. Raises PublishError, kind `full`, where there is no room in time.
        """
        packed = self._stamped(type, meta, envelope)
        until = self._until(patience)
        with self._changed:
            self._must_be_open()
            while not self._buffer.has_room(packed.data):
                if not self._changed.wait(max(0.0, until - time.monotonic())) and time.monotonic() >= until:
                    raise self._full(self._buffer, self._trouble, packed.data)
                self._must_be_open()
            self._buffer.add(self._item(packed, None))
            self._start()
            self._changed.notify_all()

    def put_nowait(self, type: str, meta: Mapping[str, Any] | None = None, **envelope: Unpack[Envelope]) -> None:
        """The same without waiting: raises PublishError, kind `full`, at once where there is no room."""
        self.put(type, meta, patience=0.0, **envelope)

    def flush(self, patience: float | None = None) -> None:
        """Returns once everything that was put before is acknowledged.

        Raises PublishError where that is not so in time, or cannot be; the events are kept and tried further.
        """
        until = self._until(patience)
        with self._changed:
            target, tried = self._buffer.added, self._attempts
            while self._buffer.done < target:
                left = until - time.monotonic()
                # What the last attempt met may have been mended since: the next one tells.
                if left <= 0 or (self._attempts > tried and self._hopeless()):
                    raise self._not_yet(self._buffer, self._trouble)
                self._changed.wait(left)

    def close(self, patience: float | None = None) -> None:
        """Flushes, and ends. Raises PublishError with all that could not be published, in `unpublished`."""
        with self._changed:
            self._open = False
        try:
            self.flush(patience)
        except PublishError:
            pass  # told below, with the events
        finally:
            self._end()
        self._give_back(self._buffer, self._trouble)

    # What the calls are made of.

    def _prepare(self) -> None:
        self._buffer = Buffer(self._buffer_bytes)
        self._connections: dict[Node, Blocking] = {}
        self._routes = Routes(self._address)
        self._on_connection = threading.Lock()
        """One round trip at a time."""
        self._changed = threading.Condition()
        """Guards the buffer and what stands below; notified after each attempt and each event that is put."""
        self._trouble: Trouble | None = None
        """What the thread's last attempt met."""
        self._attempts = 0
        """How many the thread has made."""
        self._thread: threading.Thread | None = None
        self._open = True
        self._stopping = False
        _alive.add(self)

    def _until(self, patience: float | None) -> float:
        return time.monotonic() + (self._patience if patience is None else patience)

    def _must_be_open(self) -> None:
        if not self._open:
            raise PublishError("closed", "this publisher was closed: make a new one", self._place)

    def _hopeless(self) -> bool:
        return self._buffer.stuck and self._trouble is not None and self._trouble.lasting

    def _publish(self, events: list[Packed], replicas: int, patience: float | None) -> list[str]:
        self._must_be_open()
        call = Call(self._until(patience), replicas, lambda: None)
        # No bound: the events are in the caller's hands already.
        buffer = Buffer(0)
        for event in events:
            buffer.add(self._item(event, call))
        waits = pauses()
        while batch := buffer.next():
            trouble = self._attempt(batch)
            buffer.settle(time.monotonic(), trouble)
            if trouble is None:
                waits = pauses()
            elif buffer:
                time.sleep(min(next(waits), buffer.patience(time.monotonic())))
        return ids_of(call, self._place)

    # The one who sends what was put.

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="streamhooks publisher", daemon=True)
            self._thread.start()
            atexit.register(self.close)

    def _run(self) -> None:
        waits = pauses()
        while True:
            with self._changed:
                while not (batch := self._buffer.next()) and not self._stopping:
                    self._changed.wait()
                if self._stopping:
                    return
            trouble = self._attempt(batch)
            with self._changed:
                self._trouble = trouble
                self._attempts += 1
                self._buffer.settle(time.monotonic(), trouble)
                self._changed.notify_all()
                if trouble is None:
                    waits = pauses()
                elif not self._stopping:
                    self._changed.wait_for(lambda: self._stopping, next(waits))

    def _end(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            atexit.unregister(self.close)
            self._thread.join()
        with self._on_connection:
            for made in self._connections.values():
                made.disconnect()

    def _attempt(self, batch: list[Item]) -> Trouble | None:
        """What Redis said of each event is written on it; answers what kept any from being taken."""
        left, met = batch, list[Trouble | None]()
        with self._on_connection:
            for _ in range(ROUNDS):
                unknown = self._look()
                if unknown is not None:
                    attempt = Attempt(left)
                    attempt.cut_off(unknown)
                    return attempt.trouble
                met += [self._round_trip(share) for share in self._routes.shares(left)]
                left = self._routes.elsewhere()
                if not left:
                    break
        return outcome(batch, met)

    def _round_trip(self, share: Share) -> Trouble | None:
        attempt = Attempt(share.items)
        connection = self._to(share.node)
        words = xadds(share.items, attempt.replicas, self._replica_timeout, asking=share.asking)
        try:
            connection.connect()
            attempt.sent = True
            connection.send_packed_command([words])
            for item in share.items:
                try:
                    if share.asking:
                        connection.read_response()
                    item.id = connection.read_response().decode()
                except ResponseError as refusal:
                    if not self._routes.sends_on(item, share.node, refusal):
                        attempt.refused(item, refusal)
            if attempt.replicas:
                attempt.copied(int(connection.read_response()))
        except FAULTS as error:
            attempt.cut_off(error)
        if attempt.trouble is not None:
            # Made anew, its name may lead to a new primary.
            self._routes.broken()
            connection.disconnect()
        return attempt.trouble

    def _look(self) -> Exception | None:
        """Asks a cluster who has which slots, where that is not known well; gives what kept it from being known."""
        failure: Exception | None = None
        for node in self._routes.asks:
            connection = self._to(node)
            try:
                connection.connect()
                connection.send_packed_command([ASK_FOR_SLOTS])
                if self._routes.told(connection.read_response(), node):
                    break
            except FAULTS as error:
                failure = error
                self._routes.silent(node)
                connection.disconnect()
        return failure if self._routes.lost else None

    def _to(self, node: Node) -> Blocking:
        """Connected when it is first used."""
        found = self._connections.get(node)
        if found is None:
            address = self._routes.address(node)
            found = connection(address, self._password, self._tls, timeout=self._answer_timeout)
            self._connections[node] = found
        return found


def _begin_anew() -> None:
    """In a child that was forked: there is no thread, locks may be held for ever, the connection is the parent's."""
    for publisher in list(_alive):
        if publisher._open:
            publisher._prepare()


os.register_at_fork(after_in_child=_begin_anew)
