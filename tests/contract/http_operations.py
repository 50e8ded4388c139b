"""What can be asked over HTTP: each operation with what it takes and gives, as the OpenAPI document tells it.

A test compares the paths with the routes of the code, and the kinds of refusals with those that the code raises.
"""

from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from streamhooks.admin.access import HEADER, VALUE
from streamhooks.admin.api_handlers import Pause, Resume
from streamhooks.admin.api_history import Fired
from streamhooks.admin.api_letters import LARGEST_PAGE, PAGE, Replayed
from streamhooks.admin.api_trial import Trial
from streamhooks.admin.asked import Chosen, ChosenLetters
from streamhooks.admin.sampling import Sample
from streamhooks.flow.story.words import Told
from streamhooks.ingest.door import PATH, RECORDS_PATH
from streamhooks.settings import Settings
from tests.contract import http_answers as answers

Door: TypeAlias = Literal["health", "api", "ingest"]
Kinds: TypeAlias = dict[int, tuple[str, ...]]


class Asked(Struct, frozen=True):
    """A parameter of a path or query."""

    name: str
    place: Literal["path", "query"]
    what: str
    example: str = ""
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one path."""

    method: Literal["get", "post"]
    path: str
    door: Door
    name: str
    summary: str
    text: str = ""
    asked: tuple[Asked, ...] = ()
    body: type[Struct] | None = None
    gives: type[Struct] | str
    """A struct as JSON, or the media type of a text."""
    status: int = 200
    says: str = "Done."
    kinds: Kinds = {}
    """Of refusals, by status, beside those of its door."""


ADMIN: Kinds = {
    401: ("no_token", "wrong_token"),
    403: ("wrong_origin",),
    404: ("no_token_configured",),
    421: ("wrong_host",),
}
"""Refusals that every operation of the API knows."""
CHANGING: Kinds = {403: ("header_missing",), 408: ("too_slow",), 413: ("too_large",), 415: ("wrong_content_type",)}
"""Those of what has a body."""
REDIS: Kinds = {503: ("redis_away", "redis_refuses")}
INGEST: Kinds = {
    400: ("bad_events", "bad_query", "broken_body", "empty", "malformed", "not_an_array", "too_deep"),
    401: ("no_token", "wrong_token"),
    403: ("browser",),
    408: ("too_slow",),
    413: ("too_large", "too_many"),
    415: ("compressed", "wrong_charset", "wrong_content_type"),
    417: ("unknown_expectation",),
    429: ("busy", "stream_full"),
    503: ("redis_away", "redis_error", "redis_refuses"),
}
EVERYWHERE: Kinds = {404: ("no_such_path",), 405: ("wrong_method",), 500: ("internal",)}
"""What no operation answers: other paths and methods do, and what nobody expected."""
LISTEN = {
    "health": Settings().admin.listen,
    "api": Settings().admin.listen,
    "ingest": "127.0.0.1:8090",  # off by default; as docs/ingest.md has it
}
CONFIRMS = {"name": HEADER, "const": VALUE}

_ID = Asked("id", "path", "The id of a handler.", "security-slack")
_FILTERS = (
    Asked("handler", "query", "Only of this handler."),
    Asked("type", "query", "Only events of this type; a * at the end stands for any ending."),
    Asked("reason", "query", "Only with this reason."),
    Asked("since", "query", "Buried since then: `2h` (ago), RFC 3339 (UTC), or an id."),
    Asked("until", "query", "Buried until then."),
)

OPERATIONS = (
    Operation(
        method="get", path="/livez", door="health", name="live", gives="text/plain",
        summary="Is the process alive?", text="Never asks Redis: restarting a worker brings no Redis back.",
        says="It is.",
    ),
    Operation(
        method="get", path="/readyz", door="health", name="ready", gives="text/plain",
        summary="Does the worker work?", says="It does.", kinds={503: ()},
    ),
    Operation(
        method="get", path="/metrics", door="health", name="metrics", gives="text/plain",
        summary="Figures for Prometheus", says="In its text form.",
    ),
    Operation(
        method="get", path="/api/v1/status", door="api", name="status", gives=Sample,
        summary="How it stands now", text="That Redis is away is told by `redis`, and is no error.", says="A sample.",
    ),
    Operation(
        method="get", path="/api/v1/events", door="api", name="events", gives="text/event-stream",
        summary="How it stands, for as long as the connection lasts",
        text="Server-sent events: `hello` once, `sample` each second (as /api/v1/status has it), `outcomes` with what "
        "became of events, `lost` with a number of messages or outcomes that were left out.",
        says="A stream that does not end by itself.", kinds={503: ("too_many_clients",)},
    ),
    Operation(
        method="get", path="/api/v1/handlers", door="api", name="listHandlers", gives=answers.Handlers,
        summary="All handlers, and how they stand", says="Those of the configuration first.", kinds=REDIS,
    ),
    Operation(
        method="get", path="/api/v1/handlers/{id}", door="api", name="showHandler", gives=answers.HandlerInFull,
        summary="One handler, with its template", asked=(_ID,), says="The handler.",
        kinds={404: ("no_such_handler",), **REDIS},
    ),
    Operation(
        method="post", path="/api/v1/handlers/{id}/pause", door="api", name="pauseHandler", gives=answers.Paused,
        summary="Store a handler's events from now on", asked=(_ID,), body=Pause, says="It is paused.",
        kinds={400: ("bad_request",), 404: ("no_such_handler",), **REDIS},
    ),
    Operation(
        method="post", path="/api/v1/handlers/{id}/resume", door="api", name="resumeHandler", gives=answers.Resumed,
        summary="Send to it again, what was stored too", asked=(_ID,), body=Resume, says="It goes on.",
        kinds={400: ("bad_request",), 404: ("no_such_handler",), 409: ("not_paused",), **REDIS},
    ),
    Operation(
        method="get", path="/api/v1/dead", door="api", name="listDeadLetters", gives=answers.Letters,
        summary="Dead letters, the newest first, a page at a time",
        asked=(
            *_FILTERS,
            Asked("limit", "query", f"Letters in a page, {PAGE} where nothing is said.", "50",
                  {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
            Asked("before", "query", "The `next` of the page before."),
        ),
        says="A page.", kinds={400: ("bad_request",), **REDIS},
    ),
    Operation(
        method="get", path="/api/v1/dead/{id}", door="api", name="showDeadLetter", gives=answers.LettersInFull,
        summary="Everything that is known of a dead letter, credentials masked",
        asked=(Asked("id", "path", "Of a letter, of its event, or a webhook-id.", "1795428000000-0"),),
        says="One letter, or as many as the id means.", kinds={404: ("no_such_letter",), **REDIS},
    ),
    Operation(
        method="post", path="/api/v1/dead/replay", door="api", name="replayDeadLetters", gives=Replayed,
        summary="Put dead letters back on their way, with the same webhook-id", body=ChosenLetters,
        text="At most `limit` of them; while `more` is true, ask again with `until`.",
        says="What was done.", kinds={400: ("bad_request",), **REDIS},
    ),
    Operation(
        method="post", path="/api/v1/replay", door="api", name="replayHistory", gives=Fired,
        summary="Fire past events again, from the stream's history, with a new webhook-id", body=Chosen,
        text="At most `limit` webhooks; while `more` is true, ask again with `since` behind `up_to`.",
        says="What was done.", kinds={400: ("bad_request",), 404: ("no_such_handler",), **REDIS},
    ),
    Operation(
        method="get", path="/api/v1/explain/{id}", door="api", name="explain", gives=Told,
        summary="One event's whole life: why did it, or did it not, arrive?",
        asked=(Asked("id", "path", "Of an entry, of a dead letter, or a webhook-id.", "1795428000000-0"),),
        says="Its story.", kinds={400: ("bad_request",), 404: ("no_such_event",), **REDIS},
    ),
    Operation(
        method="get", path="/api/v1/examples", door="api", name="listExamples", gives=answers.ExampleTypes,
        summary="The types that there are examples of", says="The types.",
    ),
    Operation(
        method="get", path="/api/v1/examples/{type}", door="api", name="showExample", gives=answers.Example,
        summary="An example event of a type", says="The event; of a type that is not known, a plausible one.",
        asked=(Asked("type", "path", "A type.", "AuthFailure"),),
    ),
    Operation(
        method="post", path="/api/v1/render", door="api", name="render", gives=answers.Rendered, body=Trial,
        summary="The exact request of a handler for an event; sends nothing", says="The request.",
        kinds={400: ("bad_request",), 404: ("no_such_handler",), 422: ()},
    ),
    Operation(
        method="post", path="/api/v1/fire", door="api", name="fire", gives=answers.Trialled, body=Trial,
        summary="Send one request now, outside of stream and cool-down", says="What came of it.",
        kinds={400: ("bad_request",), 404: ("no_such_handler",), 422: (), 429: ("too_many",)},
    ),
    Operation(
        method="post", path=PATH, door="ingest", name="publish", gives=answers.Taken, status=202,
        summary="Add events to the stream", text="All or nothing: where one of them is none, nothing is taken.",
        says="Redis has acknowledged them.",
    ),
    Operation(
        method="post", path=RECORDS_PATH, door="ingest", name="publishRecords", gives=answers.TakenRecords, status=202,
        summary="Add the events among records of an access log",
        text="A record without a `type`, or with an empty one, is no event, and is counted as skipped.",
        says="Redis has acknowledged the events.",
    ),
)  # fmt: skip
