"""`streamhooks.Publisher`: events into the stream, from a program that uses asyncio.

Strategy: whoever publishes puts events into a buffer; one task takes what has gathered there while the batch before was
under way and sends it in one round trip. So a hundred tasks that publish one event each cost little more than one that
publishes a hundred, and nobody waits for a batch to fill.

Laws: an id means that Redis has acknowledged the event. A batch whose answer was lost is sent again, which may add an
event twice: a cool-down absorbs that. What could not be published is in the PublishError, whole; nothing is dropped.
"""

import asyncio
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from streamhooks.connecting.address import Node
from streamhooks.connecting.aio import ways
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

_CLOSED = "is not open: use `async with Publisher(...) as publisher:`, or open() first"


class Publisher(Front):
    """`async with Publisher("redis://...") as publisher:`, or `open()` and `close()`; one for a whole program.

    It connects when first needed, and again whenever it must. See Front for the options.
    """

    def _prepare(self) -> None:
        self._buffer = Buffer(self._buffer_bytes)
        self._connections: dict[Node, AbstractConnection] = {}
        self._routes = Routes(self._address)
        self._task: asyncio.Task[None] | None = None
        self._open = False
        self._work = asyncio.Event()
        self._turn = asyncio.Event()
        """Set, and made anew, after each attempt: there may be room, and less that is not published."""
        self._trouble: Trouble | None = None
        """What the last attempt met."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Takes events from now on."""
        if self._task is None:
            self._open = True
            self._task = asyncio.create_task(self._run(), name="streamhooks publisher")

    async def publish(
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
        (id,) = await self._publish([self._pack(type, meta, envelope)], replicas, patience)
        return id

    async def publish_many(
        self,
        events: Iterable[Mapping[str, Any] | Packed],
        *,
        replicas: int = 0,
        patience: float | None = None,
    ) -> list[str]:
        """Publishes many in as few round trips as they fit in; the ids in the events' order.

        An event is a dict of `type`, `meta` and the envelope's members, or was packed before (streamhooks.wire). Raises
        PublishError: before anything was published where one of them is no event, else with the ids of those that were.
        """
        return await self._publish(self._pack_all(events), replicas, patience)

    async def put(
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
        self._must_be_open()
        await self._room(packed.data, self._until(patience))
        self._add(self._item(packed, None))

    def put_nowait(self, type: str, meta: Mapping[str, Any] | None = None, **envelope: Unpack[Envelope]) -> None:
        """The same where nothing can be awaited: raises PublishError, kind `full`, at once where there is no room."""
        packed = self._stamped(type, meta, envelope)
        self._must_be_open()
        if not self._buffer.has_room(packed.data):
            raise self._full(self._buffer, self._trouble, packed.data)
        self._add(self._item(packed, None))

    async def flush(self, patience: float | None = None) -> None:
        """Returns once everything that was put before is acknowledged.

        Raises PublishError where that is not so in time, or cannot be; the events are kept and tried further.
        """
        until = self._until(patience)
        target, tried = self._buffer.added, False
        while self._buffer.done < target:
            # What the last attempt met may have been mended since: the next one tells.
            if (tried and self._hopeless()) or not await self._next_turn(until):
                raise self._not_yet(self._buffer, self._trouble)
            tried = True

    async def close(self, patience: float | None = None) -> None:
        """Flushes, and ends. Raises PublishError with all that could not be published, in `unpublished`."""
        self._open = False
        if self._task is None:
            return
        try:
            await self.flush(patience)
        except PublishError:
            pass  # told below, with the events
        finally:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.wait([task])
            for connection in self._connections.values():
                await connection.disconnect()
        self._give_back(self._buffer, self._trouble)
        if not task.cancelled():
            task.result()

    # What the calls are made of.

    def _until(self, patience: float | None) -> float:
        return asyncio.get_running_loop().time() + (self._patience if patience is None else patience)

    def _must_be_open(self) -> None:
        if not self._open:
            raise PublishError("closed", _CLOSED, self._place)

    def _hopeless(self) -> bool:
        return self._buffer.stuck and self._trouble is not None and self._trouble.lasting

    def _add(self, item: Item) -> None:
        self._buffer.add(item)
        self._work.set()

    async def _publish(self, events: list[Packed], replicas: int, patience: float | None) -> list[str]:
        self._must_be_open()
        until = self._until(patience)
        over = asyncio.Event()
        call = Call(until, replicas, over.set)
        try:
            for event in events:
                await self._room(event.data, until)
                self._add(self._item(event, call))
            # It was over each time that what had been added so far was done with.
            while call.left:
                over.clear()
                await over.wait()
        except PublishError as full:
            raise self._partly(full, call, events) from None
        finally:
            self._buffer.drop(call)
        return ids_of(call, self._place)

    async def _room(self, data: bytes, until: float) -> None:
        """Returns as soon as the buffer has room. Raises PublishError where it has none in time."""
        while not self._buffer.has_room(data):
            if not await self._next_turn(until):
                raise self._full(self._buffer, self._trouble, data)
            self._must_be_open()

    async def _next_turn(self, until: float) -> bool:
        """Waits for the attempt that is under way to end; False when that is too late."""
        turn = self._turn
        try:
            async with asyncio.timeout_at(until):
                await turn.wait()
        except TimeoutError:
            return False
        return True

    # The one who sends.

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        waits = pauses()
        while True:
            batch = self._buffer.next()
            if not batch:
                self._work.clear()
                await self._work.wait()
                continue
            self._trouble = await self._attempt(batch)
            self._buffer.settle(clock(), self._trouble)
            self._turn.set()
            self._turn = asyncio.Event()
            if self._trouble is None:
                waits = pauses()
            elif self._buffer.stuck:
                await asyncio.sleep(min(next(waits), self._buffer.patience(clock())))

    async def _attempt(self, batch: list[Item]) -> Trouble | None:
        """What Redis said of each event is written on it; answers what kept any from being taken."""
        left, met = batch, list[Trouble | None]()
        for _ in range(ROUNDS):
            unknown = await self._look()
            if unknown is not None:
                attempt = Attempt(left)
                attempt.cut_off(unknown)
                return attempt.trouble
            shares = self._routes.shares(left)
            if len(shares) == 1:  # a task costs as much as an event
                met.append(await self._round_trip(shares[0]))
            else:
                met += await asyncio.gather(*[self._round_trip(share) for share in shares])
            left = self._routes.elsewhere()
            if not left:
                break
        return outcome(batch, met)

    async def _round_trip(self, share: Share) -> Trouble | None:
        attempt = Attempt(share.items)
        connection = self._to(share.node)
        words = xadds(share.items, attempt.replicas, self._replica_timeout, asking=share.asking)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            attempt.sent = True
            await connection.send_packed_command(words)
            for item in share.items:
                try:
                    if share.asking:
                        await connection.read_response()
                    item.id = (await connection.read_response()).decode()
                except ResponseError as refusal:
                    if not self._routes.sends_on(item, share.node, refusal):
                        attempt.refused(item, refusal)
            if attempt.replicas:
                attempt.copied(int(await connection.read_response()))
        except FAULTS as error:
            attempt.cut_off(error)
        except asyncio.CancelledError:
            attempt.cut_off(ConnectionError("closed while it was asked"))
            raise
        if attempt.trouble is not None:
            # Made anew, its name may lead to a new primary.
            self._routes.broken()
            await connection.disconnect(nowait=True)
        return attempt.trouble

    async def _look(self) -> Exception | None:
        """Asks a cluster who has which slots, where that is not known well; gives what kept it from being known."""
        failure: Exception | None = None
        for node in self._routes.asks:
            connection = self._to(node)
            try:
                await connection.connect()  # type: ignore[no-untyped-call]  # as above
                await connection.send_packed_command(ASK_FOR_SLOTS)
                if self._routes.told(await connection.read_response(), node):
                    break
            except FAULTS as error:
                failure = error
                self._routes.silent(node)
                await connection.disconnect(nowait=True)
        return failure if self._routes.lost else None

    def _to(self, node: Node) -> AbstractConnection:
        """Connected when it is first used."""
        found = self._connections.get(node)
        if found is None:
            address = self._routes.address(node)
            kind, given = ways(address, self._password, self._tls, timeout=self._answer_timeout)
            found = self._connections[node] = kind(**given)
        return found
