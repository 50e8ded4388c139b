"""Tyk's API definitions, as the gateway reads them from its `apps` folder and as a dashboard exports them.

Told apart by their keys: `x-tyk-api-gateway` is an OAS one, `api_id` a classic one; a dashboard wraps a classic one in
`api_definition`, and the gateway's own API gives several in a list.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct

from streamhooks.handlers.tyk_conf import GATEWAYS, is_conf
from streamhooks.handlers.tyk_hooks import EXTENSION, WRAPPER, Document, Scope, TykHook, known_section, read_events
from streamhooks.handlers.tyk_oas import read_oas
from streamhooks.settings.reading import Place, Reader, made
from streamhooks.settings.rules import TEXT

_REFERENCES = "hook_references"


class _Api(Struct, frozen=True):
    api_id: Annotated[str, TEXT] = ""


def read_definitions(document: Document) -> list[TykHook]:
    """The hooks of one file, which holds one definition or a list of them."""
    data, place, reader = document.data, document.place, document.reader
    if isinstance(data, list):
        return [hook for item, at in reader.items(data, place) for hook in _read(item, at, reader)]
    return _read(data, place, reader)


def _read(data: object, place: Place, reader: Reader) -> list[TykHook]:
    if isinstance(data, Mapping) and EXTENSION in data:
        return read_oas(data, place, reader)
    if isinstance(data, Mapping) and WRAPPER in data:
        if data.get(_REFERENCES):
            said = "is not read: the dashboard puts these webhooks into event_handlers for its gateways; load that form"
            reader.warnings.append(place.key(_REFERENCES).fault(said))
        return _classic(data[WRAPPER], place.key(WRAPPER), reader)
    gateways = is_conf(data, GATEWAYS)
    if isinstance(data, Mapping) and ("api_id" in data or ("event_handlers" in data and not gateways)):
        return _classic(data, place, reader)
    if gateways:
        said = "is a tyk.conf and no API definition; name it under tyk.config, and keep it out of tyk.apis"
    else:
        said = f"is no API definition of Tyk, which has api_id or {EXTENSION}; keep other files out of tyk.apis"
    reader.faults.append(place.fault(said))
    return []


def _classic(data: Any, place: Place, reader: Reader) -> list[TykHook]:
    mapping = reader.mapping(data, place)
    api_id = made(_Api, known_section(reader, _Api, mapping, place)).api_id
    if not mapping.get("api_id"):
        said = "is missing; without it nobody can say whose events these handlers are for"
        reader.faults.append(place.key("api_id").fault(said))
    block, at = mapping.get("event_handlers"), place.key("event_handlers")
    return read_events(block, at, reader, Scope("classic", api_id))
