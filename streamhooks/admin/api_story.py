"""`/api/v1/explain/{id}`: one event's whole life, the same document as that of `streamhooks explain --event --json`."""

from aiohttp import web

from streamhooks.admin.answers import AdminError, answer
from streamhooks.admin.desk import Desk
from streamhooks.flow.story.finding import asked, explain


class StoryApi:
    """Explains."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/v1/explain/{id}", self._explain)]

    async def _explain(self, request: web.Request) -> web.Response:
        meant = asked(request.match_info["id"])
        if meant is None:
            raise AdminError(400, "bad_request", "this is no id: it looks like 1795428000000-0, or is a webhook-id")
        told = await explain(self._desk.client, self._desk.loaded, meant, with_event=True)
        if not told.stories:
            raise AdminError(404, "no_such_event", f"nothing is known of this id: {'; '.join(told.unknown.values())}")
        return answer(told)
