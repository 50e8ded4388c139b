"""The admin address: is it alive, is it ready, what has it done; and the API and the console.

`/livez` never touches Redis, for restarting every worker does not bring Redis back. `/readyz` says why not. Both and
`/metrics` need no token and show no payload. What else there is stands behind access.py.
"""

import asyncio
import errno
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType

import structlog
from aiohttp import web

from streamhooks.admin.access import Access
from streamhooks.admin.answers import BODY_BYTES
from streamhooks.admin.console import Console, add_head, guarding
from streamhooks.admin.desk import Desk
from streamhooks.admin.metrics import page
from streamhooks.errors import ConfigError, Fault, StoreError
from streamhooks.files import Loaded
from streamhooks.flow.worker import Worker
from streamhooks.listening import cannot, listening
from streamhooks.sender import Sender
from streamhooks.store.backlog import Backlog, measure

log = structlog.get_logger("streamhooks")
PATIENCE = 2.0
"""Seconds that `/metrics` waits for Redis."""
PORTS_TRIED = 20
LEFT_OPEN = 1.0
"""Seconds that a stop waits for requests that are under way here."""

Opened = Callable[[str], None]
"""Is told the address once it is listened on."""


class AdminSite:
    """Serves one worker's state; listens when entered. Raises ConfigError for an address that is taken."""

    def __init__(self, loaded: Loaded, worker: Worker, sender: Sender, opened: Opened) -> None:
        admin = loaded.settings.admin
        self._listen = admin.listen
        self._access = Access(admin.listen, admin.token, admin.hosts)
        self._desk = Desk(loaded, worker, sender)
        self._opened = opened
        self._rooms = AsyncExitStack()
        self._configured = "admin.listen" in loaded.given
        self._worker = worker
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def __aenter__(self) -> "AdminSite":
        if not self._listen:
            return self
        public = {"/livez": self._livez, "/readyz": self._readyz, "/metrics": self._metrics}
        app = web.Application(client_max_size=BODY_BYTES, middlewares=[guarding(self._access, frozenset(public))])
        app.on_response_prepare.append(add_head)
        app.add_routes([web.get(path, handle) for path, handle in public.items()])
        if self._access.exists:
            console = await self._rooms.enter_async_context(Console(self._desk))
            app.add_routes(console.routes())
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=LEFT_OPEN)
        await self._runner.setup()
        host, _, port = self._listen.rpartition(":")
        await self._bind(host.strip("[]"), int(port))
        log.info("admin_listens", address=self.address, console=self._access.exists)
        self._opened(self.address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rooms.aclose()  # ends what is streamed, or the runner would wait for it
        if self._runner is not None:
            await self._runner.cleanup()

    async def _bind(self, host: str, port: int) -> None:
        """The port that was configured; where none was, the next free one, so that several workers start together."""
        for tried in range(port, port + (1 if self._configured else PORTS_TRIED)):
            try:
                made = await asyncio.to_thread(listening, host, tried)
                await web.SockSite(self._runner_ready(), made).start()
            except OSError as error:
                if self._configured or error.errno != errno.EADDRINUSE:
                    raise self._cannot(error) from error
            else:
                self.address = f"{host}:{self._runner_ready().addresses[0][1]}"
                return
        raise self._cannot(OSError(errno.EADDRINUSE, f"ports {port} to {port + PORTS_TRIED - 1} are taken"))

    def _runner_ready(self) -> web.AppRunner:
        if self._runner is None:
            raise RuntimeError("the admin site is not entered")
        return self._runner

    def _cannot(self, error: OSError) -> ConfigError:
        return ConfigError([Fault("configuration", "admin.listen", cannot(self._listen, error))])

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        worker = self._worker
        if worker.stopping.is_set():
            return web.Response(status=503, text="stopping\n")
        if not worker.reached:
            return web.Response(status=503, text="waiting for Redis\n")
        if worker.health.away:
            return web.Response(status=503, text="Redis does not answer\n")
        if worker.health.refusing:
            return web.Response(status=503, text="Redis refuses writes\n")
        return web.Response(text="ready\n")

    async def _metrics(self, _request: web.Request) -> web.Response:
        text = page(self._worker.figures, self._worker.lanes, await self._backlogs())
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _backlogs(self) -> list[Backlog]:
        client = self._worker.client
        try:
            async with asyncio.timeout(PATIENCE):
                return [await measure(client, p.keys, p.entries, p.retries) for p in self._worker.partitions]
        except (StoreError, TimeoutError):
            return []
