"""What a handler is tried with: its own self from the configuration, and an event, an example or a person's own."""

from argparse import ArgumentParser
from pathlib import Path

from streamhooks import wire
from streamhooks.cli.opening import wrong
from streamhooks.cli.output import complain, printable
from streamhooks.delivery.masking import credentials, without
from streamhooks.delivery.request import RequestMaker
from streamhooks.errors import RequestError, TemplateError, WireError
from streamhooks.event_types import TYPES, example
from streamhooks.files import Loaded
from streamhooks.flow.lanes import holds
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler
from streamhooks.model import Entry, Event, Request
from streamhooks.own_events import MEANINGS, matches


def add_trial(parser: ArgumentParser) -> None:
    parser.add_argument("--handler", required=True, metavar="ID", help="the handler")
    parser.add_argument(
        "--event",
        default="",
        metavar="FILE|TYPE",
        help="a file with one event as JSON, or the type of an example (default: the first that fires the handler)",
    )


def handler_of(loaded: Loaded, id: str) -> Handler:
    """Raises ConfigError."""
    found = next((handler for handler in loaded.handlers if handler.id == id), None)
    if found is None:
        known = ", ".join(handler.id for handler in loaded.handlers) or "none"
        raise wrong("--handler", f'"{printable(id)}" is no handler of the configuration; it has {known}')
    return found


def event_of(text: str, handler: Handler, max_bytes: int) -> Event:
    """Raises ConfigError."""
    if not text:
        return example(types_of(handler)[0])
    path = Path(text)
    if path.is_file():
        return _read(path, max_bytes)
    if "/" in text or path.suffix:
        raise wrong("--event", f"{printable(text)} is no file that can be read")
    return example(text)


def types_of(handler: Handler) -> tuple[str, ...]:
    """The types that a handler is tried with: those it names, and of a pattern all known ones that it stands for."""
    types: dict[str, None] = {}
    for pattern in handler.on:
        if pattern.endswith("*"):
            matching = [name for name in (*TYPES, *MEANINGS) if matches(pattern, name)]
            types |= dict.fromkeys(matching or [pattern[:-1] or "Example"])
        else:
            types[pattern] = None
    return tuple(types)


def tell_unfired(handler: Handler, event: Event) -> None:
    """Says where a worker would not fire the handler. Raises TemplateError where its condition fails on the event."""
    if not Catalogue((handler,)).select(event):
        complain(
            f"no {printable(event.type)} event of this API and organisation fires {handler.id}: tried all the same"
        )
    elif not holds(handler, event):
        complain(f"the condition (when) of {handler.id} does not hold for this event: tried all the same")


def hidden_of(event: Event) -> list[str]:
    """The credentials of an event of somebody's own, which are not to be shown; that of an example is nobody's."""
    known = credentials(example(event.type).meta)
    return [found for found in credentials(event.meta) if found not in known]


def request_of(handler: Handler, event: Event, *, reveal: bool) -> Request:
    """Raises TemplateError and RequestError, which quote no credential of the event unless it is to be revealed."""
    try:
        return RequestMaker(handler).make(event)
    except (TemplateError, RequestError) as error:
        said = without(error.message, () if reveal else hidden_of(event))
        raise type(error)(error.kind, said, error.place) from None


def _read(path: Path, max_bytes: int) -> Event:
    """An event in the packed form, or in one of the other spellings that the wire contract takes there."""
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
    except OSError as error:
        raise wrong("--event", f"{path} cannot be read: {error.strerror}") from None
    try:
        return wire.decode(Entry(example("").id, {b"d": data}), max_bytes)
    except WireError as error:
        place = error.place.removeprefix("d").removeprefix(".")
        raise wrong("--event", f"{path}: {place + ': ' if place else ''}{error.message}") from None
