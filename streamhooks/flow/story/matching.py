"""Which handlers an event fires and which it does not, and why. Pure.

Judged by the configuration that is at hand now: the one in force when the event was read may have been another.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from streamhooks.delivery.request import RequestMaker, permitted, view
from streamhooks.errors import RequestError, TemplateError
from streamhooks.flow.story.words import Verdict
from streamhooks.handlers.catalogue import refusal
from streamhooks.handlers.handler import Handler
from streamhooks.model import Event

SHOWN = 80
"""Characters of what a condition rendered."""


class Match(Struct, frozen=True):
    """One handler's word on an event."""

    verdict: Verdict
    text: str
    fingerprint: str = ""
    """Of the request; empty where there is none."""

    @property
    def fires(self) -> bool:
        return self.verdict in {"fires", "fails"}

    @property
    def judged(self) -> bool:
        """There are a handler and an event to judge by."""
        return self.verdict not in {"removed", "unknown"}


def matched(handler: Handler, event: Event, partition: int, hide: Callable[[str], str]) -> Match:
    """`hide` masks credentials in what templates render."""
    found = refusal(handler, event)
    if found == "type":
        return Match("type", f"does not fire: it is for {_named(handler.on)}, and the event is {event.type}")
    if found == "api":
        return Match("api", f"does not fire: it is for the API {_named(handler.apis)}, and this is {_of(event.api_id)}")
    if found == "org":
        said = f"does not fire: it is for the organisation {_named(handler.orgs)}, and this is {_of(event.org_id)}"
        return Match("org", said)
    condition = ""
    if handler.when is not None:
        try:
            rendered = handler.when.render(view(event)).strip()
        except TemplateError as error:
            return Match("fails", f"fires, and fails: its condition (when) cannot be rendered: {hide(str(error))}")
        if rendered != "true":
            said = f'its condition (when) renders "{_cut(hide(rendered))}"; only "true" fires'
            return Match("when", f"does not fire: {said}")
        condition = ', and its condition (when) renders "true"'
    try:
        request = RequestMaker(handler, partition).make(permitted(event, handler))
    except (TemplateError, RequestError) as error:
        return Match("fails", f"fires, and fails: its request cannot be made: {hide(str(error))}")
    return Match("fires", f"fires: it is for {_named(handler.on)}{condition}", request.fingerprint)


def _named(names: Iterable[str]) -> str:
    return ", ".join(names if isinstance(names, tuple) else sorted(names))


def _of(id: str) -> str:
    return f'of "{id}"' if id else "of none"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
