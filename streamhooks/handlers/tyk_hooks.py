"""What Tyk's files are read into: hooks, each one webhook on one event, still with what Tyk means by it.

tyk_classic.py, tyk_oas.py and tyk_conf.py read the shapes; tyk.py makes handlers of the hooks.

Laws: a key that we do not know is somebody else's business, because dashboards export many; a wrong type in a key that
we use is a fault. References (env://, file://) are never followed, and what reaches beyond one's own webhook (networks,
proxies, certificates, other APIs) is never taken: whoever may edit an API definition may not open doors of the worker.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from msgspec import Struct

from streamhooks.errors import Fault
from streamhooks.handlers.build import keys_of
from streamhooks.handlers.definition import EVENT_PATTERN, Definition
from streamhooks.settings.reading import Known, Place, Reader, made, rules_of, shown
from streamhooks.settings.rules import TEXT, RefusedError, whole

Kind = Literal["classic", "oas", "conf", "monitor"]
WEB_HOOK = "eh_web_hook_handler"
EXTENSION = "x-tyk-api-gateway"
WRAPPER = "api_definition"
DEFINITION_MARKS = (EXTENSION, WRAPPER, "api_id")
"""One of these keys is in every API definition, whatever its form."""
OF_TYK = frozenset({"id", "name", "disabled", "method", "target_path", "template_path", "header_map", "event_timeout"})
"""The keys of a `handler_meta` that Tyk knows; all others that are read there are ours."""
_REACHING = {
    "apis": "it is for the events of its own API; import it into handlers, which may name others",
    "allow_cidrs": "write it under defaults in the configuration, or import the webhook into handlers",
    "proxy": "write it under defaults in the configuration or external_services of tyk.conf",
    "tls": "write it under defaults in the configuration or external_services of tyk.conf",
}
"""Keys of ours that are not taken from Tyk's files, because they reach beyond the webhook, and the way out."""


class HandlerMeta(Definition, frozen=True):
    """The keys of `handler_meta`: Tyk's own, and those of ours that concern the webhook alone."""

    id: Annotated[str, TEXT] = ""
    event_timeout: Annotated[float, whole(0, 366 * 86400)] = 0.0
    """Tyk counts whole seconds; a text here keeps Tyk from loading the definition at all."""


class Document(Struct, frozen=True):
    """One of Tyk's files."""

    data: object
    place: Place
    reader: Reader
    """One that follows no references."""


class TykHook(Struct, frozen=True):
    """One webhook of Tyk's files on one event."""

    kind: Kind
    event: str
    api_id: str
    """Empty for tyk.conf, whose handlers see Tyk's system events only."""
    place: Place
    known: Known
    """What is good of it, by the paths of HandlerMeta."""
    keys: frozenset[str]
    base: str

    def __repr__(self) -> str:
        """Without what the file says: a target of Tyk's may hold a user and password."""
        return f"<TykHook {self.kind} {self.event} at {self.place}>"

    @property
    def meta(self) -> HandlerMeta:
        return made(HandlerMeta, self.known)


class Scope(Struct, frozen=True):
    """Where hooks were found: in which kind of file, of which API."""

    kind: Kind
    api_id: str = ""


def known_section(reader: Reader, kind: type[Struct], data: object, place: Place) -> Known:
    """The good values of one section, without a word about the keys that `kind` does not have."""
    mapping = reader.mapping(data, place)
    return reader.section(kind, {key: value for key, value in mapping.items() if key in rules_of(kind)}, place)


def events(data: object, place: Place, reader: Reader) -> Iterator[tuple[str, object, Place]]:
    """Each entry of `event_handlers` with its event, whatever kind of handler it is."""
    block = reader.mapping(data, place)
    at = place.key("events")
    for event, entries in reader.mapping(block.get("events"), at).items():
        here = at.key(str(event))
        if is_event(event, here, reader):
            for entry, entry_place in reader.items(entries, here):
                yield event, entry, entry_place


def is_event(name: object, place: Place, reader: Reader) -> bool:
    """Whether it is an event type that can fire; else the reader is told why."""
    try:
        if EVENT_PATTERN.check(name).endswith("*"):
            reader.warnings.append(place.fault(f"is {shown(name)}, which never fires: Tyk knows no * in event types"))
            return False
    except RefusedError as refusal:
        reader.faults.append(place.fault(f"is {shown(name)}; {refusal}"))
        return False
    return True


class _Entry(Struct, frozen=True):
    handler_name: Annotated[str, TEXT] = ""


def read_events(data: object, place: Place, reader: Reader, scope: Scope) -> list[TykHook]:
    """The hooks of one `event_handlers` block; other kinds of handlers are told of as not ours."""
    hooks: list[TykHook] = []
    for event, entry, at in events(data, place, reader):
        faults = len(reader.faults)
        mapping = reader.mapping(entry, at)
        known = known_section(reader, _Entry, mapping, at)
        if len(reader.faults) > faults:
            continue
        name = made(_Entry, known).handler_name
        if name != WEB_HOOK:
            reader.warnings.append(not_ours(at, name, f"only {WEB_HOOK} is ours"))
            continue
        hooks += read_meta(mapping.get("handler_meta"), at.key("handler_meta"), reader, scope, event)
    return hooks


def not_ours(place: Place, name: str, but: str) -> Fault:
    if not name:
        return place.fault(f"names no handler, and neither Tyk nor we do anything with it; {but}")
    return place.fault(f"{name} is not ours: it runs inside the gateway and is left to it; {but}")


def read_meta(data: object, place: Place, reader: Reader, scope: Scope, event: str) -> list[TykHook]:
    """The hook of one `handler_meta`; none where it is disabled or no section at all."""
    faults = len(reader.faults)
    mapping = reader.mapping(data, place)
    if len(reader.faults) > faults:
        return []
    allowed = taken(mapping, place, reader)
    known = known_section(reader, HandlerMeta, allowed, place)
    hook = TykHook(scope.kind, event, scope.api_id, place, known, keys_of(allowed), reader.base)
    return [] if hook.meta.disabled else [hook]


def taken(mapping: Mapping[Any, Any], place: Place, reader: Reader) -> dict[Any, Any]:
    """What may come from a file of Tyk's; of the rest the reader is told."""
    for key, way_out in _REACHING.items():
        if mapping.get(key):
            reader.warnings.append(place.key(key).fault(f"is not taken from Tyk's files: {way_out}"))
    return {key: value for key, value in mapping.items() if key not in _REACHING}
