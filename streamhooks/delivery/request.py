"""An event and a handler become a Request: body, path and headers rendered, checked, and fingerprinted.

What is the same for every event of a handler (the constant headers, the request's head for the fingerprint, the tail
of the webhook-id) is made once, in a RequestMaker; per event only what an event can change is rendered and checked.

Laws: scheme, host and port come from the handler alone. The fingerprint is over the rendered body even where the
method sends none, and a fingerprint that was given is carried, never made again. `Attempt` is seen by header values
only, because anything else would change the fingerprint of a retry; `Suppressed` is seen everywhere, and the
fingerprint is always that of the request with 0.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from streamhooks import __version__
from streamhooks.delivery import fingerprint as prints
from streamhooks.delivery.govalues import go_time, with_go_values
from streamhooks.delivery.headers import MAX_TOTAL, line_length, value_fault
from streamhooks.errors import RequestError
from streamhooks.event_types import aliases
from streamhooks.handlers.handler import Handler, HeaderText, Text
from streamhooks.model import Event, Meta, Request
from streamhooks.secret import Secret, names_credential, revealed

BODYLESS = frozenset({"GET", "DELETE"})
"""Methods that carry no body, as Tyk's documentation has it; `compat: tyk` sends it all the same, as Tyk does."""

MAX_PATH = 8 * 1024
"""Characters of a rendered path and query."""

SUPPRESSED = "X-Streamhooks-Suppressed"
"""The header that says how many duplicates the cool-down held back since the last delivery; absent for none."""

Line: TypeAlias = tuple[str, str | Secret]
"""A header, by name; its value is revealed when it is sent."""

_WITHHELD = "OriginatingRequest"
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*\Z")
_WEBHOOK_ID = re.compile(r"evt_(\d{1,20}-\d{1,20})_(\d{1,9})_([0-9a-f]{8})(?:_r(\w+))?", re.ASCII)
_DOT_SEGMENT = re.compile(r"/(?:\.|%2[Ee]){1,2}(?:/|\Z)")


def view(event: Event, *, expose_originating_request: bool = False, compat: str = "") -> dict[str, object]:
    """What a template sees of an event, under Go's names; the event itself is not changed.

    `OriginatingRequest` holds the caller's credentials and is left out unless asked for. With `compat` times and
    durations are what Tyk's templates have.
    """
    meta = _meta(event, expose_originating_request)
    if compat:
        meta = with_go_values(event.type, meta)
    return {
        "Type": event.type,
        "Meta": meta,
        "TimeStamp": go_time(event.timestamp) if compat else event.timestamp,
        "EventType": event.type,
        "EventMetaData": meta,
        "ID": event.id,
        "APIID": event.api_id,
        "OrgID": event.org_id,
        "Source": event.source,
        "Suppressed": 0,
    }


def _meta(event: Event, expose: bool) -> Meta:
    """Meta with Go's names beside those of Tyk's JSON; the event's own map where nothing differs."""
    meta = event.meta
    hidden = not expose and _WITHHELD in meta
    names = aliases(event.type)
    if not hidden and not names:
        return meta
    seen = {name: value for name, value in meta.items() if name != _WITHHELD or expose}
    for json_name, go_name in names.items():
        if json_name in meta:
            seen.setdefault(go_name, meta[json_name])
    return seen


def permitted(event: Event, handler: Handler) -> Event:
    """The event without what its handler may not see, so that no record of a retry or a dead letter keeps it."""
    if handler.expose_originating_request or _WITHHELD not in event.meta:
        return event
    return replace(event, meta={name: value for name, value in event.meta.items() if name != _WITHHELD})


def webhook_id(event_id: str, partition: int, handler_id: str, suffix_run: str = "") -> str:
    """The id that receivers dedupe on: the same for every attempt of one event to one handler.

    `event_id` is the origin entry's. `suffix_run` is given for a replay from the stream's history, which is a new
    message to the receiver; a dead letter that is replayed keeps its id and gives none.
    """
    return _webhook_id(event_id, _id_tail(partition, handler_id), suffix_run)


