"""Real servers for tests: a scripted HTTP endpoint, and what must be true of Redis after every test."""

import asyncio
import socket
import struct
from collections import deque
from types import TracebackType
from typing import Literal

from aiohttp import web
from msgspec import Struct
from redis.asyncio import Redis

PERMANENT = (
    ":totals",
    ":position",
    ":handed",
    ":handlers",
    ":retry",
    ":parked",
    ":parked:data",
    ":dead",
    ":journal",
)
"""What may follow the hash tag of a key without a TTL; streams may have any name."""


class Received(Struct, frozen=True):
    """One request as it came over the wire."""

    method: str
    path: str
    """Path and query, percent-encoded as sent."""
    headers: dict[str, str]
    """Names in lower case; the last one wins where a name came twice."""
    raw_headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    at: float
    """Seconds on the event loop's clock, when its head had been read."""


class Answer(Struct, frozen=True):
    """What the endpoint does with one request, after `delay` seconds."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    delay: float = 0.0
    then: Literal["answer", "hang", "reset"] = "answer"
    """`hang` answers only after `release`; `reset` closes the connection with RST, without an answer."""


class Endpoint:
    """An HTTP server on a free port of 127.0.0.1 that records what comes and answers as it was told.

    `async with Endpoint() as endpoint:`; `endpoint.script(503, Answer(delay=0.2), 200)` sets the answers to come,
    the last of which is repeated. Without a script it answers 200.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.url = ""
        """`http://127.0.0.1:<port>`, once entered."""
        self.at_once = 0
        """Requests under way now."""
        self.most_at_once = 0
        self._answers: deque[Answer] = deque([Answer()])
        self._came = asyncio.Condition()
        self._released = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)

    async def __aenter__(self) -> "Endpoint":
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        await self._runner.cleanup()

    @property
    def bodies(self) -> list[bytes]:
        return [request.body for request in self.received]

    def script(self, *answers: int | Answer) -> None:
        """The answers to come, a number standing for a status; the last one is repeated."""
        self._answers = deque(answer if isinstance(answer, Answer) else Answer(answer) for answer in answers)

    def release(self) -> None:
        """Lets requests that hang be answered, now and from now on."""
        self._released.set()

    async def wait_for(self, count: int, timeout: float = 10.0) -> list[Received]:  # noqa: ASYNC109  a test says how long
        """The first `count` requests, as soon as they have come. Raises TimeoutError, naming how many did."""
        try:
            async with asyncio.timeout(timeout), self._came:
                await self._came.wait_for(lambda: len(self.received) >= count)
        except TimeoutError:
            raise TimeoutError(f"{len(self.received)} of {count} requests came within {timeout} s") from None
        return self.received[:count]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        at = asyncio.get_running_loop().time()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            # Not request.read(): that one refuses more than 1 MiB.
            await self._record(request, await request.content.read(), at)
            return await self._answer(request)
        finally:
            self.at_once -= 1

    async def _record(self, request: web.BaseRequest, body: bytes, at: float) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw = tuple((bytes(name), bytes(value)) for name, value in request.raw_headers)
        async with self._came:
            self.received.append(Received(request.method, request.raw_path, headers, raw, body, at))
            self._came.notify_all()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.then == "hang":
            await self._released.wait()
        if answer.then == "reset":
            _reset(request)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


def _reset(request: web.BaseRequest) -> None:
    """Closes with RST: a linger time of zero throws away what was not sent (socket(7), SO_LINGER)."""
    transport = request.transport
    assert transport is not None
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def lasting_keys(redis: Redis) -> list[str]:
    """The keys that would stay forever and may not: no TTL, no stream, no permanent name."""
    names = [name async for name in redis.scan_iter(count=1000)]
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.ttl(name)
        pipeline.type(name)
    answers = await pipeline.execute() if names else []
    return sorted(
        name.decode()
        for name, ttl, kind in zip(names, answers[::2], answers[1::2], strict=True)
        if ttl == -1 and kind != b"stream" and not _is_permanent(name.decode())
    )


def _is_permanent(name: str) -> bool:
    return "}" in name and name.endswith(PERMANENT)
