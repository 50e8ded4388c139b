"""What a handler is tried with: its own self from the configuration, and an event, an example or a person's own."""

from argparse import ArgumentParser
from pathlib import Path

from streamhooks.cli.opening import wrong
from streamhooks.cli.output import complain, printable
from streamhooks.errors import WireError
from streamhooks.event_types import example
from streamhooks.files import Loaded
from streamhooks.handlers.handler import Handler
from streamhooks.model import Event
from streamhooks.operations.trial import event_from, types_of, unfired


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


def tell_unfired(handler: Handler, event: Event) -> None:
    """Says where a worker would not fire the handler. Raises TemplateError where its condition fails on the event."""
    why = unfired(handler, event)
    if why:
        complain(f"{printable(why)}: tried all the same")


def _read(path: Path, max_bytes: int) -> Event:
    """An event in the packed form, or in one of the other spellings that the wire contract takes there."""
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
    except OSError as error:
        raise wrong("--event", f"{path} cannot be read: {error.strerror}") from None
    try:
        return event_from(data, max_bytes)
    except WireError as error:
        raise wrong("--event", f"{path}: {error}") from None
