"""A handler tried with an event: what would be sent, whether a worker would send it, and what was answered.

Law: what is told holds no credential, neither of the event nor of ours, wherever the request or its answer repeats it.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from streamhooks import wire
from streamhooks.delivery.masking import credentials, sent_secrets, without
from streamhooks.delivery.request import RequestMaker
from streamhooks.errors import RequestError, TemplateError, WireError
from streamhooks.event_types import TYPES, example
from streamhooks.flow.lanes import holds
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler
from streamhooks.model import Entry, Event, Failure, Reply, Request
from streamhooks.own_events import MEANINGS, matches
from streamhooks.secret import HIDDEN, revealed


def types_of(handler: Handler) -> tuple[str, ...]:
    """The types that a handler is tried with: those it names, and of a pattern all known ones that it stands for."""
    types: dict[str, None] = {}
    for pattern in handler.on:
        if pattern.endswith("*"):
            matching = [name for name in (*TYPES, *MEANINGS) if matches(pattern, name)]
            types |= dict.fromkeys(matching or [pattern[:-1] or "Example"])
        else:
            types[pattern] = None
    return tuple(types)


def event_from(data: bytes, max_bytes: int) -> Event:
    """An event in the packed form, or in one of the other spellings that the wire contract takes there.

    Raises WireError, whose place is inside the event.
    """
    try:
        return wire.decode(Entry(example("").id, {b"d": data}), max_bytes)
    except WireError as error:
        place = error.place.removeprefix("d").removeprefix(".")
        raise WireError(error.kind, error.message, place) from None


def unfired(handler: Handler, event: Event) -> str:
    """Why a worker would not fire the handler on this event; empty: it would.

    Raises TemplateError where its condition fails on the event.
    """
    if not Catalogue((handler,)).select(event):
        return f"no {event.type} event of this API and organisation fires {handler.id}"
    if not holds(handler, event):
        return f"the condition (when) of {handler.id} does not hold for this event"
    return ""


def hidden_of(event: Event) -> list[str]:
    """The credentials of an event of somebody's own, which are not to be shown; that of an example is nobody's."""
    known = credentials(example(event.type).meta)
    return [found for found in credentials(event.meta) if found not in known]


def request_of(handler: Handler, event: Event, *, reveal: bool) -> Request:
    """Raises TemplateError and RequestError, which quote no credential of the event unless it is to be revealed."""
    try:
        return RequestMaker(handler).make(event)
    except (TemplateError, RequestError) as error:
        said = without(error.message, () if reveal else hidden_of(event))
        raise type(error)(error.kind, said, error.place) from None


class Shown:
    """A request as it is shown: Content-Length and fingerprint are those of what would be sent."""

    def __init__(self, request: Request, *, reveal: bool, hidden: Sequence[str]) -> None:
        self.request = request
        self._reveal = reveal
        self._hidden = hidden

    @property
    def url(self) -> str:
        return without(self.request.url, self._hidden)

    @property
    def body(self) -> str:
        return without(self.request.body.decode("utf-8", "backslashreplace"), self._hidden)

    def headers(self) -> list[tuple[str, str]]:
        """Every line of the head but the first, with those that the connection adds."""
        request = self.request
        lines = [("Host", urlsplit(request.url).netloc), ("Accept-Encoding", "identity")]
        for name, value in request.headers:
            lines.append((name, without(revealed(value) if self._reveal else str(value), self._hidden)))
        if request.body or request.method != "GET":  # as aiohttp frames it; a test compares it with what arrives
            lines.append(("Content-Length", str(len(request.body))))
        return lines

    def told(self) -> dict[str, Any]:
        """The whole request as JSON."""
        return {
            "handler": self.request.handler_id,
            "method": self.request.method,
            "url": self.url,
            "headers": [list(line) for line in self.headers()],
            "body": self.body,
            "fingerprint": self.request.fingerprint,
        }


def secrets_of(event: Event, request: Request) -> list[str]:
    """What an answer may repeat and nobody shall see."""
    return [*sent_secrets(request), *hidden_of(event)]


def answered(answer: Reply | Failure, secrets: Sequence[str]) -> dict[str, Any]:
    """What came of sending, as JSON, without these secrets."""
    if isinstance(answer, Failure):
        return {"failure": answer.kind, "message": answer.message, "seconds": round(answer.elapsed, 3)}

    def shown(text: str) -> str:
        return without(text, secrets, lambda _: HIDDEN)

    return {
        "status": answer.status,
        "headers": {name: shown(value) for name, value in answer.headers.items()},
        "body": shown(answer.head.decode("utf-8", "backslashreplace")),
        "seconds": round(answer.elapsed, 3),
    }
