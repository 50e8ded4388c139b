"""What travels: Entry -> Event -> Request -> Reply | Failure -> Outcome.

Each is made in one room and opened in one other, and is frozen: a step that wants something else makes a new one.
Nothing here imports anything of ours but Secret, so that every room can use these words.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from streamhooks.secret import Secret

Meta: TypeAlias = dict[str, Any]
"""What happened, as the gateway told it: JSON values only (str, int, float, bool, None, list, dict with str keys)."""


class Entry(Struct, frozen=True, gc=False):
    """One entry of a stream, bytes as Redis has them."""

    id: str
    """`<ms>-<seq>`, made by Redis or given by the gateway."""
    fields: dict[bytes, bytes]
    deliveries: int = 1
    """How often Redis has handed it to a consumer: more than 1 after a crash or a lost reply."""


class Event(Struct, frozen=True, gc=False):
    """What happened at a gateway. A retry or a replay is an event with `only`, an attempt above 1 or a run."""

    id: str
    """The id of the entry that first carried it; it stays through retries."""
    type: str
    meta: Meta
    timestamp: str
    """As the gateway wrote it; else the time in the entry's id, RFC 3339 in UTC with milliseconds."""
    api_id: str = ""
    org_id: str = ""
    source: str = ""
    traceparent: str = ""
    attempt: int = 1
    only: str = ""
    """The one handler that a retry or replay is for; empty: every handler that matches."""
    run: str = ""
    """Names a replay of this event, empty for the event itself."""


class Request(Struct, frozen=True, gc=False):
    """The whole intention of one attempt, as bytes: printable, comparable, storable."""

    event_id: str
    handler_id: str
    endpoint: str
    """Scheme, host and port, for logs and limits: never path, query or user."""
    method: str
    url: str
    """Absolute, percent-encoded, as it goes on the wire."""
    headers: tuple[tuple[str, str | Secret], ...]
    body: bytes
    """What is sent; empty for a bodyless method."""
    fingerprint: str
    """MD5 in lower-case hex, see delivery/fingerprint.py."""
    attempt: int = 1

    def __repr__(self) -> str:
        """Without path and body, which may hold what the event's key opens."""
        return (
            f"<Request {self.method} {self.endpoint} for {self.handler_id} of {self.event_id} attempt {self.attempt}>"
        )


class Reply(Struct, frozen=True, gc=False):
    """An endpoint answered: a whole status line and headers were read."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; the last one wins where a name came twice."""
    head: bytes
    """The first bytes of the body, at most 2 KiB."""
    elapsed: float
    """Seconds from the start of sending to the end of reading."""


FailureKind: TypeAlias = Literal["timeout", "connect", "dns", "tls", "blocked", "protocol", "local"]
"""`blocked`: the destination is not allowed. `local`: our own trouble (file descriptors, proxy), not the endpoint's."""


class Failure(Struct, frozen=True, gc=False):
    """No answer that counts as one."""

    kind: FailureKind
    message: str
    """For people; never a URL, a header or a payload."""
    elapsed: float


DeadReason: TypeAlias = Literal[
    "undecodable",
    "template",
    "exhausted",
    "expired",
    "permanent_status",
    "gone",
    "destination_denied",
    "crash_loop",
    "overflow",
    "handler_removed",
]


class Delivered(Struct, frozen=True, gc=False):
    """The endpoint answered 2xx."""


class Suppressed(Struct, frozen=True, gc=False):
    """The same request was delivered, is stored for retry, or lies in the dead letters, inside its cool-down."""

    by: str
    """The owner of that other request: `<entry id>|<handler>`."""


HELD = float("inf")


class Retry(Struct, frozen=True, gc=False):
    """Stored in Redis and sent again `after` seconds. A deferral is a retry whose `attempt` was not raised."""

    after: float
    """HELD: until its handler, which is paused, is resumed."""
    attempt: int
    """The number that the next attempt bears."""
    why: str


class Dead(Struct, frozen=True, gc=False):
    """Written to the dead letters."""

    reason: DeadReason
    why: str


Outcome: TypeAlias = Delivered | Suppressed | Retry | Dead
"""The last word on one event and one handler; always matched exhaustively."""
