"""The API and the console as one: their routes, the checks before them, and what stands in every answer's head."""

from types import TracebackType

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from streamhooks.admin import shell
from streamhooks.admin.access import Access
from streamhooks.admin.answers import refusal
from streamhooks.admin.api_events import EventsApi
from streamhooks.admin.api_handlers import HandlersApi
from streamhooks.admin.api_history import HistoryApi
from streamhooks.admin.api_letters import LettersApi
from streamhooks.admin.api_story import StoryApi
from streamhooks.admin.api_trial import TrialApi
from streamhooks.admin.desk import Desk
from streamhooks.admin.feed import Feed

HEAD = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""In every answer. With trusted types no text can become HTML, whatever the script does."""


class Console:
    """Adds itself to an application; its feed runs while it is entered."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._feed = Feed(desk)

    async def __aenter__(self) -> "Console":
        await self._feed.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._feed.__aexit__(kind, error, trace)

    def routes(self) -> list[web.RouteDef]:
        desk = self._desk
        apis = (
            EventsApi(self._feed),
            HandlersApi(desk),
            LettersApi(desk),
            HistoryApi(desk),
            StoryApi(desk),
            TrialApi(desk),
        )
        return [*shell.routes(), *(route for api in apis for route in api.routes())]


def guarding(access: Access, public: frozenset[str]) -> Middleware:
    """The middleware: `public` paths are open to everybody, what is wrong with others is told as JSON."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in public:
            return await handler(request)
        try:
            await access.admit(request)
            return await handler(request)
        except Exception as error:  # noqa: BLE001  refusal logs what nobody expected
            return refusal(error)

    return guard


async def add_head(_request: web.Request, response: web.StreamResponse) -> None:
    """Called by aiohttp just before the head is written, when its own Server header is there to be removed."""
    for name, value in HEAD.items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)
