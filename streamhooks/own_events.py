"""streamhooks' own events: what operators must hear of, told as events that handlers can name in `on`.

Laws: a handler gets them only by name (`StreamhooksDeadLetter`, `Streamhooks*`), never by `*`, which stands for what
gateways tell. A handler is never told of its own troubles, and what becomes of an own event is never told of: no loops.
"""

from typing import Literal, TypeAlias

from streamhooks.model import Event

PREFIX = "Streamhooks"

Kind: TypeAlias = Literal[
    "StreamhooksDeadLetter",
    "StreamhooksHandlerPaused",
    "StreamhooksHandlerResumed",
    "StreamhooksBreakerOpened",
    "StreamhooksBreakerClosed",
    "StreamhooksEntriesLost",
    "StreamhooksReaderStopped",
]

MEANINGS: dict[Kind, str] = {
    "StreamhooksDeadLetter": "an event ended in the dead letters",
    "StreamhooksHandlerPaused": "a handler was paused because its endpoint answered 410",
    "StreamhooksHandlerResumed": "its probe was delivered, and the handler goes on",
    "StreamhooksBreakerOpened": "an endpoint fails so often that it is left alone for a while",
    "StreamhooksBreakerClosed": "it answers again",
    "StreamhooksEntriesLost": "somebody trimmed entries before they were acknowledged",
    "StreamhooksReaderStopped": "Redis refused writes, reading had stopped; told when it takes them again",
}
"""When each is told, at most once a minute for a kind and handler."""


def is_own(type: str) -> bool:
    return type.startswith(PREFIX)


def concerns(event: Event, handler: str) -> bool:
    """Whether an own event is about this handler, which must not be told of itself."""
    return is_own(event.type) and event.meta.get("Handler") == handler


def matches(pattern: str, type: str) -> bool:
    """Whether a pattern of `on` stands for a type."""
    if pattern == "*":
        return not is_own(type)
    return type.startswith(pattern[:-1]) if pattern.endswith("*") else pattern == type
