"""An endpoint that counts: what arrived, how often, under which webhook-id, how it was signed and what was answered."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType

from aiohttp import web
from msgspec import Struct
from standardwebhooks import Webhook, WebhookVerificationError

from tests.waiting import eventually

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


class Key(Struct, frozen=True):
    """One event at one handler: our own sequence number, and the path that the handler calls."""

    seq: int
    path: str


class Sink:
    """Answers as the body asks: `ok` 200; `retry` 503 the first time, then 200; `dead` 422."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.slow_path = ""
        """A path whose answers wait for `released`."""
        self.released = asyncio.Event()
        self.arrivals: Counter[Key] = Counter()
        self.delivered: Counter[Key] = Counter()
        self.refused: Counter[Key] = Counter()
        self.webhook_ids: dict[Key, set[str]] = {}
        self.secrets = [SECRET]
        """Any of them may have signed."""
        self.any_time = False
        """A signature may name any time, for a worker whose clock is wrong on purpose."""
        self.unverified: list[str] = []
        """Signed requests whose signature is wrong."""
        self.on_arrival: Callable[[Key], None] = lambda _key: None
        self.url = ""
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)

    async def __aenter__(self) -> "Sink":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        key, end = self.saw(request.path, request.headers, await request.read())
        if self.delay:
            await asyncio.sleep(self.delay)
        if request.path == self.slow_path:
            await self.released.wait()
        status = self._status(end, key)
        (self.delivered if status == 200 else self.refused)[key] += 1
        return web.Response(status=status)

    def saw(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[Key, str]:
        """Counts a request that has arrived, here or at an endpoint beside; which it is, and what end it asks for."""
        told = json.loads(body)
        key = Key(told["seq"], path)
        self.arrivals[key] += 1
        self.webhook_ids.setdefault(key, set()).add(headers["webhook-id"])
        if "webhook-signature" in headers:
            self._verify(body, headers)
        self.on_arrival(key)
        return key, str(told["end"])

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        if not any(self._is_signed(secret, body, headers) for secret in self.secrets):
            self.unverified.append(f"{headers['webhook-id']} at {headers['webhook-timestamp']}")

    def _is_signed(self, secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
        signer = Webhook(secret)
        if self.any_time:
            at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            return signer.sign(headers["webhook-id"], at, body.decode()) in headers["webhook-signature"].split(" ")
        try:
            signer.verify(body, {name.lower(): value for name, value in headers.items()})
        except WebhookVerificationError:
            return False
        return True

    @property
    def count(self) -> int:
        """Deliveries so far."""
        return sum(self.delivered.values())

    async def goes_on(self, within: float = 30.0, *, beyond: int | None = None) -> float:
        """Returns with the next delivery, or with the one after `beyond` of them: the seconds that it took from now.

        Whoever publishes first says `beyond`: everything may have arrived before he asks.
        """
        started, before = time.monotonic(), self.count if beyond is None else beyond
        await eventually(lambda: self.count > before, within, "the next delivery")
        return time.monotonic() - started

    def _status(self, end: str, key: Key) -> int:
        if end == "dead":
            return 422
        return 503 if end == "retry" and self.refused[key] == 0 else 200
