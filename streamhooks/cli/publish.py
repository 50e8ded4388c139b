"""`publish`: events into the stream, one from the command line or a file of them.

A file is read line by line and added in batches, one round trip each. A line that is no event is named and the rest
goes on; a Redis that is restarted meanwhile is waited for. What was added is known by line, so that an interrupted run
goes on with --from-line: the one batch whose answer was lost may then be added twice, which a cool-down absorbs.
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from streamhooks import wire
from streamhooks.cli.ndjson import PIECE, Line, Source
from streamhooks.cli.opening import add_config, add_json, add_redis, settings, wrong
from streamhooks.cli.output import complain, document, printable, say
from streamhooks.cli.progress import Progress
from streamhooks.errors import ConfigError, Fault, PublishError, StoreError, WireError
from streamhooks.event_types import canonical_member
from streamhooks.publisher.blocking import Publisher
from streamhooks.settings import Settings
from streamhooks.store.connection import TAKEN

EXAMPLE = 'streamhooks publish AuthFailure message="Auth Failure" path=/widgets origin=10.0.0.1 key=abc'
BATCH = 1000
"""Lines that are counted as published together, as many as go in one round trip where they are not large."""
PATIENCE = 30.0
"""Seconds for which a file waits for a Redis that is away, once it was there."""


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("type", nargs="?", metavar="TYPE", help="the type of the event")
    parser.add_argument(
        "members",
        nargs="*",
        metavar="K=V",
        help="a member of the event's Meta, a string; a known name in lower case gets Tyk's spelling",
    )
    parser.add_argument("--meta", metavar="JSON", help="Meta as a JSON object; members given as K=V lie over it")
    parser.add_argument("--api-id", default="", help="the API that the event is about")
    parser.add_argument("--org-id", default="", help="the organisation that it is about")
    parser.add_argument("--source", default="", help="who publishes it")
    parser.add_argument("--ts", default="", help="when it happened: RFC 3339 or an epoch (default: now)")
    parser.add_argument("--ndjson", metavar="FILE", help="publish a file with one JSON object a line; - is stdin")
    parser.add_argument("--from-line", type=int, default=1, metavar="N", help="with --ndjson: begin with line N")
    add_config(parser)
    add_redis(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    if args.ndjson is None and args.type is None:
        raise wrong("TYPE", "is missing; give the type of an event, or a file of events by --ndjson FILE")
    if args.ndjson is not None and (args.type or args.meta):
        raise wrong("--ndjson", "cannot stand beside a TYPE or --meta; every line is an event of its own")
    if args.from_line < 1:
        raise wrong("--from-line", f"is {args.from_line}; the first line is 1")
    known = settings(args)
    if args.ndjson is None:
        return _publish_one(known, _event(args, known), args.json)
    return _publish_file(known, args)


@contextmanager
def _publisher(settings: Settings) -> Iterator[Publisher]:
    """Its errors become those that every command knows."""
    try:
        with Publisher(
            settings.redis.url.reveal(),
            password=settings.redis.password.reveal(),
            stream=settings.stream.key,
            partitions=settings.stream.partitions,
            ca_file=settings.redis.tls.ca_file,
            cert_file=settings.redis.tls.cert_file,
            key_file=settings.redis.tls.key_file,
        ) as publisher:
            yield publisher
    except PublishError as error:
        if error.kind == "options":
            tls = error.place if error.place in type(settings.redis.tls).__struct_fields__ else ""
            fault = (f"redis.tls.{tls}", error.message) if tls else ("redis.url", str(error))
            raise ConfigError([Fault("configuration", *fault)]) from None
        where = " by --redis-url or redis.url" if error.kind == "away" else ""
        if "(WRONGTYPE" in error.why:
            where = f": {TAKEN}"
        raise StoreError(error.kind, f"Redis at {error.place} {error.why}{where}") from error


# One event.


def _event(args: Namespace, settings: Settings) -> wire.Packed:
    """The event that the arguments make. Raises ConfigError: what is wrong was typed here."""
    meta = {**_meta(args.meta), **_members(args.members, args.type)}
    try:
        return wire.pack(
            args.type, meta, ts=args.ts, api_id=args.api_id, org_id=args.org_id, source=args.source,
            max_bytes=settings.worker.max_event_bytes,
        )  # fmt: skip
    except WireError as error:
        raise wrong(error.place or "event", error.message) from None


def _meta(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        meta = json.loads(text)
    except ValueError as error:
        raise wrong("--meta", f'is no JSON ({error}); give an object, such as {{"Message": "Auth Failure"}}') from None
    if not isinstance(meta, dict):
        raise wrong("--meta", 'is no JSON object; give one, such as {"Message": "Auth Failure"}')
    return meta


def _members(texts: list[str], type: str) -> Mapping[str, str]:
    """As the flat form of the wire contract has it, see wire.py."""
    given: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise wrong(printable(text), "is no member; write NAME=VALUE")
        given[name] = value
    # `message` beside `Message`: both are kept, under the names they came with.
    spelled = {name: canonical_member(name, type) for name in given}
    return {name if spelled[name] in given else spelled[name]: value for name, value in given.items()}


def _publish_one(settings: Settings, event: wire.Packed, as_json: bool) -> int:
    with _publisher(settings) as publisher:
        ids = publisher.publish_many([event], patience=0)
    if as_json:
        document(ids)
    else:
        say("\n".join(ids))
    return 0


# A file of them.


class _Count:
    """How far a file has come."""

    def __init__(self, from_line: int) -> None:
        self.added = 0
        self.refused = 0
        self.next_line = from_line
        """The first line that is not known to be dealt with."""


def _publish_file(settings: Settings, args: Namespace) -> int:
    count = _Count(args.from_line)
    with Source(args.ndjson, settings.worker.max_event_bytes + PIECE) as source, Progress("events") as progress:
        try:
            with _publisher(settings) as publisher:
                for lines in source.lines():
                    for batch in _batches(lines, settings.worker.max_event_bytes, count, progress):
                        _send(publisher, batch, count)
                        progress.show(count.added, errors=count.refused, part=source.part)
        except (StoreError, KeyboardInterrupt):
            progress.complain(
                f"{count.added} published before this; go on with --from-line {count.next_line} "
                f"(at most {BATCH} events from there on may be published twice)"
            )
            raise
    if args.json:
        document({"published": count.added, "refused": count.refused})
    else:
        say(f"{count.added} published")
    if count.refused:
        complain(f"{count.refused} {'line was' if count.refused == 1 else 'lines were'} refused")
    return 1 if count.refused else 0


class _Batch:
    """Events of consecutive lines, without those that are none."""

    def __init__(self) -> None:
        self.events: list[wire.Packed] = []
        self.numbers: list[int] = []
        self.next_line = 0
        """The line after its last."""


def _batches(lines: list[Line], max_bytes: int, count: _Count, progress: Progress) -> Iterator[_Batch]:
    """Names what is no event, and gives what is."""
    batch = _Batch()
    for line in lines:
        if line.number < count.next_line:
            continue
        batch.next_line = line.number + 1
        if not line.data:
            continue
        try:
            event = wire.check(line.data, max_bytes)
        except WireError as error:
            count.refused += 1
            progress.complain(f"line {line.number}: {_reason(error)}")
            continue
        batch.events.append(event)
        batch.numbers.append(line.number)
        if len(batch.events) == BATCH:
            yield batch
            batch = _Batch()
    if batch.next_line:
        yield batch


def _send(publisher: Publisher, batch: _Batch, count: _Count) -> None:
    """Raises PublishError; then the first line that was not added is the one to go on with."""
    try:
        publisher.publish_many(batch.events, patience=PATIENCE if count.added else 0)
    except PublishError as error:
        count.added += sum(id is not None for id in error.ids)
        count.next_line = batch.numbers[error.ids.index(None)]
        raise
    count.added += len(batch.events)
    count.next_line = batch.next_line


def _reason(error: WireError) -> str:
    """Without the `d` of the wire contract, which a line of a file does not have."""
    place = error.place.removeprefix("d").removeprefix(".")
    return printable(f"{place}: {error.message}" if place else error.message)
