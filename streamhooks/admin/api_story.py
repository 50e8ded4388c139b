"""`/api/v1/explain/{id}`: one event's whole life."""

from aiohttp import web

from streamhooks.admin.answers import AdminError, answer
from streamhooks.admin.desk import Desk
from streamhooks.admin.story import stories
from streamhooks.operations.choice import is_name


class StoryApi:
    """Explains."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/v1/explain/{id}", self._explain)]

    async def _explain(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        if not is_name(id):
            raise AdminError(400, "bad_request", "this is no id: it looks like 1795428000000-0, or is a webhook-id")
        found = await stories(self._desk.client, self._desk.loaded, id)
        if not found:
            said = "nothing is known of this id: neither stream, journal nor dead letters hold it any more"
            raise AdminError(404, "no_such_event", said)
        return answer({"id": id, "stories": found})
