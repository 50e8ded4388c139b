"""The words of a story: one event's whole life, as data and as sentences.

What `explain --json` and the admin API give is these structs, member by member: a contract. Times are milliseconds
since 1970 by the clock of Redis, 0 where there is none. Texts are plain, with the event's credentials masked; what
strangers wrote into them may hold any character.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from streamhooks.payload import rfc3339
from streamhooks.settings.duration import rounded

What: TypeAlias = Literal["added", "read", "attempt", "deferred", "suppressed", "delivered", "dead", "unmatched"]
"""`deferred`: stored without an attempt. `delivered`: without one that was noted. `dead`: the same."""

Verdict: TypeAlias = Literal["fires", "type", "api", "org", "when", "fails", "removed", "unknown"]
"""`type`, `api`, `org`, `when`: what keeps it from firing. `fails`: it fires, and its request cannot be made.
`removed`: not in the configuration any more. `unknown`: there are no handlers to judge by."""

State: TypeAlias = Literal[
    "unread",
    "pending",
    "waiting",
    "held",
    "parked",
    "due",
    "dead",
    "lost",
    "delivered",
    "suppressed",
    "acknowledged",
    "unmatched",
]
"""`waiting`: for the end of another's request. `acknowledged`: ended, and no note tells how."""

CoolDownState: TypeAlias = Literal["none", "sending", "stored", "delivered", "dead"]


class Step(Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    at: int
    what: What
    text: str
    handler: str = ""
    """Empty: it happened to the entry."""
    worker: str = ""
    attempt: int = 0
    status: int = 0
    failure: str = ""
    """The kind of failure, where there was no answer."""
    ms: int = 0
    """How long the attempt took."""
    answer: str = ""
    """The beginning of the answer's body."""
    by: str = ""
    """Suppressed: the entry whose request stands for this one, or `tyk`."""
    reason: str = ""
    """Of a dead letter."""
    run: str = ""
    """The replay that it was of."""


class CoolDown(Struct, frozen=True, kw_only=True):
    """What the cool-down of the same request says now."""

    text: str
    fingerprint: str
    window: float
    """Seconds."""
    state: CoolDownState = "none"
    by: str = ""
    """The entry whose request it speaks of."""
    own: bool = False
    """That is this very event's."""
    until: int = 0
    """Duplicates are suppressed until then; 0: they are not, or as long as the other one is stored."""


class Part(Struct, frozen=True, kw_only=True):
    """One handler's part in the event."""

    handler: str
    verdict: Verdict
    text: str
    webhook_id: str = ""
    cool_down: CoolDown | None = None


class Place(Struct, frozen=True, kw_only=True):
    """Where the event is now, for one handler; an event that was replayed may be at several."""

    state: State
    text: str
    handler: str = ""
    """Empty: it is the entry itself."""
    since: int = 0
    until: int = 0
    carrier: str = ""
    """The entry that is pending at somebody, as `streamhooks pending` lists it: a retry has one of its own."""
    worker: str = ""
    silent: float = 0.0
    """Seconds that this worker has not been heard of, where that is too long; 0: it is there."""
    deliveries: int = 0
    """How often Redis has handed it out."""
    letter: str = ""
    """The id of its dead letter."""
    reason: str = ""
    by: str = ""
    run: str = ""
    """The replay from history that it is of."""


class Advice(Struct, frozen=True):
    """What somebody can do: why, and the command line."""

    text: str
    command: str


class Summary(Struct, frozen=True):
    """The event without its payload."""

    type: str
    api_id: str
    org_id: str
    source: str
    timestamp: str


class Story(Struct, frozen=True, kw_only=True):
    """One event in one partition."""

    id: str
    """Of the entry that first carried it."""
    stream: str
    partition: int
    kept: bool
    """The stream still holds the entry."""
    event: Summary | None
    """None: it is no event, or nothing of it is kept."""
    content: Mapping[str, Any] | None
    """Its Meta, credentials masked, where that was asked for."""
    remarks: tuple[str, ...]
    """What limits this account: the journal's reach, a missing configuration."""
    steps: tuple[Step, ...]
    """The oldest first."""
    handlers: tuple[Part, ...]
    now: tuple[Place, ...]
    to_do: tuple[Advice, ...]


class Told(Struct, frozen=True, kw_only=True):
    """The answer for one id."""

    id: str
    stories: tuple[Story, ...]
    """Usually one; a dead letter of the same id, or another partition, may make it more."""
    unknown: Mapping[str, str]
    """By stream: why no event is found there. Empty where there is a story."""


def moment(ms: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    try:
        return rfc3339(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
    except OverflowError:  # an id that somebody gave may hold any number
        return f"{ms} ms"


def span(ms: float) -> str:
    """A length of time, as short as tells enough."""
    return rounded(max(0.0, ms) / 1000)
