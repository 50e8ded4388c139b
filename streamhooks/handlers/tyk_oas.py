"""OAS API definitions: `x-tyk-api-gateway.server.eventHandlers[]`, Tyk's newer spelling of the same webhook.

One with an id is a webhook of the dashboard; the gateway's file holds a copy of its URL, and a file without that copy
names a webhook that nobody but the dashboard knows.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct

from streamhooks.handlers.build import keys_of
from streamhooks.handlers.definition import is_credential
from streamhooks.handlers.tyk_hooks import (
    EXTENSION,
    OF_TYK,
    HandlerMeta,
    TykHook,
    is_event,
    known_section,
    not_ours,
    taken,
)
from streamhooks.secret import Secret
from streamhooks.settings.reading import Given, Known, Place, Reader, made, rules_of, shown
from streamhooks.settings.rules import HEADER, TEXT, flag
from streamhooks.template.gotime import parse_duration

NAMES = {
    "id": "id",
    "name": "name",
    "method": "method",
    "target_path": "url",
    "template_path": "bodyTemplate",
    "event_timeout": "cooldownPeriod",
    "header_map": "headers",
    "disabled": "enabled",
}
"""Our key -> that of OAS."""
_FURTHER = frozenset(rules_of(HandlerMeta)) - OF_TYK
"""Our own keys, which mean here what they mean in a `handler_meta`."""

_DECIDING = frozenset({"enabled", "trigger", "type"})
"""Without these nobody knows whether there is a webhook at all."""
_LONGEST = 366 * 86400


class OasPlace(Place, frozen=True):
    """The place of an event handler: its keys are spelled as the file has them."""

    def key(self, name: str) -> Place:
        return Place(self.file, f"{self.path}.{NAMES.get(name, name)}")


class _Info(Struct, frozen=True):
    id: Annotated[str, TEXT] = ""


class _Webhook(Struct, frozen=True):
    enabled: Annotated[bool, flag()] = False
    trigger: Annotated[str, TEXT] = ""
    type: Annotated[str, TEXT] = ""
    id: Annotated[str, TEXT] = ""
    name: Annotated[str, TEXT] = ""
    url: Annotated[str, TEXT] = ""
    method: Annotated[str, TEXT] = ""
    cooldownPeriod: Annotated[str, TEXT] = ""  # noqa: N815  Tyk's spelling
    bodyTemplate: Annotated[str, TEXT] = ""  # noqa: N815  Tyk's spelling


class _Header(Struct, frozen=True):
    name: Annotated[str, HEADER] = ""
    value: Annotated[str, HEADER] = ""


def read_oas(data: Mapping[Any, Any], place: Place, reader: Reader) -> list[TykHook]:
    """The hooks of one OAS definition."""
    at = place.key(EXTENSION)
    extension = reader.mapping(data[EXTENSION], at)
    info = reader.mapping(extension.get("info"), at.key("info"))
    api_id = made(_Info, known_section(reader, _Info, info, at.key("info"))).id
    if not info.get("id"):
        said = "is missing; without it nobody can say whose events these handlers are for"
        reader.faults.append(at.key("info").key("id").fault(said))
    server = reader.mapping(extension.get("server"), at.key("server"))
    handlers = reader.items(server.get("eventHandlers"), at.key("server").key("eventHandlers"))
    found = [_hook(item, OasPlace(here.file, here.path), reader, api_id) for item, here in handlers]
    return [hook for hook in found if hook is not None]


def _hook(data: object, place: OasPlace, reader: Reader, api_id: str) -> TykHook | None:
    faults = len(reader.faults)
    mapping = reader.mapping(data, place)
    if len(reader.faults) > faults:
        return None
    known = known_section(reader, _Webhook, mapping, place)
    said = made(_Webhook, known)
    keys = keys_of(mapping)
    if any((key,) not in known for key in _DECIDING & keys) or not _is_ours(said, place, reader):
        return None
    further = {key: value for key, value in taken(mapping, place, reader).items() if key in _FURTHER}
    ours = known_section(reader, HandlerMeta, further, place) | _translated(known, said, place, reader)
    ours[("header_map",)] = Given(_headers(mapping.get("headers"), place, reader), place.key("header_map"))
    if said.id and not mapping.get("url"):
        message = f"is missing, and webhook {shown(said.id)} is known to Tyk's dashboard only; copy its URL here"
        reader.faults.append(place.key("target_path").fault(message))
        return None
    spelled = {theirs: our for our, theirs in NAMES.items()}
    return TykHook(
        "oas", said.trigger, api_id, place, ours, frozenset(spelled.get(key, key) for key in keys), reader.base
    )


def _is_ours(said: _Webhook, place: OasPlace, reader: Reader) -> bool:
    """Whether it is a webhook and switched on; the reader is told of what is somebody else's."""
    if said.type != "webhook":
        kind = f"a handler of type {shown(said.type)}" if said.type else ""
        reader.warnings.append(not_ours(place, kind, 'only type "webhook" is ours'))
        return False
    # Tyk takes a missing `enabled` for false.
    return said.enabled and is_event(said.trigger, place.key("trigger"), reader)


def _translated(known: Known, said: _Webhook, place: OasPlace, reader: Reader) -> Known:
    ours: Known = {}
    for our in ("id", "name", "method", "target_path", "template_path"):
        given = known.get((NAMES[our],))
        if given is not None:
            ours[(our,)] = given
    at = place.key("event_timeout")
    cooled = go_seconds(said.cooldownPeriod)
    if cooled is None:
        message = f"is {shown(said.cooldownPeriod)}, which is no duration such as 1m30s: Tyk reads 0, and so do we"
        reader.warnings.append(at.fault(message))
    elif cooled > _LONGEST:
        reader.faults.append(at.fault(f"is {shown(said.cooldownPeriod)}; must be at most 366 days"))
        cooled = None
    ours[("event_timeout",)] = Given(cooled or 0, at)
    return ours


def _headers(data: object, place: OasPlace, reader: Reader) -> dict[str, str | Secret]:
    """By name; of a name given twice the last, as in Tyk."""
    headers: dict[str, str | Secret] = {}
    for item, at in reader.items(data, place.key("header_map")):
        faults = len(reader.faults)
        header = made(_Header, known_section(reader, _Header, item, at))
        if len(reader.faults) > faults:
            continue
        if not header.name:
            reader.faults.append(at.key("name").fault("is missing; a header has a name and a value"))
            continue
        headers[header.name] = Secret(header.value) if is_credential(header.name, header.value) else header.value
    return headers


def go_seconds(text: str) -> int | None:
    """Whole seconds of a duration as Go's time.ParseDuration reads it, rounded down; None where it is none.

    Empty is 0. A negative one is no cool-down that means anything.
    """
    nanos = parse_duration(text) if text else 0
    return None if nanos is None or nanos < 0 else nanos // 10**9
