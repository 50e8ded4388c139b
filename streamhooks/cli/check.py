"""`check`: everything that can be known to be wrong before an event comes.

Reads the configuration, tries each handler with an example of every type that fires it, looks at where its target
leads from here, and with --redis at the server. Faults are for the person who wrote the configuration (exit 2), what
is found at the server is for the one who runs it (exit 1); warnings change no exit code.
"""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from streamhooks.cli.check_tyk import notes
from streamhooks.cli.lookups import unreachable
from streamhooks.cli.opening import add_config, add_json, add_redis, configuration, reach
from streamhooks.cli.output import complain, document, printable, say
from streamhooks.cli.table import table
from streamhooks.delivery.fingerprint import CERTIFICATE_TYPES
from streamhooks.delivery.request import RequestMaker
from streamhooks.errors import ConfigError, Fault, RequestError, TemplateError
from streamhooks.event_types import example
from streamhooks.flow.lanes import holds
from streamhooks.handlers.handler import Handler
from streamhooks.operations.trial import types_of
from streamhooks.settings import Settings
from streamhooks.store.fitness import KEEPS, Server, server
from streamhooks.store.keys import partitions
from streamhooks.store.status import Group, groups

_NEVER_EQUAL = {("ID",), ("TimeStamp",)}
"""What differs from event to event, as Template.fields has it."""
EXAMPLE = "streamhooks check --config streamhooks.yaml --redis"


