"""Which handlers an event fires: the question that every event asks, so its answers are kept.

The answer depends on the event's type, API and organisation only; `when` looks into the event and is asked later, by
flow/lanes.py.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from streamhooks.handlers.handler import Handler
from streamhooks.model import Event
from streamhooks.own_events import concerns, is_own, matches

Refusal: TypeAlias = Literal["", "type", "api", "org"]
MAX_CACHED = 4096
"""Answers kept; beyond, all are forgotten, which costs less than keeping count of their use."""


class Catalogue:
    """The handlers of one configuration, in its order. It never changes: a reload makes another."""

    __slots__ = ("_answers", "_by_id", "handlers")

    def __init__(self, handlers: Iterable[Handler]) -> None:
        self.handlers = tuple(handlers)
        self._by_id = {handler.id: handler for handler in self.handlers}
        self._answers: dict[tuple[str, str, str], tuple[Handler, ...]] = {}

    def get(self, handler_id: str) -> Handler | None:
        return self._by_id.get(handler_id)

    def select(self, event: Event) -> tuple[Handler, ...]:
        """The handlers that the event fires, in the order of the configuration.

        An event that names one handler (`only`: a retry, a replay) fires that one, whatever the filters say now: it
        was selected when it was fresh. No handler of that name: none.
        """
        if event.only:
            named = self._by_id.get(event.only)
            return () if named is None else (named,)
        key = (event.type, event.api_id, event.org_id)
        answer = self._answers.get(key)
        if answer is not None:
            return answer
        answer = tuple(handler for handler in self.handlers if not refusal(handler, event))
        if is_own(event.type):  # depends on the event's Meta as well, and is rare
            return tuple(handler for handler in answer if not concerns(event, handler.id))
        if len(self._answers) >= MAX_CACHED:
            self._answers.clear()
        self._answers[key] = answer
        return answer

    def __repr__(self) -> str:
        return f"<Catalogue {[handler.id for handler in self.handlers]}>"


def refusal(handler: Handler, event: Event) -> Refusal:
    """Which filter keeps the event from a fresh firing of the handler; empty: none."""
    if not any(matches(pattern, event.type) for pattern in handler.on):
        return "type"
    if handler.apis and event.api_id not in handler.apis:
        return "api"
    if handler.orgs and event.org_id not in handler.orgs:
        return "org"
    return ""
