"""The answers of the admin API and of the HTTP door that the code makes as plain maps, member by member.

Those that it makes as structs are described there, and the document takes them from the code. That a worker answers
just so, with no member more and none less, is tried by test_http_fuzzed.py.
"""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from streamhooks.ingest.refusals import Bad
from streamhooks.model import DeadReason


class Refusal(Struct):
    """Why something is not done."""

    kind: str
    """A stable word that programs may compare."""
    message: str
    """For people; it names the way out."""


class Error(Struct):
    """Everything that is wrong is told in this form."""

    error: Refusal


class Handler(Struct):
    """How a handler stands, over all workers and partitions."""

    id: str
    state: Literal["active", "paused", "resuming"]
    configured: bool
    """It is in the configuration of this worker."""
    kind: Literal["operator", "gone"] | None
    """Who has paused it: somebody, or its endpoint, which answered 410."""
    why: str | None
    since: int | None
    """Milliseconds since 1970."""
    until: int | None
    """The same; null: until it is resumed."""
    held: int
    """Events that are stored because of the pause."""
    on: list[str] | UnsetType = UNSET
    """The event types that fire it; this and what follows only of a handler that is configured."""
    method: str | UnsetType = UNSET
    target: str | UnsetType = UNSET
    """Scheme and host alone: path and query are often secrets."""
    event_timeout: float | UnsetType = UNSET
    """Seconds."""
    signed: bool | UnsetType = UNSET


class TemplateOfHandler(Struct):
    """The template of a handler's body."""

    name: str
    escape: str
    source: str


class HandlerInFull(Handler, kw_only=True):
    """A handler with its template."""

    types: list[str]
    """The types that it can be tried with."""
    template: TemplateOfHandler


class Handlers(Struct):
    """All handlers."""

    handlers: list[Handler]


class Paused(Struct):
    """It is paused now."""

    id: str
    paused: Literal[True]
    was_paused: bool
    """It was paused already."""


class Resumed(Struct):
    """It is being resumed."""

    id: str
    resumed: Literal[True]
    held: int
    """Events that follow now."""


class LetterInShort(Struct):
    """A dead letter in a listing."""

    id: str
    buried: str
    """RFC 3339, in UTC."""
    event: str
    """The id of the entry that first carried the event."""
    stream: str
    handler: str
    """Empty: no handler had a part in it."""
    type: str
    reason: DeadReason
    attempts: int
    status: int
    """Of the last answer; 0: there was none."""
    why: str
    replayable: bool


class LetterInFull(LetterInShort, kw_only=True):
    """Everything that is known of a dead letter, credentials masked."""

    first_attempt: str
    last_attempt: str
    fingerprint: str
    event_content: dict[str, Any] | UnsetType = UNSET
    """The event, where it could be read."""
    answer: str | UnsetType = UNSET
    """The beginning of the last answer's body."""
    raw: str | UnsetType = UNSET
    """Of what could not be read."""
    raw_length: int | UnsetType = UNSET
    raw_sha256: str | UnsetType = UNSET


class Letters(Struct):
    """A page of dead letters, the newest first."""

    letters: list[LetterInShort]
    next: str
    """What `before` takes to go on; empty: there is nothing more."""
    total: int
    """Letters that there are, whatever the filters say."""


class LettersInFull(Struct):
    """The dead letters of one id."""

    letters: list[LetterInFull]


class ExampleTypes(Struct):
    """The types of Tyk's events."""

    types: list[str]


class Example(Struct):
    """An example event, as the HTTP door takes it."""

    type: str
    meta: dict[str, Any]
    ts: str
    api_id: str
    org_id: str
    id: str


class RequestShown(Struct):
    """The exact request, secrets hidden."""

    handler: str
    method: str
    url: str
    headers: list[list[str]]
    """Name and value of each line."""
    body: str
    fingerprint: str


class Rendered(RequestShown):
    """What would be sent."""

    unfired: str
    """Why a worker would not fire the handler on this event; empty: it would."""
    signed: bool


class Came(Struct):
    """The endpoint's answer: a status, headers and the beginning of a body, or a failure and a message."""

    seconds: float
    status: int | UnsetType = UNSET
    headers: dict[str, str] | UnsetType = UNSET
    body: str | UnsetType = UNSET
    failure: str | UnsetType = UNSET
    """The kind: `timeout`, `connect`, `dns`, `tls`, `blocked` and so on."""
    message: str | UnsetType = UNSET


class Trialled(Struct):
    """What was sent, and what came of it."""

    request: RequestShown
    answer: Came
    unfired: str


class Taken(Struct):
    """What Redis has acknowledged."""

    ids: list[str]
    """Of the entries, in the order of the events."""


class TakenRecords(Taken):
    """The same of records of an access log."""

    skipped: int
    """Records that are no events."""


class TakenOne(Struct):
    """An event that was taken before Redis failed."""

    index: int
    id: str


class DoorError(Struct):
    """Why the HTTP door took nothing, or not all."""

    error: Refusal
    events: list[Bad] | UnsetType = UNSET
    """With `bad_events`: those that are none."""
    taken: list[TakenOne] | UnsetType = UNSET
    """With 503, where Redis failed midway: what it had acknowledged."""
    unknown: list[int] | UnsetType = UNSET
    """With it: the places of those of which nobody can say."""
