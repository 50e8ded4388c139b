"""`status`: what waits, what is under way, and what came of it all."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import to_builtins

from streamhooks.cli.opening import add_config, add_json, add_redis, known, reach
from streamhooks.cli.output import complain, document, say
from streamhooks.cli.table import facts, table
from streamhooks.files import Loaded
from streamhooks.handlers.handler import Handler
from streamhooks.settings.duration import rounded
from streamhooks.store.keys import partitions
from streamhooks.store.pauses import Note, Pauses
from streamhooks.store.status import Overview, overview

EXAMPLE = "streamhooks status --watch"
EVERY = 2.0
"""Seconds between two looks of --watch."""
_HOME_AND_CLEAR = "\x1b[H\x1b[J"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--watch", action="store_true", help="look again every 2 seconds, until Ctrl-C")
    add_config(parser)
    add_redis(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    loaded = known(args)
    return asyncio.run(_run(loaded, watch=args.watch, as_json=args.json))


async def _run(loaded: Loaded, *, watch: bool, as_json: bool) -> int:
    stream = loaded.settings.stream
    async with reach(loaded.settings) as client:
        while True:
            every = partitions(stream.key, stream.partitions)
            seen = [await overview(client, keys, stream.group) for keys in every]
            notes = await Pauses(client, every[0]).notes()
            if watch and sys.stdout.isatty():
                sys.stdout.write(_HOME_AND_CLEAR)
            if as_json:
                document(_told(stream.group, seen, loaded.handlers, notes))
            else:
                say(_page(stream.group, seen, loaded.handlers, notes))
            sys.stdout.flush()
            if not watch:
                return _judged(stream.group, seen)
            await asyncio.sleep(EVERY)


def _judged(group: str, seen: Sequence[Overview]) -> int:
    """What is wrong is said on stderr, whatever the form of the rest."""
    wrong = 0
    for one in seen:
        if not one.has_group:
            complain(f"stream {one.stream} has no consumer group {group}: start a worker with streamhooks serve")
        if not one.balances:
            complain(f"the account of {one.stream} does not balance: accepted is not the sum of the ends")
        wrong += not one.has_group or not one.balances
    return 1 if wrong else 0


def _state(handler: str, notes: Mapping[str, Note]) -> str:
    return notes[handler].state if handler in notes else "active"


def _told(
    group: str, seen: Sequence[Overview], handlers: Sequence[Handler], notes: Mapping[str, Note]
) -> dict[str, Any]:
    return {
        "group": group,
        "partitions": [
            {
                "stream": one.stream,
                "group_exists": one.has_group,
                "length": one.length,
                **{name: value for name, value in to_builtins(one.backlog).items() if name != "account"},
                "backlog": one.backlog.total,
                "account": one.backlog.account,
                "balances": one.balances,
                "consumers": to_builtins(one.consumers),
            }
            for one in seen
        ],
        "handlers": [
            {"id": one.id, "state": _state(one.id, notes), "on": list(one.on), "origin": one.origin} for one in handlers
        ],
    }


def _page(group: str, seen: Sequence[Overview], handlers: Sequence[Handler], notes: Mapping[str, Note]) -> str:
    blocks = [_partition(group, one) for one in seen]
    if handlers:
        rows = [(one.id, _state(one.id, notes), " ".join(one.on), one.origin) for one in handlers]
        blocks.append(table(("HANDLER", "STATE", "ON", "TARGET"), rows))
    return "\n\n".join(blocks)


def _partition(group: str, one: Overview) -> str:
    backlog = one.backlog
    account = ", ".join(f"{term} {count}" for term, count in backlog.account.items() if count or term == "accepted")
    told = facts(
        (
            ("stream", one.stream),
            ("group", group if one.has_group else f"{group} (not there yet)"),
            ("length", one.length),
            ("lag", backlog.lag),
            ("pending", backlog.pending),
            ("oldest pending", rounded(backlog.oldest_pending) if backlog.pending else None),
            ("parked", f"{backlog.parked} ({backlog.due} due, {backlog.held} held)"),
            ("dead letters", backlog.dead),
            ("account", f"{account} ({'balances' if one.balances else 'DOES NOT BALANCE'})"),
        )
    )
    if not one.consumers:
        return f"{told}\n\nno consumers"
    rows = [(consumer.name, rounded(consumer.idle), consumer.pending) for consumer in one.consumers]
    return f"{told}\n\n{table(('CONSUMER', 'IDLE', 'PENDING'), rows)}"
