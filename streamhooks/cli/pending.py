"""`pending`: the entries that were handed out and are not acknowledged, and how to free those of a dead worker."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator

from msgspec import to_builtins
from redis.asyncio import Redis

from streamhooks.cli.opening import add_config, add_json, add_redis, reach, settings, wrong
from streamhooks.cli.output import complain, document, printable, say
from streamhooks.cli.table import table
from streamhooks.settings import Settings
from streamhooks.settings.duration import DurationError, rounded, seconds
from streamhooks.store.keys import Keys, partitions
from streamhooks.store.release import release
from streamhooks.store.status import PAGE, PendingEntry, pending

EXAMPLE = "streamhooks pending claim --all --idle 30s"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "claim"),
        default="list",
        help="list (the default), or claim: the next sweep of any worker takes the entries over, within 5 seconds",
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="claim: the entries")
    parser.add_argument("--all", action="store_true", help="claim: all entries that have been idle for --idle")
    parser.add_argument("--idle", metavar="DURATION", help="only entries that have been idle for so long, such as 30s")
    add_config(parser)
    add_redis(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    idle = _idle(args.idle)
    if args.action == "list":
        if args.ids or args.all:
            raise wrong("list", "takes no ids and no --all; it lists every entry, or those of --idle")
        return asyncio.run(_list(settings(args), idle, as_json=args.json))
    if args.all == bool(args.ids):
        raise wrong("claim", "needs either ids or --all; streamhooks pending lists them")
    if args.all and args.idle is None:
        raise wrong("--idle", "is missing; --all needs it, so that entries of live workers stay theirs, such as 30s")
    return asyncio.run(_claim(settings(args), args.ids, idle, as_json=args.json))


def _idle(text: str | None) -> float:
    try:
        return 0.0 if text is None else seconds(text)
    except DurationError:
        raise wrong("--idle", f'is "{printable(text or "")}"; must be a duration such as "30s" or "1m30s"') from None


async def _everywhere(client: Redis, settings: Settings, idle: float) -> AsyncIterator[tuple[Keys, PendingEntry]]:
    stream = settings.stream
    for keys in partitions(stream.key, stream.partitions):
        async for entry in pending(client, keys, stream.group, idle=idle):
            yield keys, entry


def _key(keys: Keys, entry: PendingEntry) -> str:
    return keys.stream if entry.source == "stream" else keys.retry


async def _list(settings: Settings, idle: float, *, as_json: bool) -> int:
    async with reach(settings) as client:
        found = [(keys, entry) async for keys, entry in _everywhere(client, settings, idle)]
    if as_json:
        document([{"stream": _key(keys, entry), **to_builtins(entry)} for keys, entry in found])
    elif found:
        rows = [
            (entry.id, _key(keys, entry), entry.consumer, rounded(entry.idle), entry.deliveries)
            for keys, entry in found
        ]  # fmt: skip
        say(table(("ID", "STREAM", "CONSUMER", "IDLE", "DELIVERIES"), rows))
    else:
        say("nothing is pending")
    return 0


async def _claim(settings: Settings, ids: list[str], idle: float, *, as_json: bool) -> int:
    """Ids that somebody names are taken whatever their idle time, unless --idle is given too."""
    async with reach(settings) as client:
        wanted: dict[str, list[str]] = {}
        async for keys, entry in _everywhere(client, settings, idle):
            if not ids or entry.id in ids:
                wanted.setdefault(_key(keys, entry), []).append(entry.id)
        taken: list[str] = []
        for key, found in wanted.items():
            for at in range(0, len(found), PAGE):
                part = found[at : at + PAGE]
                taken += await release(client, key, settings.stream.group, part, idle=idle)
    if as_json:
        document(taken)
    else:
        say(f"{len(taken)} claimed" + (": the next sweep of any worker takes them over" if taken else ""))
    missing = [id for id in ids if id not in taken]
    for id in missing:
        complain(f"{printable(id)} was not claimed: it is not pending" + (" for so long" if idle else ""))
    return 1 if missing else 0