class WebhookId(Struct, frozen=True):
    """What a webhook-id says."""

    entry: str
    """The entry that first carried the event."""
    partition: int
    handler_hash: str
    run: str
    """Of the replay from history that it was sent by; empty: of none."""

    def names(self, handler_id: str) -> bool:
        return _hash(handler_id) == self.handler_hash


def read_webhook_id(text: str) -> WebhookId | None:
    """None: it is none of ours."""
    found = _WEBHOOK_ID.fullmatch(text)
    return WebhookId(found[1], int(found[2]), found[3], found[4] or "") if found else None


def _hash(handler_id: str) -> str:
    return sha256(handler_id.encode()).hexdigest()[:8]


def _id_tail(partition: int, handler_id: str) -> str:
    return f"_{partition}_{_hash(handler_id)}"


def _webhook_id(event_id: str, tail: str, suffix_run: str) -> str:
    return f"evt_{event_id}{tail}_r{suffix_run}" if suffix_run else f"evt_{event_id}{tail}"


def build(
    event: Event, handler: Handler, fingerprint: str = "", *, partition: int = 0, suffix_run: str = ""
) -> Request:
    """One request without a maker kept: for `render`, `fire` and tests. Raises what RequestMaker.make raises."""
    return RequestMaker(handler, partition).make(event, fingerprint, suffix_run)


class RequestMaker:
    """Makes the requests of one handler on one partition.

    Raises RequestError at once where a constant of the handler can make no request: a header value, or a URL that Go
    refuses.
    """

    def __init__(self, handler: Handler, partition: int = 0) -> None:
        self.handler = handler
        self._expose = handler.expose_originating_request
        self._id_tail = _id_tail(partition, handler.id)
        self._sends_body = handler.method not in BODYLESS or handler.compat == "tyk"
        self._url = ""
        self._head: prints.Head | None = None
        if isinstance(handler.path, str):
            self._url = handler.origin + handler.path if handler.path else handler.target
            # Tyk hashes the URL as configured, not as it goes on the wire.
            self._head = prints.head(handler.method, handler.target)
        self._lines = _header_lines(handler)
        self._tells = SUPPRESSED.lower() not in {name.lower() for name, _, _ in self._lines}
        self._constant = _constant_lines(handler, self._lines)

    def make(self, event: Event, fingerprint: str = "", suffix_run: str = "", suppressed: int = 0) -> Request:
        """The request for `event`; `fingerprint` is that of the first attempt, empty at the first. `suppressed` is
        how many equal requests its cool-down has held back.

        Raises TemplateError where a template fails or a JSON one renders no JSON, RequestError (kinds `path` and
        `header`) where what it rendered may not be sent.
        """
        handler = self.handler
        data = view(event, expose_originating_request=self._expose, compat=handler.compat)
        if suppressed:
            fingerprint = fingerprint or self.make(event, "", suffix_run).fingerprint
            data["Suppressed"] = suppressed
        body = handler.body.render_bytes(data)
        url = self._url or handler.origin + self._path(data)
        sent = body if self._sends_body else b""
        return Request(
            event_id=event.id,
            handler_id=handler.id,
            endpoint=handler.origin,
            method=handler.method,
            url=url,
            headers=self._headers(data, event, bool(sent), suffix_run, suppressed),
            body=sent,
            fingerprint=fingerprint or self._fingerprint(event, url, body),
            attempt=event.attempt,
        )

    def _path(self, data: dict[str, object]) -> str:
        path = _render(self.handler.path, data)
        if len(path) > MAX_PATH:
            raise self._fault(
                "path", f"the rendered path is {len(path)} characters long, at most {MAX_PATH} may be sent"
            )
        if not _PATH.match(path):
            raise self._fault("path", "the rendered path must begin with / and hold percent-encoded ASCII only")
        # A value of `..` would climb out of the place that the configuration gave; Go and proxies fold it.
        if _DOT_SEGMENT.search(path.partition("?")[0]):
            raise self._fault("path", "the rendered path holds a . or .. segment: an event may not move the target")
        return path

    def _fingerprint(self, event: Event, url: str, body: bytes) -> str:
        if event.type in prints.CERTIFICATE_TYPES:
            return prints.certificate_fingerprint(event.type, event.meta)
        head = self._head or prints.head(self.handler.method, url)
        return head.fingerprint(body)

    def _headers(
        self, data: dict[str, object], event: Event, has_body: bool, suffix_run: str, suppressed: int
    ) -> tuple[Line, ...]:
        lines: Sequence[Line] | None = self._constant and self._constant[has_body]
        if lines is None:
            data["Attempt"] = event.attempt
            lines = self._rendered(data, has_body)
        id_line = ("webhook-id", _webhook_id(event.id, self._id_tail, suffix_run))
        return (*lines, id_line, (SUPPRESSED, str(suppressed))) if suppressed and self._tells else (*lines, id_line)

    def _rendered(self, data: dict[str, object], has_body: bool) -> list[Line]:
        lines: list[Line] = []
        total = 0
        for name, text, needs_body in self._lines:
            if needs_body and not has_body:
                continue
            value = text.reveal() if isinstance(text, Secret) else _render(text, data)
            if fault := value_fault(value, self.handler.compat == "tyk"):
                raise self._fault("header", f"header {name}: {fault}")
            total += line_length(name, value)
            lines.append((name, Secret(value) if isinstance(text, Secret) or names_credential(name) else value))
        if total > MAX_TOTAL:
            raise self._fault("header", f"the headers are {total} bytes long together, at most {MAX_TOTAL} may be sent")
        return lines

    def _fault(self, kind: str, message: str) -> RequestError:
        return RequestError(kind, message, self.handler.place or self.handler.id)


