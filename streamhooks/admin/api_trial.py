"""`/api/v1/render` and `/api/v1/fire`: the playground, which tries a handler, or another template, with an event."""

import asyncio
import time
from typing import Any

import msgspec
from aiohttp import web
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from streamhooks import wire
from streamhooks.admin.answers import AdminError, answer, body_of
from streamhooks.admin.desk import Desk
from streamhooks.delivery.request import RequestMaker
from streamhooks.event_types import TYPES, example
from streamhooks.handlers.handler import Handler
from streamhooks.model import Event, Request
from streamhooks.operations.trial import Shown, answered, event_from, hidden_of, secrets_of, types_of, unfired
from streamhooks.template import Template

AT_ONCE = 4
"""Test requests under way at once: each may take as long as the handler's timeout."""


class Trial(Struct, forbid_unknown_fields=True):
    """What is tried: a handler, with an event, and maybe with another template."""

    handler: str
    event: str | dict[str, Any] = ""
    """A type, for its example, or an event as a gateway would write it; empty: the first example that fires it."""
    template: str | UnsetType = UNSET
    """In the place of the handler's own, with the same escape mode."""


async def _made(handler: Handler, event: Event) -> Request:
    """In a thread: a template of somebody's may take as long as its limits let it, and the worker goes on meanwhile."""
    return await asyncio.to_thread(RequestMaker(handler).make, event)


class TrialApi:
    """Renders, fires, and gives the examples."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._under_way = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/examples", self._types),
            web.get("/api/v1/examples/{type}", self._example),
            web.post("/api/v1/render", self._render),
            web.post("/api/v1/fire", self._fire),
        ]

    async def _types(self, _request: web.Request) -> web.Response:
        return answer({"types": list(TYPES)})

    async def _example(self, request: web.Request) -> web.Response:
        event = example(request.match_info["type"])
        return answer(msgspec.json.decode(wire.pack_event(event)))

    async def _render(self, request: web.Request) -> web.Response:
        trial = await body_of(request, Trial)
        handler, event = self._tried(trial)
        made = await _made(handler, event)
        signed = bool(handler.secrets or handler.body_signature)
        return answer(
            Shown(made, reveal=False, hidden=hidden_of(event)).told()
            | {"unfired": unfired(handler, event), "signed": signed}
        )

    async def _fire(self, request: web.Request) -> web.Response:
        trial = await body_of(request, Trial)
        handler, event = self._tried(trial)
        # A new id every time: a receiver that dedupes on the webhook-id would not show the second one.
        event = replace(event, id=f"{time.time_ns() // 1_000_000}-0")
        made = await _made(handler, event)
        if self._under_way >= AT_ONCE:
            raise AdminError(429, "too_many", f"{AT_ONCE} test requests are under way; wait for one of them")
        self._under_way += 1
        try:
            reply = await self._desk.sender.send(made, handler)
        finally:
            self._under_way -= 1
        came = answered(reply, secrets_of(event, made))
        template = "edited" if trial.template is not UNSET else "own"
        said = came.get("status", came.get("failure"))
        self._desk.audit(request, "fire", handler=handler.id, type=event.type, template=template, answer=said)
        return answer(
            {
                "request": Shown(made, reveal=False, hidden=hidden_of(event)).told(),
                "answer": came,
                "unfired": unfired(handler, event),
            }
        )

    def _tried(self, trial: Trial) -> tuple[Handler, Event]:
        """Raises AdminError, WireError for an event that is none, TemplateError for a template that cannot be read."""
        handler = self._desk.handler(trial.handler)
        if trial.template is not UNSET:
            text = trial.template
            handler = replace(handler, body=Template.parse(text, name=handler.body.name, escape=handler.escape))
        if isinstance(trial.event, str):
            return handler, example(trial.event or types_of(handler)[0])
        return handler, event_from(msgspec.json.encode(trial.event), self._desk.settings.worker.max_event_bytes)
