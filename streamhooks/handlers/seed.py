"""The seed's own form, `event_handlers.events.<Event>[]`, as Tyk has it: a definition can be pasted in unchanged.

Law: references (env://, file://) are followed in our own form only. Whoever may edit an API definition must not be
able to read the environment of the worker.
"""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct

from streamhooks.handlers.build import Builder, Written, keys_of
from streamhooks.handlers.definition import EVENT_PATTERN, Definition
from streamhooks.handlers.handler import Handler
from streamhooks.settings.reading import Place, Reader, made
from streamhooks.settings.rules import RefusedError, one_of

WEB_HOOK = "eh_web_hook_handler"
FOREIGN = ("eh_log_handler", "eh_dynamic_handler", "cp_dynamic_handler")
"""What else Tyk can do with an event, inside the gateway."""


class _Entry(Struct, frozen=True):
    handler_name: Annotated[str, one_of(WEB_HOOK, *FOREIGN)] = ""


def read_event_handlers(data: object, place: Place, reader: Reader, builder: Builder) -> list[Handler]:
    """The handlers of one `event_handlers` block, without those that are disabled, faulty or not ours."""
    reader.section(_Nothing, data, place, extra=("events",))
    events = data.get("events") if isinstance(data, dict) else None
    handlers = []
    for event, entry, at in _entries(events, place.key("events"), reader):
        handler = _read_entry(event, entry, at, reader.without_references(), builder)
        if handler is not None:
            handlers.append(handler)
    return handlers


class _Nothing(Struct, frozen=True):
    """The block has no values of its own."""


def _entries(events: object, place: Place, reader: Reader) -> Iterator[tuple[str, object, Place]]:
    for event, entries in reader.mapping(events, place).items():
        at = place.key(str(event))
        try:
            EVENT_PATTERN.check(event)
        except RefusedError as refusal:
            reader.faults.append(at.fault(f"the key {refusal}"))
            continue
        for entry, entry_place in reader.items(entries, at):
            yield event, entry, entry_place


def _read_entry(event: str, entry: object, place: Place, reader: Reader, builder: Builder) -> Handler | None:
    before = len(reader.faults)
    mapping = reader.mapping(entry, place)
    known = reader.section(_Entry, mapping, place, extra=("handler_meta",))
    if len(reader.faults) > before:
        return None
    name = made(_Entry, known).handler_name
    if name in FOREIGN:
        reader.warnings.append(
            place.fault(f"{name} runs inside the gateway and is left to it; only {WEB_HOOK} is ours")
        )
        return None
    if not name:
        reader.faults.append(place.key("handler_name").fault(f'is missing; write "{WEB_HOOK}"'))
        return None
    return _read_meta(event, mapping.get("handler_meta"), place.key("handler_meta"), reader, builder)


def _read_meta(event: str, data: object, place: Place, reader: Reader, builder: Builder) -> Handler | None:
    before = len(reader.faults)
    mapping = reader.mapping(data, place)
    if len(reader.faults) > before:
        return None
    if "on" in mapping:
        reader.faults.append(
            place.key("on").fault("belongs to the form under handlers; here the event is the key above")
        )
    known = reader.section(Definition, mapping, place, extra=("on",))
    if made(Definition, known).disabled:
        return None
    handler = builder.build(Written(known, keys_of(mapping), place, reader.base), (event,))
    return handler if len(reader.faults) == before else None
