"""`status`: what waits, what is under way, and what the handlers do."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from msgspec import to_builtins
from redis.asyncio import Redis

from streamhooks.cli.opening import add_config, add_json, add_redis, heed_interrupt, known, reach
from streamhooks.cli.output import complain, document, say
from streamhooks.cli.status_page import Seen, page
from streamhooks.files import Loaded
from streamhooks.store.keys import partitions
from streamhooks.store.leftover import leftovers
from streamhooks.store.pauses import Pauses
from streamhooks.store.snapshots import HandlerSnapshot, load
from streamhooks.store.status import merged, overview

EXAMPLE = "streamhooks status --watch"
EVERY = 2.0
"""Seconds between two looks of --watch."""
_HOME, _LINE_END, _REST, _HIDE, _SHOW = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[?25l", "\x1b[?25h"
"""The cursor to the first line; delete to the end of the line, of the screen; the cursor off and on (ECMA-48, DEC)."""


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--watch", action="store_true", help="look again every 2 seconds, until Ctrl-C")
    add_config(parser)
    add_redis(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    loaded = known(args)
    return asyncio.run(_watch(loaded, as_json=args.json) if args.watch else _once(loaded, as_json=args.json))


async def _once(loaded: Loaded, *, as_json: bool) -> int:
    async with reach(loaded.settings) as client:
        seen = await _look(client, loaded)
    _print(seen, as_json=as_json)
    return _judged(seen)


async def _watch(loaded: Loaded, *, as_json: bool) -> int:
    """Until it is interrupted."""
    on_screen = sys.stdout.isatty() and not as_json
    async with reach(loaded.settings) as client:
        try:
            while True:
                seen = await _look(client, loaded)
                if on_screen:
                    sys.stdout.write(drawn(page(seen)))
                else:
                    _print(seen, as_json=as_json)
                sys.stdout.flush()
                heed_interrupt()
                await asyncio.sleep(EVERY)
        finally:
            if on_screen:
                sys.stdout.write(_SHOW)


def drawn(text: str) -> str:
    """What draws a page over the last one: a screen that is cleared first flickers."""
    return _HIDE + _HOME + "".join(f"{line}{_LINE_END}\n" for line in text.split("\n")) + _REST


async def _look(client: Redis, loaded: Loaded) -> Seen:
    stream = loaded.settings.stream
    every = partitions(stream.key, stream.partitions)
    streams = tuple([await overview(client, keys, stream.group) for keys in every])
    consumers = merged([one for stream in streams for one in stream.consumers])
    return Seen(
        group=stream.group,
        streams=streams,
        consumers=consumers,
        workers=tuple(await load(client, every[0], [one.name for one in consumers])),
        pauses=await Pauses(client, every[0]).notes(),
        configured=loaded.handlers,
        leftovers=await leftovers(client, stream.key, stream.partitions, stream.group),
    )


def _print(seen: Seen, *, as_json: bool) -> None:
    if as_json:
        document(_told(seen))
    else:
        say(page(seen))


def _judged(seen: Seen) -> int:
    """What is wrong is said on stderr, whatever the form of the rest."""
    wrong = 0
    for one in seen.streams:
        if not one.has_group:
            complain(f"stream {one.stream} has no consumer group {seen.group}: start a worker with streamhooks serve")
        if not one.balances:
            complain(f"the account of {one.stream} does not balance: accepted is not the sum of the ends")
        wrong += not one.has_group or not one.balances
    for left in seen.leftovers:
        complain(
            f"stream {left.stream} is of no partition of this configuration, and holds {left.unread} unread, "
            f"{left.pending} pending, {left.parked} parked and {left.dead} dead: see stream.partitions in docs/redis.md"
        )
    return 1 if wrong or seen.leftovers else 0


def _told(seen: Seen) -> dict[str, Any]:
    return {
        "group": seen.group,
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
            for one in seen.streams
        ],
        "leftovers": to_builtins(seen.leftovers),
        "workers": [
            {"consumer": one.consumer, "version": one.version, "uptime": one.uptime} for one in seen.workers
        ],
        "handlers": [_told_handler(seen, id, own) for id, own in seen.handlers.items()],
    }  # fmt: skip


def _told_handler(seen: Seen, id: str, own: HandlerSnapshot | None) -> dict[str, Any]:
    configured = next((one for one in seen.configured if one.id == id), None)
    return {
        "id": id,
        "state": seen.state(id),
        "on": list(configured.on) if configured else None,
        "origin": configured.origin if configured else None,
        "figures": to_builtins(own) if own else None,
    }
