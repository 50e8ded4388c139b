"""The address of the door: who is let in, how much is read of what he sends and for how long, and how it closes.

What is wrong with a request is found in the order of what it costs: token, path, header lines, then the body, which is
read only up to its bound and only so many at a time. A client that waits for `100 Continue` is refused before it sends.

It opens before Redis is reached, for a gateway understands a 503 better than a refused connection. When the worker
stops, the door closes first: nobody new is let in, and what is under way is answered.
"""

import asyncio
import logging
from types import TracebackType

import msgspec
import structlog
from aiohttp import HttpVersion11, web
from aiohttp.typedefs import Handler

from streamhooks.errors import ConfigError, Fault
from streamhooks.ingest.access import DELAY, Tokens
from streamhooks.ingest.cloud_events import SPECVERSION
from streamhooks.ingest.kinds import Kind, kind_of
from streamhooks.ingest.refusals import IngestError
from streamhooks.ingest.taking import RETRY_AFTER, Taking
from streamhooks.listening import cannot, listening
from streamhooks.observe.figures import Figures
from streamhooks.settings import Settings
from streamhooks.store.connection import connect

log = structlog.get_logger("streamhooks")
PATH = "/v1/events"
RECORDS_PATH = "/v1/access-log"
"""For loggers that write a record for every request, see records.py."""
AT_ONCE = 64
"""Requests whose bodies are read or stored at once: with the largest body the memory that they may take."""
MOST_CONNECTIONS = 1024
"""Open ones; file descriptors are the worker's too."""
CONNECTIONS = 4
"""To Redis."""
IDLE = 75.0
"""Seconds that a connection may be silent, or spend on the head of a request; longer than gateways keep theirs."""
LINGER = 2.0
"""Seconds that the rest of a refused body is read for, so that the answer is not lost to a reset."""
_UNHEARD = logging.getLogger("streamhooks.ingest")
_UNHEARD.propagate = False
_UNHEARD.addHandler(logging.NullHandler())
"""What aiohttp says of requests that are no HTTP: a traceback for each, which any stranger could fill a disk with."""


