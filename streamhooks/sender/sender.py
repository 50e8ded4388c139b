"""Sends one Request and gives what came of it: a Reply, or a Failure of a kind.

Laws: what is to be expected of a network is a value and never raised; a bug is raised. Nothing is sent twice. No
redirect is followed. The status line decides: once it and the headers are read, a body that is cut, slow or endless
changes nothing. At most 64 KiB of a body is read; what is left over closes the connection.
"""

import time
from collections.abc import Callable
from types import TracebackType

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from streamhooks.delivery.signing import sign, sign_body
from streamhooks.errors import RequestError
from streamhooks.handlers.handler import Handler, Route
from streamhooks.model import Failure, Reply, Request
from streamhooks.secret import revealed
from streamhooks.sender.failures import EXPECTED, NO_URL, classify
from streamhooks.sender.guard import Guard, GuardError, guarded
from streamhooks.sender.proxies import AUTHENTICATION_REQUIRED, Stand, blamed
from streamhooks.sender.routes import CONNECT_TIMEOUT, Routes
from streamhooks.sender.tls import Contexts, Tell, TlsNews, Unusable

MAX_BODY = 64 * 1024
MAX_HEAD = 2 * 1024
"""Bytes of an answer's body that are read, and that are kept."""

CLOSED = Route()
_MUST_BE_BLOCKED = (
    "http://127.0.0.1/",
    "http://[::ffff:169.254.169.254]/",
    "http://169.254.169.254/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://\u2460\u2461\u2466.0.0.1/",
)
_MUST_NOT_ANSWER = ("http://0x7f000001/", "http://localhost/")
"""Names to a resolver, which may know none of them."""


def _unheard(_news: TlsNews) -> None:
    pass


class Sender:
    """`async with Sender() as sender:`.

    `now` gives unix seconds and is asked once for each signature. `resolver` looks names up, aiohttp's own without
    one; it is not closed here. `guard` makes what opens sockets; the self-test finds one that guards nothing.
    `tell` hears of TLS files that were renewed or cannot be used.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        *,
        resolver: AbstractResolver | None = None,
        guard: Guard = guarded,
        tell: Tell = _unheard,
    ) -> None:
        self._now = now
        self._routes = Routes(guard, resolver, Contexts(tell))

    async def __aenter__(self) -> "Sender":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._routes.close()

    async def send(self, request: Request, handler: Handler) -> Reply | Failure:
        """Sends `request` once, by the route, timeout and secrets of `handler`. Raises nothing but CancelledError."""
        started = time.monotonic()  # not the loop's clock: uvloop's stands still while a callback runs
        way = self._routes.way(handler.route)
        if isinstance(way, Unusable):
            return Failure("local", way.message, 0.0)
        proxy = URL(handler.route.proxy.reveal()) if handler.route.proxy else None
        stand = Stand()
        url = _url(request.url)
        if url is None:
            return Failure("blocked", NO_URL, _since(started))
        try:
            async with way.session.request(
                request.method,
                url,
                headers=self._headers(request, handler),
                data=request.body or None,
                ssl=way.context,
                proxy=proxy,
                timeout=aiohttp.ClientTimeout(total=handler.timeout, sock_connect=CONNECT_TIMEOUT),
                allow_redirects=False,
                trace_request_ctx=stand,
            ) as response:
                if proxy and url.scheme == "http" and response.status == AUTHENTICATION_REQUIRED:
                    return Failure("local", "the proxy asks for other credentials", _since(started))
                return await _read(response, started)
        except EXPECTED as error:
            kind, message = await blamed(error, proxy, stand) if proxy else classify(error)
            return Failure(kind, message, _since(started))
        except RequestError as error:  # the file of a secret was changed to something that is none
            return Failure("local", error.message, _since(started))

    def _headers(self, request: Request, handler: Handler) -> list[tuple[str, str]]:
        headers = [(name, revealed(value)) for name, value in request.headers]
        if handler.secrets:
            timestamp = int(self._now())
            webhook_id = next(value for name, value in headers if name == "webhook-id")
            headers.append(("webhook-timestamp", str(timestamp)))
            headers.append(("webhook-signature", sign(handler.secrets, webhook_id, timestamp, request.body)))
        if handler.body_signature:
            headers.append((handler.body_signature.header, sign_body(handler.body_signature, request.body)))
        return headers

    async def self_test(self, route: Route = CLOSED) -> None:
        """Raises GuardError where `route`, which opens nothing, does not block what it must.

        It would mean that this release of aiohttp no longer asks the guard. Sends nothing where all is well.
        """
        through = [url for url in _MUST_BE_BLOCKED if await self._probe(url, route) != "blocked"]
        through += [url for url in _MUST_NOT_ANSWER if await self._probe(url, route) not in {"blocked", "dns"}]
        if through:
            raise GuardError(
                "guard",
                f"the guard on destinations does not hold for {', '.join(through)}: "
                f"install a release of aiohttp that streamhooks was tested with (this is {aiohttp.__version__})",
            )

    async def _probe(self, url: str, route: Route) -> str:
        way = self._routes.way(route)
        if isinstance(way, Unusable):
            return way.message
        timeout = aiohttp.ClientTimeout(total=2.0)
        try:
            async with way.session.get(url, ssl=way.context, timeout=timeout, allow_redirects=False):
                return "answered"
        except EXPECTED as error:
            return classify(error)[0]


def _url(text: str) -> URL | None:
    """As it stands, nothing encoded anew; None where it is none."""
    try:
        url = URL(text, encoded=True)
        port = url.port  # yarl reads it when it is asked for
    except ValueError:
        return None
    return url if port else None


async def _read(response: aiohttp.ClientResponse, started: float) -> Reply | Failure:
    head = await _head(response)
    if not 200 <= response.status < 600:
        return Failure("protocol", f"the answer has status {response.status}, which is none", _since(started))
    headers = {name.lower(): _readable(value) for name, value in response.headers.items()}
    return Reply(response.status, headers, head, _since(started))


async def _head(response: aiohttp.ClientResponse) -> bytes:
    """The first bytes of the body. A body that breaks off, or does not come in time, is as long as it was."""
    head = b""
    size = 0
    try:
        while size < MAX_BODY:
            chunk = await response.content.readany()
            if not chunk:
                return head
            size += len(chunk)
            if len(head) < MAX_HEAD:
                head = (head + chunk)[:MAX_HEAD]
    except EXPECTED:
        pass
    response.close()
    return head


def _readable(value: str) -> str:
    """A header's bytes that are no UTF-8 come as lone surrogates, which nothing after us could store."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _since(started: float) -> float:
    return time.monotonic() - started
