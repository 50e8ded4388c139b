"""`/api/v1/handlers`: who is active, who is paused, and pausing and resuming them."""

from typing import Any

from aiohttp import web
from msgspec import Struct, field

from streamhooks.admin.answers import AdminError, answer, body_of
from streamhooks.admin.desk import Desk
from streamhooks.handlers.handler import Handler
from streamhooks.operations.standing import State, pause_length, resume_rate
from streamhooks.operations.trial import types_of
from streamhooks.settings.rules import RefusedError

WHY_CHARACTERS = 200


class Pause(Struct, forbid_unknown_fields=True):
    """The body of a pause."""

    why: str = ""
    length: str = field(default="", name="for")
    """Such as `1h`; empty: until it is resumed."""


class Resume(Struct, forbid_unknown_fields=True):
    """The body of a resume."""

    rate: str = ""
    """Such as `50/s`, for what was held; empty: as quick as is sensible."""


class HandlersApi:
    """Lists, pauses, resumes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/handlers", self._list),
            web.get("/api/v1/handlers/{id}", self._show),
            web.post("/api/v1/handlers/{id}/pause", self._pause),
            web.post("/api/v1/handlers/{id}/resume", self._resume),
        ]

    async def _list(self, _request: web.Request) -> web.Response:
        states = await self._desk.standings.states()
        return answer({"handlers": [self._told(state) for state in states.values()]})

    def _told(self, state: State) -> dict[str, Any]:
        lane = self._desk.worker.lanes.get(state.id)
        return state.told() | (_configuration(lane.handler) if lane else {})

    async def _show(self, request: web.Request) -> web.Response:
        handler = self._desk.handler(request.match_info["id"])
        states = await self._desk.standings.states()
        template = {"name": handler.body.name, "escape": handler.escape, "source": handler.body.source}
        told = self._told(states[handler.id]) | {"types": list(types_of(handler)), "template": template}
        return answer(told)

    async def _pause(self, request: web.Request) -> web.Response:
        handler = self._desk.handler(request.match_info["id"])
        body = await body_of(request, Pause)
        if len(body.why) > WHY_CHARACTERS:
            raise AdminError(400, "bad_request", f"why is longer than {WHY_CHARACTERS} characters")
        if not body.why.isprintable():
            raise AdminError(400, "bad_request", "why is one line of text without control characters")
        try:
            length = pause_length(body.length) if body.length else 0.0
        except RefusedError as refusal:
            raise AdminError(400, "bad_request", f"for {refusal}") from None
        fresh = await self._desk.standings.pause(handler.id, body.why, length)
        self._desk.audit(request, "pause", handler=handler.id, why=body.why, seconds=length, was_paused=not fresh)
        return answer({"id": handler.id, "paused": True, "was_paused": not fresh})

    async def _resume(self, request: web.Request) -> web.Response:
        body = await body_of(request, Resume)
        try:
            rate = resume_rate(body.rate)
        except RefusedError as refusal:
            raise AdminError(400, "bad_request", f"rate {refusal}") from None
        standings = self._desk.standings
        states = await standings.states()
        id = request.match_info["id"]
        state = states.get(id)
        if state is None:
            raise self._desk.no_such_handler()
        if not state.note and not state.held:
            raise AdminError(409, "not_paused", f"{id} is not paused, and nothing is held of it")
        await standings.resume(id, rate)
        self._desk.audit(request, "resume", handler=id, rate=rate, held=state.held)
        return answer({"id": id, "resumed": True, "held": state.held})


def _configuration(handler: Handler) -> dict[str, Any]:
    """What may be shown of it: never path, query, headers or secrets."""
    return {
        "on": list(handler.on),
        "method": handler.method,
        "target": handler.origin,
        "event_timeout": handler.event_timeout,
        "signed": bool(handler.secrets or handler.body_signature),
    }