class Found(Struct):
    """What was found."""

    faults: list[Fault]
    warnings: list[Fault]
    tyk: tuple[Fault, ...] = ()
    """Notes on Tyk's own files."""
    handlers: tuple[Handler, ...] = ()
    server: Server | None = None
    groups: dict[str, tuple[Group, ...]] = {}
    troubles: list[str] = []
    """Of the server."""


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--redis", action="store_true", help="also ask the server: version, scripts, eviction, persistence, groups"
    )
    add_config(parser)
    add_redis(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    try:
        loaded = configuration(args)
    except ConfigError as error:
        return _report(Found(list(error.faults), []), as_json=args.json)
    told = tuple(notes(loaded.tyk, shared=loaded.settings.cool.share_with_tyk))
    found = Found([], list(loaded.warnings), told, loaded.handlers)
    for handler in loaded.handlers:
        found.faults += _tried(handler)
    if not found.faults:
        found.warnings += [warning for handler in loaded.handlers for warning in _never_equal(handler)]
        found.warnings += unreachable(loaded.handlers, {one.handler.id for one in loaded.tyk})
    if args.redis:
        asyncio.run(_ask_redis(loaded.settings, found))
    return _report(found, as_json=args.json)


def _tried(handler: Handler) -> Iterator[Fault]:
    """Each type by itself, so that one fault does not hide another; the same fault of several types once."""
    failed: dict[str, list[str]] = {}
    for type_ in types_of(handler):
        event = example(type_)
        try:
            holds(handler, event)
            RequestMaker(handler).make(event)
        except TemplateError as error:
            failed.setdefault(f"the template fails: {error}", []).append(type_)
        except RequestError as error:
            failed.setdefault(error.message, []).append(type_)
    for message, types in failed.items():
        yield Fault(handler.place or handler.id, "", f"with the example event of {_shortly(types)}: {message}")


def _never_equal(handler: Handler) -> Iterator[Fault]:
    """Two events that differ in nothing but id and time must be duplicates, or the cool-down suppresses nothing."""
    if not handler.event_timeout:
        return
    maker = RequestMaker(handler)
    types = []
    for type_ in types_of(handler):
        one = example(type_)
        other = replace(one, id="1795428001234-5", timestamp="2026-11-23T10:00:01.234Z")
        if maker.make(one).fingerprint != maker.make(other).fingerprint:
            types.append(type_)
    if types:
        said = (
            f"the request for {_shortly(types)} holds the event's .ID or .TimeStamp, so no two are equal and the "
            "event_timeout suppresses nothing; leave it out of the body, webhook-id tells events apart"
        )
        yield Fault(handler.place or handler.id, "", said)
    elif _NEVER_EQUAL & handler.body.fields() and not CERTIFICATE_TYPES.keys() >= set(types_of(handler)):
        # Where the examples do not lead; the certificate types are compared by other fields than the body's.
        said = (
            "the template reads .ID or .TimeStamp in a branch that no example event takes; where it is taken, "
            "the event_timeout suppresses nothing"
        )
        yield Fault(handler.place or handler.id, "", said)


def _shortly(types: Sequence[str]) -> str:
    return ", ".join(types) if len(types) <= 3 else f"{', '.join(types[:3])} and {len(types) - 3} more types"


# The server.


async def _ask_redis(settings: Settings, found: Found) -> None:
    async with reach(settings) as client:
        found.server = await server(client)
        for keys in partitions(settings.stream.key, settings.stream.partitions):
            found.groups[keys.stream] = await groups(client, keys)
    if found.server.drops:
        found.troubles.append(found.server.drops)
    elif found.server.eviction not in (KEEPS, ""):
        said = f"maxmemory-policy is {found.server.eviction}; set it to {KEEPS} before maxmemory sets a limit"
        found.warnings.append(Fault("redis", "", said))
    if not found.server.append_only:
        said = "appendonly is off: what came since the last snapshot is lost when the server ends; set it to yes"
        found.warnings.append(Fault("redis", "", said))
    for stream, of_stream in found.groups.items():
        if not any(group.name == settings.stream.group for group in of_stream):
            said = f"stream {stream} has no group {settings.stream.group} yet: the first worker makes it"
            found.warnings.append(Fault("redis", "", said))


# The report.


def _report(found: Found, *, as_json: bool) -> int:
    if as_json:
        document(_told(found))
    for fault in found.faults:
        complain(printable(str(fault)))
    for warning in found.warnings:
        complain(printable(f"warning: {warning}"))
    for note in found.tyk:
        complain(printable(f"tyk: {note}"))
    for trouble in found.troubles:
        complain(f"redis: {trouble}")
    if not as_json and found.server:
        for line in _server_lines(found.server, found.groups):
            say(line)
    counted = [_count(len(found.faults) + len(found.troubles), "fault"), _count(len(found.warnings), "warning")]
    if found.faults:
        # Where the configuration could not be put together, nobody has looked for what deserves a warning.
        complain(", ".join(counted if found.handlers else counted[:1]))
        return 2
    if not as_json:
        if found.handlers:
            say(_handlers_table(found.handlers))
        say(", ".join([_count(len(found.handlers), "handler"), *counted]))
    return 1 if found.troubles else 0


def _server_lines(server: Server, groups: Mapping[str, Sequence[Group]]) -> Iterator[str]:
    on = "on" if server.append_only else "off"
    yield f"{server.version}, maxmemory-policy {server.eviction or 'unknown'}, appendonly {on}"
    for stream, of_stream in groups.items():
        for group in of_stream:
            lag = "unknown" if group.lag is None else group.lag
            yield f"{stream}: group {group.name}, consumers {group.consumers}, pending {group.pending}, lag {lag}"


def _told(found: Found) -> dict[str, Any]:
    def places(faults: Sequence[Fault]) -> list[dict[str, str]]:
        return [{"file": fault.file, "path": fault.path, "message": fault.message} for fault in faults]

    redis = {**to_builtins(found.server), "groups": to_builtins(found.groups)} if found.server else None
    return {
        "handlers": [
            {
                "id": h.id,
                "on": h.on,
                "apis": sorted(h.apis),
                "method": h.method,
                "target": h.origin,
                "event_timeout": h.event_timeout,
                "place": h.place,
            }
            for h in found.handlers
        ],
        "faults": places(found.faults),
        "warnings": places(found.warnings),
        "tyk": places(found.tyk),
        "redis": redis,
        "redis_faults": found.troubles,
    }


def _handlers_table(handlers: Sequence[Handler]) -> str:
    """With the APIs where a handler is not for all of them."""
    headings: tuple[str, ...] = ("HANDLER", "ON", "METHOD", "TARGET", "COOL-DOWN")
    rows = [_row(handler) for handler in handlers]
    if any(handler.apis for handler in handlers):
        headings = (*headings, "API")
        rows = [(*row, _apis(handler)) for row, handler in zip(rows, handlers, strict=True)]
    return table(headings, rows)


def _apis(handler: Handler) -> str:
    """The empty API id is that of events which belong to none."""
    return " ".join(sorted(api or "(none)" for api in handler.apis)) if handler.apis else "(all)"


def _row(handler: Handler) -> tuple[str, ...]:
    cool_down = f"{handler.event_timeout:g} s" if handler.event_timeout else "none"
    return handler.id, " ".join(handler.on), handler.method, handler.origin, cool_down


def _count(number: int, word: str) -> str:
    if not number:
        return f"no {word}s"
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
