"""Our own form of a handler: one member of the list `handlers`."""

from streamhooks.handlers.build import Builder, Written, keys_of
from streamhooks.handlers.definition import OwnDefinition
from streamhooks.handlers.handler import Handler
from streamhooks.settings.reading import Place, Reader, made


def read_handler(data: object, place: Place, reader: Reader, builder: Builder) -> Handler | None:
    """The handler; None where it is disabled, or has faults, which reader and builder note."""
    before = len(reader.faults)
    mapping = reader.mapping(data, place)
    if len(reader.faults) > before:
        return None
    known = reader.section(OwnDefinition, mapping, place)
    definition = made(OwnDefinition, known)
    if definition.disabled:
        return None
    written = Written(known, keys_of(mapping), place, reader.base)
    if written.lacks("on"):
        said = 'is missing; name the event types that fire the handler, such as [AuthFailure], or ["*"] for all'
        reader.faults.append(place.key("on").fault(said))
    handler = builder.build(written, definition.on)
    return handler if len(reader.faults) == before else None
