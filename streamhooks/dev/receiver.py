"""A webhook receiver to try things against: it answers as its paths say, and tells what arrives.

/ok      always 200
/flaky   503 to the first attempt of each webhook-id, then 200
/broken  always 500
"""

from collections.abc import Callable, Mapping
from types import TracebackType

from aiohttp import web
from msgspec import Struct


class Arrival(Struct, frozen=True):
    """One request, and what it was answered."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int


class Receiver:
    """Listens on a free loopback port when entered."""

    def __init__(self, told: Callable[[Arrival], None]) -> None:
        self._told = told
        self._seen: set[str] = set()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> "Receiver":
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        status = self._status(request.path, request.headers.get("webhook-id", ""))
        self._told(Arrival(request.method, request.path, request.headers, body, status))
        return web.Response(status=status)

    def _status(self, path: str, webhook_id: str) -> int:
        if path.startswith("/broken"):
            return 500
        if path.startswith("/flaky") and webhook_id not in self._seen:
            self._seen.add(webhook_id)
            return 503
        return 200
