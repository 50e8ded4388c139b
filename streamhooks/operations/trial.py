"""A handler tried with an event: what would be sent, whether a worker would send it, and what was answered.

Law: what is told holds no credential, neither of the event nor of ours, wherever the request or its answer repeats it.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from streamhooks import wire
from streamhooks.errors import WireError
from streamhooks.event_types import TYPES, example
from streamhooks.flow.lanes import holds
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler
from streamhooks.masking import HIDDEN, credentials
from streamhooks.model import Entry, Event, Failure, Reply, Request
from streamhooks.secret import Secret, revealed

SHORTEST = 4
"""Characters of a credential that is looked for in a text: a shorter one is found in any."""


def types_of(handler: Handler) -> tuple[str, ...]:
    """The types that a handler is tried with: those it names, and of a pattern all known ones that it stands for."""
    types: dict[str, None] = {}
    for pattern in handler.on:
        if pattern.endswith("*"):
            matching = [name for name in TYPES if name.startswith(pattern[:-1])]
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


def shown_headers(request: Request, *, reveal: bool) -> list[tuple[str, str]]:
    """Every line of the head but the first, with those that the connection adds."""
    lines = [("Host", urlsplit(request.url).netloc), ("Accept-Encoding", "identity")]
    lines += [(name, revealed(value) if reveal else str(value)) for name, value in request.headers]
    if request.body or request.method != "GET":  # as aiohttp frames it; a test compares it with what arrives
        lines.append(("Content-Length", str(len(request.body))))
    return lines


def told(request: Request, *, reveal: bool) -> dict[str, Any]:
    """The whole request as JSON."""
    return {
        "handler": request.handler_id,
        "method": request.method,
        "url": request.url,
        "headers": [list(line) for line in shown_headers(request, reveal=reveal)],
        "body": request.body.decode("utf-8", "backslashreplace"),
        "fingerprint": request.fingerprint,
    }


def secrets_of(event: Event, request: Request) -> list[str]:
    """What an answer may repeat and nobody shall see; the longest first, so that no part of one is left where
    another was masked.
    """
    sent = [value.reveal() for _, value in request.headers if isinstance(value, Secret)]
    # `Bearer abc`: an endpoint may repeat the token by itself.
    words = {*credentials(event.meta), *sent, *(value.rpartition(" ")[2] for value in sent)}
    return sorted((word for word in words if len(word) >= SHORTEST), key=len, reverse=True)


def answered(answer: Reply | Failure, secrets: Sequence[str]) -> dict[str, Any]:
    """What came of sending, as JSON, without these secrets."""
    if isinstance(answer, Failure):
        return {"failure": answer.kind, "message": answer.message, "seconds": round(answer.elapsed, 3)}
    return {
        "status": answer.status,
        "headers": {name: without(value, secrets) for name, value in answer.headers.items()},
        "body": without(answer.head.decode("utf-8", "backslashreplace"), secrets),
        "seconds": round(answer.elapsed, 3),
    }


def without(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text
