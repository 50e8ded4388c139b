"""A handler, ready to run: what it listens to, how its request is made, and the policies of its delivery.

Made by build.py of what own.py, seed.py and tyk.py read, all defaults filled in and every template compiled, so that
nothing on the way of an event has to look at a configuration. Frozen: a reload makes new ones.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from streamhooks.secret import Secret
from streamhooks.template import Template

Escape: TypeAlias = Literal["json", "xml", "csv", "form", "html", "text"]
Text: TypeAlias = str | Template
"""A constant, or a template to be rendered for each event."""
HeaderText: TypeAlias = Text | Secret
"""The same, or a credential, which is a constant."""


class Schedule(Struct, frozen=True):
    """When to try again. `delays[n]` seconds after attempt n+1 failed; after the last one the event is dead."""

    delays: tuple[float, ...] = (5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200)
    jitter: float = 0.2
    """A delay is multiplied by a number between 1 - jitter and 1 + jitter."""
    max_age: float = 86400.0
    """Seconds since the first attempt after which no further one is made."""
    permanent_statuses: frozenset[int] = frozenset({410})


class BreakerPolicy(Struct, frozen=True):
    """When to leave an endpoint alone for a while."""

    consecutive: int = 20
    ratio: float = 0.7
    window: float = 300.0
    min_calls: int = 10
    open: float = 30.0
    open_cap: float = 600.0


class Tls(Struct, frozen=True, cache_hash=True):
    """How an endpoint's certificate is checked and ours is shown. Paths of PEM files, or the PEM text itself, which is
    then a Secret; empty: the system's.
    """

    ca_file: str | Secret = ""
    cert_file: str | Secret = ""
    key_file: str | Secret = ""
    insecure_skip_verify: bool = False


class Route(Struct, frozen=True, cache_hash=True):
    """How a connection is made; handlers of one route share their connections."""

    allow_cidrs: tuple[str, ...] = ()
    proxy: Secret = Secret("")
    """May hold a user and password; empty: none."""
    tls: Tls = Tls()


class BodySignature(Struct, frozen=True):
    """A signature of the body alone, in a header of its own, as GitHub's receivers check it."""

    header: str
    secret: Secret
    prefix: str


class Handler(Struct, frozen=True):
    """One webhook: who is told of which events, and how."""

    id: str
    on: tuple[str, ...]
    """Event types; a `*` at the end stands for any ending."""
    body: Template
    target: str
    """The URL as configured, percent-encoded where it is constant."""
    origin: str
    """Scheme, host and port of the target: never from an event."""
    method: str = "POST"
    path: Text = ""
    """Path and query: a template where the configuration holds actions (values percent-encoded)."""
    headers: tuple[tuple[str, HeaderText], ...] = ()
    event_timeout: float = 0.0
    """The cool-down in seconds; 0: none, and no claim is made."""
    escape: Escape = "text"
    compat: Literal["", "tyk"] = ""
    apis: frozenset[str] = frozenset()
    orgs: frozenset[str] = frozenset()
    when: Template | None = None
    content_type: str = ""
    """Sent where `headers` names no Content-Type and there is a body."""
    secrets: tuple[Secret, ...] = ()
    """Standard Webhooks secrets, the current one first."""
    body_signature: BodySignature | None = None
    timeout: float = 15.0
    concurrency: int = 32
    rate_limit: float = 0.0
    """Requests a second over all workers; 0: no limit."""
    expose_originating_request: bool = False
    """Templates see the caller's whole request, credentials included."""
    retry: Schedule = Schedule()
    breaker: BreakerPolicy = BreakerPolicy()
    route: Route = Route()
    place: str = ""
    """File and key path it came from, for messages."""

    def __repr__(self) -> str:
        return f"<Handler {self.id} on {' '.join(self.on)} to {self.origin}>"