class IngestDoor:
    """Takes events over HTTP while entered; does nothing without `ingest.listen`.

    Raises ConfigError for an address that cannot be listened on.
    """

    def __init__(
        self,
        settings: Settings,
        figures: Figures,
        stopping: asyncio.Event,
        *,
        idle: float = IDLE,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        self._settings = settings
        self._idle_timeout = idle
        self._most_connections = most_connections
        self._limits = settings.ingest
        self._figures = figures
        self._stopping = stopping
        self._tokens = Tokens((settings.ingest.token, *settings.ingest.tokens))
        self._client = connect(settings.redis, connections=CONNECTIONS)
        self._taking = Taking(self._client, settings, figures)
        self._bodies = 0
        """Requests whose bodies are read or stored."""
        self._under_way = 0
        """Those and all others."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._server: asyncio.Server | None = None
        self._runner: web.AppRunner | None = None
        self._closing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "IngestDoor":
        if not self._limits.listen:
            return self
        app = web.Application(middlewares=[self._guard])
        for path in (PATH, RECORDS_PATH):
            app.router.add_post(path, self._publish, expect_handler=self._expected)
        app.on_response_prepare.append(_add_head)
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=_UNHEARD,
            handle_signals=False,
            auto_decompress=False,
            keepalive_timeout=self._idle_timeout,
            lingering_time=LINGER,
            shutdown_timeout=LINGER,
        )
        await runner.setup()
        self._runner = runner
        try:
            address = await self._listen(runner)
        except OSError as error:
            await runner.cleanup()
            fault = Fault("configuration", "ingest.listen", cannot(self._limits.listen, error))
            raise ConfigError([fault]) from error
        self._closing = asyncio.create_task(self._close_with_the_worker())
        log.info("ingest_listens", address=address, token=bool(self._tokens))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._closing is not None:
            if not self._stopping.is_set():
                self._closing.cancel()
                await asyncio.gather(self._closing, return_exceptions=True)
                await self._close()
            else:
                await self._closing
        await self._client.aclose()

    async def _listen(self, runner: web.AppRunner) -> str:
        host, _, port = self._limits.listen.rpartition(":")
        made = await asyncio.to_thread(listening, host.strip("[]"), int(port))

        def protocol() -> asyncio.Protocol:
            serving = runner.server
            if serving is None or len(serving.connections) >= self._most_connections:
                return _Closed()
            return serving()

        self._server = await asyncio.get_running_loop().create_server(protocol, sock=made)
        return f"{host}:{made.getsockname()[1]}"

    # Closing.

    async def _close_with_the_worker(self) -> None:
        await self._stopping.wait()
        await self._close()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        try:
            async with asyncio.timeout(self._settings.worker.drain_timeout):
                await self._idle.wait()
        except TimeoutError:
            log.warning("ingest_drain_timeout", left=self._under_way, effect="these requests are not answered")
        if self._runner is not None:
            await self._runner.cleanup()

    # A request.

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._under_way += 1
        self._idle.clear()
        try:
            if request.match_info.handler != self._publish or "Expect" not in request.headers:
                await self._admit(request)
            reply = await handler(request)
        except Exception as error:  # noqa: BLE001  _refusal logs what nobody expected
            reply = _refusal(error)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
        return self._counted(reply)

    async def _expected(self, request: web.Request) -> web.StreamResponse | None:
        """The same checks before the client is told to go on (RFC 9110, section 10.1.1)."""
        try:
            await self._admit(request)
            self._read_head(request)
        except Exception as error:  # noqa: BLE001  as above
            return self._counted(_refusal(error))
        if request.headers["Expect"].lower() != "100-continue":
            said = "only Expect: 100-continue is understood"
            return self._counted(_refusal(IngestError(417, "unknown_expectation", said)))
        if request.version < HttpVersion11:  # knows no interim answers
            return None
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # So that aiohttp counts the length of the answer from here.
        request.writer.output_size = 0
        return None

    async def _admit(self, request: web.Request) -> None:
        try:
            self._tokens.admit(request.headers)
        except IngestError as error:
            if error.kind == "wrong_token":
                await asyncio.sleep(DELAY)
            raise

    async def _publish(self, request: web.Request) -> web.StreamResponse:
        kind = self._read_head(request)
        records = request.path == RECORDS_PATH
        if self._bodies >= AT_ONCE:
            said = f"{AT_ONCE} requests are under way: try again in a moment"
            raise IngestError(429, "busy", said, headers={"Retry-After": RETRY_AFTER["busy"]})
        self._bodies += 1
        try:
            body = await self._body(request)
            taken = await self._taking.take(kind, body, request.raw_headers, records=records)
        finally:
            self._bodies -= 1
        told = {"ids": taken.ids} | ({"skipped": taken.skipped} if records else {})
        return _answer(told, 202)

    def _read_head(self, request: web.Request) -> Kind:
        if request.query_string:
            raise IngestError(400, "bad_query", "there is nothing to be said in a query: leave it out")
        encodings = request.headers.getall("Content-Encoding", [])
        kind = kind_of(request.headers.getall("Content-Type", []), encodings, binary=SPECVERSION in request.headers)
        if (request.content_length or 0) > self._limits.max_body_bytes:  # before any of it has come
            raise self._too_large()
        return kind

    async def _body(self, request: web.Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_timeout):
                async for part in request.content.iter_any():
                    body += part
                    if len(body) > self._limits.max_body_bytes:
                        raise self._too_large()
        except TimeoutError:
            said = f"the body has not come within {self._limits.body_timeout:g} s (ingest.body_timeout)"
            raise IngestError(408, "too_slow", said, headers={"Connection": "close"}) from None
        except (web.RequestPayloadError, ConnectionError):  # its framing is wrong, or the sender is gone
            raise IngestError(400, "broken_body", "the body broke off, or its framing is wrong") from None
        return bytes(body)

    def _too_large(self) -> IngestError:
        said = (
            f"the body is larger than {self._limits.max_body_bytes:,} bytes (ingest.max_body_bytes): send less at once"
        )
        return IngestError(413, "too_large", said, headers={"Connection": "close"})

    def _counted(self, reply: web.StreamResponse) -> web.StreamResponse:
        self._figures.ingest_requests[reply.status] += 1
        if self._stopping.is_set():
            reply.force_close()
        return reply


class _Closed(asyncio.Protocol):
    """Of a connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _answer(told: object, status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(told), status=status, content_type="application/json")


def _refusal(error: Exception) -> web.Response:
    found = _of(error)
    if found.status == 500:
        log.error("ingest_failed", exc_info=error)
    reply = _answer({"error": {"kind": found.kind, "message": found.message}, **found.more}, found.status)
    reply.headers.update(found.headers)
    if found.headers.get("Connection") == "close":
        reply.force_close()
    return reply


def _of(error: Exception) -> IngestError:
    if isinstance(error, IngestError):
        return error
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        said = f"{error.method} is not possible here; {allowed} is"
        return IngestError(405, "wrong_method", said, headers={"Allow": allowed})
    if isinstance(error, web.HTTPNotFound):
        return IngestError(404, "no_such_path", f"there is nothing at this path; events are published to {PATH}")
    if isinstance(error, web.HTTPException):
        return IngestError(error.status, "http", error.reason)
    return IngestError(500, "internal", "something went wrong here; the log of the worker says what")


async def _add_head(_request: web.Request, response: web.StreamResponse) -> None:
    """Called by aiohttp just before the head is written, when its own Server header is there to be removed."""
    response.headers["Cache-Control"] = "no-store"
    response.headers.pop("Server", None)
