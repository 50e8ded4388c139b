"""What is sent to everybody who looks: a sample a second, and the journal's notes as they are written.

One set of loops serves all; they run while somebody looks. Samples go on for a while after the last one left, so that a
page that is loaded again has its curves. Each client has a bounded queue: who does not keep up loses the oldest
messages and is told how many, and nobody else waits for him. The number of clients is bounded, too.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any

import msgspec
import structlog
from msgspec import to_builtins

from streamhooks.admin.answers import AdminError
from streamhooks.admin.desk import Desk
from streamhooks.admin.sampling import Sample, Sampler
from streamhooks.errors import StoreError
from streamhooks.flow.runners import Runners
from streamhooks.store.connection import connect
from streamhooks.store.ids import last_id
from streamhooks.store.journal import Journal, Written
from streamhooks.store.keys import Keys

log = structlog.get_logger("streamhooks")
MOST_CLIENTS = 16
MOST_WAITING = 256
"""Messages that wait for one client: some minutes of samples."""
MOST_OUTCOMES = 100
"""Notes in one message: of a larger burst the newest, and how many there were besides."""
SAMPLE_EVERY = 1.0
FRESH = 3.0
"""Seconds for which a sample is as good as a new one."""
HISTORY = 300
"""Samples that a new client is given to draw."""
LINGER = 300.0
"""Seconds that sampling goes on when nobody looks."""
WAIT = 1.0
"""Seconds that a read of the journal waits for a note."""


class Client:
    """One who looks."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._came = asyncio.Event()
        self._lost = 0
        self._closed = False

    def put(self, message: bytes) -> None:
        if len(self._waiting) == MOST_WAITING:
            self._lost += 1
        self._waiting.append(message)
        self._came.set()

    def close(self) -> None:
        self._closed = True
        self._came.set()

    async def next(self) -> bytes | None:
        """Everything that waits, as one piece; None: it is over."""
        await self._came.wait()
        self._came.clear()
        if self._closed:
            return None
        lost = message("lost", {"messages": self._lost}) if self._lost else b""
        found = lost + b"".join(self._waiting)
        self._waiting.clear()
        self._lost = 0
        return found


class Feed:
    """Runs when entered; `look` adds a client."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sampler = Sampler(desk.worker, desk.standings)
        self._clients: set[Client] = set()
        self._somebody = asyncio.Event()
        """Somebody looks."""
        self._opening = asyncio.Lock()
        self._since: dict[Keys, str] = {}
        """Where each partition's journal ended when the first of them began to look."""
        self._until = 0.0
        """Samples are taken until then, monotonic."""
        self._history: deque[Sample] = deque(maxlen=HISTORY)
        self._taking = asyncio.Lock()
        self._loops = Runners()
        partitions = desk.worker.partitions
        self._reader = connect(desk.settings.redis, wait=WAIT, connections=len(partitions), beside=desk.client)

    async def __aenter__(self) -> "Feed":
        self._loops.spawn(self._take_samples())
        for partition in self._desk.worker.partitions:
            self._loops.spawn(self._follow(partition.keys))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.close()
        await self._loops.cancel()
        await self._reader.aclose()

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Client]:
        """A client that is told of everything from now on. Raises AdminError (`too_many_clients`)."""
        client = Client()
        async with self._opening:
            if len(self._clients) >= MOST_CLIENTS:
                said = f"{MOST_CLIENTS} consoles are open at this worker; close one, or ask another worker"
                raise AdminError(503, "too_many_clients", said)
            if not self._clients:
                await self._mark()
            client.put(message("hello", self._hello()))
            self._clients.add(client)
            self._somebody.set()
        try:
            yield client
        finally:
            self._clients.discard(client)
            self._until = time.monotonic() + LINGER
            if not self._clients:
                self._somebody.clear()

    async def _mark(self) -> None:
        """Notes where the journals end, so that nothing is missed that comes after the hello."""
        self._since = {}
        for partition in self._desk.worker.partitions:
            with suppress(StoreError):  # the samples say so; the other nodes of a cluster go on
                self._since[partition.keys] = await last_id(self._desk.client, partition.keys.journal)

    async def now(self) -> Sample:
        """How it stands; its rates are those since the last sample, which is a second ago where somebody looks."""
        last = self._history[-1] if self._history else None
        if last is not None and time.time() * 1000 - last.at < FRESH * 1000:
            return last
        return await self._take()

    async def _take(self) -> Sample:
        async with self._taking:
            return await self._sampler.take()

    def _hello(self) -> dict[str, Any]:
        settings = self._desk.settings
        return {
            "worker": self._desk.worker.consumer,
            "stream": settings.stream.key,
            "group": settings.stream.group,
            "journal": settings.worker.journal,
            "history": [sample.point for sample in self._history],
        }

    def _tell(self, event: str, data: Any) -> None:
        if self._clients:
            packed = message(event, data)
            for client in self._clients:
                client.put(packed)

    async def _take_samples(self) -> None:
        while True:
            if not self._clients and time.monotonic() >= self._until:
                self._history.clear()  # what is older has a gap behind it
                await self._somebody.wait()
            try:
                sample = await self._take()
            except Exception:
                log.exception("internal_error", where="the console's samples", effect="goes on")
            else:
                self._history.append(sample)
                self._tell("sample", sample)
            await asyncio.sleep(SAMPLE_EVERY)

    async def _follow(self, keys: Keys) -> None:
        """Tells of one partition's notes while somebody looks."""
        journal = Journal(self._reader, keys)
        while True:
            await self._somebody.wait()
            at = self._since.get(keys, "$")
            while self._clients:
                try:
                    at, written = await journal.after(at, WAIT)
                except StoreError:  # the samples say so
                    await asyncio.sleep(WAIT)
                    continue
                if written:
                    self._tell("outcomes", [told(one) for one in written[-MOST_OUTCOMES:]])
                if len(written) > MOST_OUTCOMES:
                    self._tell("lost", {"outcomes": len(written) - MOST_OUTCOMES})


def told(written: Written) -> dict[str, Any]:
    """A note as the page has it."""
    return {"id": written.id, "at": written.at, **to_builtins(written.note)}


def message(event: str, data: Any) -> bytes:
    """One server-sent event; JSON has no line break of its own."""
    return b"event: " + event.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"
