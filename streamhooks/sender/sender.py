"""Sends one Request and gives what came of it: a Reply, or a Failure of a kind.

Laws: what is to be expected of a network is a value and never raised; a bug is raised. Nothing is sent twice. No
redirect is followed. At most 64 KiB of a body is read; what is left over closes the connection.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver

from streamhooks.delivery.signing import sign, sign_body
from streamhooks.errors import RequestError
from streamhooks.handlers.handler import Handler, Route
from streamhooks.model import Failure, Reply, Request
from streamhooks.secret import revealed
from streamhooks.sender.answers import Answers
from streamhooks.sender.deadlines import Deadlines
from streamhooks.sender.failures import EXPECTED, NO_URL, classify
from streamhooks.sender.guard import Guard, GuardError, guarded
from streamhooks.sender.head import Lines, head_of
from streamhooks.sender.pool import Link, Target, target_of
from streamhooks.sender.protocol import Came
from streamhooks.sender.proxies import AUTHENTICATION_REQUIRED, blamed
from streamhooks.sender.received import Received
from streamhooks.sender.routes import Routes, Way
from streamhooks.sender.tls import Contexts, Tell, TlsNews, Unusable

Told: TypeAlias = Callable[[Reply | Failure | Exception], None]
PROBE_TIMEOUT = 2.0
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
        self._is_closed = False
        self._deadlines = Deadlines()
        self._routes = Routes(guard, resolver, Contexts(tell), self._deadlines)

    async def __aenter__(self) -> "Sender":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        self._deadlines.close()
        await self._routes.close()

    def ask(self, request: Request, handler: Handler, tell: Told) -> bool:
        """Sends `request` as `send` does, where nothing has to be waited for before it is written: a connection stands.
        Whoever gets True is told what came of it, once and later; an Exception is a bug. Nobody is told of what is cut
        off because this is closed. False: nothing was done.
        """
        started = time.monotonic()
        way = self._routes.way(handler.route)
        if isinstance(way, Unusable) or way.pool.proxy is not None:  # whose fault it is only the proxy can say
            return False
        target = target_of(request.url)
        link = way.pool.kept(target, way.context, started) if target else None
        if target is None or link is None:
            return False
        try:
            head = self._head(request, handler, target.preface)
        except RequestError:
            link.give_back()
            return False

        def over(came: Came) -> None:
            link.over()
            if self._is_closed:
                return
            if isinstance(came, Answers):
                tell(_told(came, _since(started)))
            elif isinstance(came, EXPECTED):
                kind, message = classify(came)
                tell(Failure(kind, message, _since(started)))
            else:
                tell(came)

        link.ask(head, request.body, bodiless=request.method == "HEAD", until=started + handler.timeout, tell=over)
        return True

    async def send(self, request: Request, handler: Handler) -> Reply | Failure:
        """Sends `request` once, by the route, timeout and secrets of `handler`. Raises nothing but CancelledError."""
        started = time.monotonic()  # not the loop's clock: uvloop's stands still while a callback runs
        way = self._routes.way(handler.route)
        if isinstance(way, Unusable):
            return Failure("local", way.message, 0.0)
        target = target_of(request.url)
        if target is None:
            return Failure("blocked", NO_URL, _since(started))
        until = started + handler.timeout
        link: Link | None = None
        try:
            head = self._head(request, handler, way.pool.preface(target))
            link = way.pool.kept(target, way.context, started) or await _connected(way, target, until)
            answer = await _answered(link, head, request.body, request.method == "HEAD", started, until)
        except EXPECTED as error:
            proxy = way.pool.proxy
            kind, message = await blamed(error, proxy, stands=link is not None) if proxy else classify(error)
            return Failure(kind, message, _since(started))
        except RequestError as error:  # the file of a secret was changed to something that is none
            return Failure("local", error.message, _since(started))
        if way.pool.proxy and not target.secure and _is_the_proxys(answer):
            return Failure("local", "the proxy asks for other credentials", answer.elapsed)
        return answer

    def _head(self, request: Request, handler: Handler, preface: str) -> bytes:
        if not handler.secrets and not handler.body_signature:
            return head_of(request.method, preface, request.headers, request.body)
        added: Lines = ()
        if handler.secrets:
            timestamp = int(self._now())
            webhook_id = next(revealed(value) for name, value in request.headers if name == "webhook-id")
            signature = sign(handler.secrets, webhook_id, timestamp, request.body)
            added = (("webhook-timestamp", str(timestamp)), ("webhook-signature", signature))
        if handler.body_signature:
            added += ((handler.body_signature.header, sign_body(handler.body_signature, request.body)),)
        return head_of(request.method, preface, request.headers, request.body, added)

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
        target = target_of(url)
        if target is None:
            return "blocked"
        started = time.monotonic()
        until = started + PROBE_TIMEOUT
        head = head_of("GET", way.pool.preface(target), (), b"")
        try:
            link = await _connected(way, target, until)
            await _answered(link, head, b"", False, started, until)
        except EXPECTED as error:
            return classify(error)[0]
        return "answered"


async def _connected(way: Way, target: Target, until: float) -> Link:
    """A new connection. Raises what aiohttp raises, and TimeoutError at `until`."""
    async with asyncio.timeout(until - time.monotonic()):
        return await way.pool.connect(target, way.context)


async def _answered(
    link: Link, head: bytes, body: bytes, bodiless: bool, started: float, until: float
) -> Reply | Failure:
    """Raises what Exchanging.ask raises and tells of."""
    over: asyncio.Future[Reply | Failure | Exception] = asyncio.get_running_loop().create_future()

    def tell(came: Came) -> None:
        link.over()
        if not over.done():
            over.set_result(_told(came, _since(started)) if isinstance(came, Answers) else came)

    link.ask(head, body, bodiless=bodiless, until=until, tell=tell)
    try:
        came = await over
    except asyncio.CancelledError:
        if over.cancelled():  # else it was told before, and the link may be in use again
            link.over()
        raise
    if isinstance(came, Exception):
        raise came
    return came


def _told(answer: Answers, elapsed: float) -> Reply | Failure:
    if not 200 <= answer.status < 600:
        return Failure("protocol", f"the answer has status {answer.status}, which is none", elapsed)
    return Reply(answer.status, Received(answer.raw), answer.head, elapsed)


def _is_the_proxys(answer: Reply | Failure) -> bool:
    return isinstance(answer, Reply) and answer.status == AUTHENTICATION_REQUIRED


def _since(started: float) -> float:
    return time.monotonic() - started