def _render(text: Text, data: dict[str, object]) -> str:
    return text if isinstance(text, str) else text.render(data)


def _header_lines(handler: Handler) -> list[tuple[str, HeaderText, bool]]:
    """Name, value, and whether it is sent only with a body; those of the configuration win."""
    lines: list[tuple[str, HeaderText, bool]] = [(name, text, False) for name, text in handler.headers]
    named = {name.lower() for name, _, _ in lines}
    if "content-type" not in named and handler.compat == "tyk":
        lines.append(("Content-Type", handler.content_type, False))  # empty where the template is no .json
    elif "content-type" not in named and handler.content_type:
        lines.append(("Content-Type", handler.content_type, True))
    if "user-agent" not in named:
        agent = "Tyk-Hookshot" if handler.compat == "tyk" else f"streamhooks/{__version__}"
        lines.append(("User-Agent", agent, False))
    return lines


def _constant_lines(
    handler: Handler, lines: list[tuple[str, HeaderText, bool]]
) -> tuple[tuple[Line, ...], tuple[Line, ...]] | None:
    """The lines without and with a body where no event changes them; None where a value is a template."""
    constant: list[tuple[str, str | Secret, bool]] = []
    for name, text, needs_body in lines:
        if not isinstance(text, str | Secret):
            return None
        if fault := value_fault(revealed(text), handler.compat == "tyk"):
            raise RequestError("header", f"header {name}: {fault}", handler.place or handler.id)
        constant.append((name, text, needs_body))
    total = sum(line_length(name, revealed(value)) for name, value, _ in constant)
    if total > MAX_TOTAL:
        raise RequestError(
            "header",
            f"the headers are {total} bytes long together, at most {MAX_TOTAL} may be sent",
            handler.place or handler.id,
        )
    with_body = tuple((name, value) for name, value, _ in constant)
    return tuple((name, value) for name, value, needs_body in constant if not needs_body), with_body
