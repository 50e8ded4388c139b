"""Tyk's own files, read as they are: API definitions, classic and OAS, and tyk.conf.

A hook of an API definition fires for events of that API alone, one of tyk.conf for events that belong to no API. By
default both run by our rules; with `compat: tyk`, said for the files or in a `handler_meta`, they send what Tyk sends.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from msgspec import Struct

from streamhooks.handlers.build import Builder, Written
from streamhooks.handlers.handler import Handler
from streamhooks.handlers.tyk_classic import read_definitions
from streamhooks.handlers.tyk_conf import Services, read_conf, read_services
from streamhooks.handlers.tyk_hooks import Document, TykHook
from streamhooks.secret import Secret
from streamhooks.settings.reading import Given, Known

IGNORED_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "trailer"})
"""Go's Request.Write takes these from elsewhere and never from the header map."""
CONNECTION_HEADERS = frozenset(
    {"connection", "keep-alive", "te", "upgrade", "expect", "accept-encoding", "proxy-connection"}
)
"""These concern the connection, which is ours; no receiver of a webhook misses them."""

_USER = re.compile(r"(?i)(https?://)([^/?#@]*)@(.*)", re.DOTALL)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class TykHandler(Struct, frozen=True):
    """A hook with the handler that was made of it."""

    hook: TykHook
    handler: Handler
    way: Known
    """What tyk.conf says of its way out, by the paths of Definition."""


def read_tyk(conf: Document | None, definitions: Sequence[Document], compat: str, builder: Builder) -> list[TykHandler]:
    """The handlers of Tyk's files, without those that are disabled, faulty or not ours."""
    hooks = [hook for document in definitions for hook in read_definitions(document)]
    services = Services()
    if conf is not None:
        hooks += read_conf(conf)
        services = read_services(conf)
    found = []
    for name, hook in _named(hooks, builder):
        handler = _built(hook, name, compat, services, builder)
        if handler is not None:
            found.append(TykHandler(hook, handler, services.route(hook.meta.target_path)))
    return found


def _named(hooks: Sequence[TykHook], builder: Builder) -> Iterator[tuple[str, TykHook]]:
    """Each hook with an id of its own that stays the same from start to start.

    Neither Tyk's id nor its name will do: a dashboard puts one webhook under many events and APIs. What a gateway
    exports in both forms, classic and OAS, is one webhook all the same.
    """
    seen: dict[str, TykHook] = {}
    for hook in hooks:
        name = base = _identity(hook)
        count = 1
        while name in seen and not _same(seen[name], hook):
            count += 1
            name = f"{base}-{count}"
        if name not in seen:
            seen[name] = hook
            yield name, hook
        elif seen[name].place.file == hook.place.file:
            builder.warnings.append(hook.place.fault(f"is the same webhook as {seen[name].place}; it is sent once"))


def _same(one: TykHook, other: TykHook) -> bool:
    return one.meta == other.meta


def _identity(hook: TykHook) -> str:
    """`<name or event>-<8 hex>` of what makes the webhook this one; a changed header or cool-down leaves it be."""
    meta = hook.meta
    parts = (hook.api_id, hook.event, meta.method.upper(), meta.target_path, meta.template_path)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    label = re.sub(r"[^a-z0-9_.-]+", "-", (meta.name or hook.event).lower())[:50].strip("-_.")
    return f"{label or 'tyk'}-{digest}"


def _built(hook: TykHook, name: str, compat: str, services: Services, builder: Builder) -> Handler | None:
    meta = hook.meta
    known: Known = {**services.route(meta.target_path), **hook.known}
    target, user = _without_user(meta.target_path)
    if ("target_path",) in known:
        known[("target_path",)] = Given(target, known[("target_path",)].place)
    if ("header_map",) in known or user:
        place = hook.place.key("header_map")
        known[("header_map",)] = Given(_headers(meta.header_map, user, services, hook, builder), place)
    known[("id",)] = Given(name, hook.place.key("id"))
    if ("event_timeout",) in known:
        known[("event_timeout",)] = Given(float(meta.event_timeout), known[("event_timeout",)].place)
    known[("apis",)] = Given((hook.api_id,), hook.place)
    if compat and ("compat",) not in known:
        known[("compat",)] = Given(compat, hook.place)
    return builder.build(Written(known, hook.keys, hook.place, hook.base), (hook.event,))


def _without_user(target: str) -> tuple[str, str]:
    """The URL without fragment, user and password, which are no part of a request, and what Go makes of the latter."""
    target = target.partition("#")[0]
    match = _USER.fullmatch(target)
    if match is None:
        return target, ""
    user, _, password = match[2].partition(":")
    pair = f"{unquote(user)}:{unquote(password)}"
    return match[1] + match[3], f"Basic {b64encode(pair.encode('utf-8', 'surrogatepass')).decode()}"


def _headers(
    header_map: dict[str, str | Secret], user: str, services: Services, hook: TykHook, builder: Builder
) -> dict[str, str | Secret]:
    """The headers that Go would send, under the names that it gives them."""
    headers: dict[str, str | Secret] = {}
    written: dict[str, str] = {}
    for name, value in header_map.items():
        at = hook.place.key("header_map").key(name)
        if name.lower() in IGNORED_HEADERS:
            builder.warnings.append(at.fault(f"{name} has no effect, here as in Tyk: it is made for each request"))
        elif name.lower() in CONNECTION_HEADERS:
            builder.warnings.append(at.fault(f"{name} is not sent: it belongs to the connection, which is ours"))
        elif services.header_names_as_written:
            headers[name] = value
        else:
            if (before := written.setdefault(canonical(name), name)) != name:
                said = f"{before} and {name} are one header: Tyk sends either, as it happens; here this one is sent"
                builder.warnings.append(at.fault(said))
            headers[canonical(name)] = value
    if user:
        headers.setdefault("Authorization", Secret(user))
    return headers


def canonical(name: str) -> str:
    """As Go's CanonicalMIMEHeaderKey spells it; what is no header name stays as it is."""
    if not _TOKEN.fullmatch(name):
        return name
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))
