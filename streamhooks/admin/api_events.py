"""`/api/v1/events` and `/api/v1/status`: how it stands, once or for as long as somebody looks.

The stream is that of server-sent events, read by fetch and not by EventSource, which could send no token.
"""

import asyncio

from aiohttp import web

from streamhooks.admin.answers import answer
from streamhooks.admin.feed import Feed

HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
"""nginx, in front of it, would hold the stream back."""
PATIENCE = 30.0
"""Seconds after which a client that reads nothing makes room for another."""


class EventsApi:
    """Tells how it stands."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/v1/status", self._status), web.get("/api/v1/events", self._events)]

    async def _status(self, _request: web.Request) -> web.Response:
        return answer(await self._feed.now())

    async def _events(self, request: web.Request) -> web.StreamResponse:
        async with self._feed.look() as client:
            response = web.StreamResponse(headers=HEADERS)
            await response.prepare(request)
            while (messages := await client.next()) is not None:
                try:
                    async with asyncio.timeout(PATIENCE):
                        await response.write(messages)
                except (ConnectionError, TimeoutError):  # the page was closed, or its machine sleeps
                    break
            return response
