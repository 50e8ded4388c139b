"""`dead`: the dead letters, looked at, put back on their way, or thrown away.

A replay or a purge walks up to the letters that are there when it begins, a page at a time and a batch in one call, so
that it is quick and its memory bounded however many there are. On a terminal they are counted before, to ask and to
show how far it has come.
"""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.cli.choice import choice
from streamhooks.cli.letters import EXAMPLE_ID, add_filters, listing, page
from streamhooks.cli.opening import add_config, add_json, add_redis, known, reach, settings, wrong
from streamhooks.cli.output import complain, document, printable, say
from streamhooks.cli.pace import Pace, add_caution, add_pace, confirmed, counted, rate, somebody_asks
from streamhooks.cli.progress import Progress
from streamhooks.errors import StoreError
from streamhooks.files import Loaded
from streamhooks.operations.choice import Choice
from streamhooks.operations.letters import Found, Search
from streamhooks.operations.shown import row, whole
from streamhooks.settings import Settings
from streamhooks.store.dead import DeadLetters, Letter
from streamhooks.store.keys import Keys
from streamhooks.store.purge import purge

EXAMPLE = "streamhooks dead replay --handler security-slack --since 2h --dry-run"
NAMED = 10
"""Letters that are told of one by one; more are counted."""

Act: TypeAlias = Callable[[Keys, Sequence[Letter]], Awaitable[list[str]]]
"""What is done to letters of one stream; the ids of those that were still there."""


class Change(Struct, frozen=True):
    """What is to be done, and which of the letters it can be done to."""

    verb: str
    done: str
    act: Act
    may: Callable[[Found], bool] = lambda _: True
    rate: float = 0.0


def arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    for name, what in (
        ("list", "list dead letters, oldest first"),
        ("show", "show everything that is known of dead letters"),
        ("replay", "put the events of dead letters back on their way, with the same webhook-id"),
        ("purge", "throw dead letters away"),
    ):
        own = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.",
                                 epilog=f"example: {_EXAMPLES[name]}")  # fmt: skip
        add_filters(own)
        _ADD[name](own)
        add_config(own)
        add_redis(own)
        add_json(own)


def _add_show(parser: ArgumentParser) -> None:
    parser.add_argument("--reveal", action="store_true", help="show credentials, and what could not be decoded")


def _add_replay(parser: ArgumentParser) -> None:
    add_caution(parser, "letters")
    add_pace(parser)


def _add_purge(parser: ArgumentParser) -> None:
    add_caution(parser, "letters")
    parser.add_argument("--all", action="store_true", help="all letters; needed where no id and no filter is given")


_ADD: dict[str, Callable[[ArgumentParser], None]] = {
    "list": lambda _: None,
    "show": _add_show,
    "replay": _add_replay,
    "purge": _add_purge,
}
_EXAMPLES = {
    "list": "streamhooks dead list --reason exhausted --since 24h",
    "show": "streamhooks dead show 1795428000000-0",
    "replay": EXAMPLE,
    "purge": "streamhooks dead purge --reason undecodable --until 7d",
}


def run(args: Namespace) -> int:
    meant = choice(args, EXAMPLE_ID)
    match args.action:
        case "list":
            return asyncio.run(_list(settings(args), meant, args))
        case "show":
            return asyncio.run(_show(settings(args), meant, args))
        case "replay":
            allowed = rate(args.rate)
            return asyncio.run(_replay(known(args), meant, allowed, args))
        case _:
            if meant.is_all and not args.all:
                raise wrong("purge", "needs ids, a filter, or --all for every letter there is")
            return asyncio.run(_purge(settings(args), meant, args))


async def _list(settings: Settings, meant: Choice, args: Namespace) -> int:
    async with reach(settings) as client:
        search = Search(client, settings, meant)
        rows = [row(found) async for found in search.found()]
    if args.json:
        document(rows)
    else:
        say(listing(rows) if rows else "no dead letters")
    return _told_missing(search)


async def _show(settings: Settings, meant: Choice, args: Namespace) -> int:
    async with reach(settings) as client:
        search = Search(client, settings, meant)
        told = [whole(found, reveal=args.reveal) async for found in search.found()]
    if args.json:
        document(told)
    else:
        say("\n\n".join(page(one) for one in told) if told else "no dead letters")
    return _told_missing(search)


async def _replay(loaded: Loaded, meant: Choice, rate: float, args: Namespace) -> int:
    replayable = _Replayable(frozenset(handler.id for handler in loaded.handlers))
    async with reach(loaded.settings) as client:

        async def act(keys: Keys, letters: Sequence[Letter]) -> list[str]:
            return await DeadLetters(client, keys).replay(letters, force=args.force)

        code = await _change(
            client, loaded.settings, meant, Change("replay", "replayed", act, replayable, rate), args
        )  # fmt: skip
    return max(code, replayable.told_bare())


async def _purge(settings: Settings, meant: Choice, args: Namespace) -> int:
    async with reach(settings) as client:

        async def act(keys: Keys, letters: Sequence[Letter]) -> list[str]:
            return await purge(client, keys, letters)

        return await _change(client, settings, meant, Change("purge", "purged", act), args)


class _Replayable:
    """Which letters a replay can do something for; what is to be said of the others is said once."""

    def __init__(self, handlers: frozenset[str]) -> None:
        self._handlers = handlers
        """Of the configuration; none: there is no configuration, and nothing is known of handlers."""
        self._removed: set[str] = set()
        self._bare: dict[str, Letter] = {}
        self._more: set[str] = set()

    def __call__(self, found: Found) -> bool:
        letter = found.letter
        if not letter.record.event:
            if len(self._bare) < NAMED:
                self._bare[letter.id] = letter
            elif letter.id not in self._bare:
                self._more.add(letter.id)
            return False
        handler = letter.record.handler
        if self._handlers and handler not in self._handlers and handler not in self._removed:
            self._removed.add(handler)
            complain(
                f"no handler {printable(handler)} in the configuration any more: "
                "what is replayed of it becomes a dead letter again, reason handler_removed"
            )
        return True

    def told_bare(self) -> int:
        """Says which letters held nothing to be replayed; the exit code."""
        for id, letter in self._bare.items():
            if letter.record.reason == "crash_loop":
                way_out = f"streamhooks replay {letter.record.origin} fires the entry again while the stream keeps it"
                complain(f"{id} cannot be replayed: its entry was never looked into; {way_out}")
            else:
                way_out = f"streamhooks dead show {id} tells why"
                complain(f"{id} cannot be replayed: it holds no event that can be read; {way_out}")
        if self._more:
            complain(f"{counted(len(self._more), 'more letter')} cannot be replayed")
        return 1 if self._bare else 0


async def _change(client: Redis, settings: Settings, meant: Choice, change: Change, args: Namespace) -> int:
    """Does it to every letter, or says what would be done; the exit code."""
    search = Search(client, settings, meant)
    if args.dry_run:
        rows = [row(found) async for found in search.found() if change.may(found)]
        if args.json:
            document(rows)
        else:
            say(f"{listing(rows)}\n\n{len(rows)} would be {change.done}" if rows else "no dead letters")
        return _told_missing(search)
    with Progress("letters") as progress:
        total = 0
        if progress.on:
            async for found in Search(client, settings, meant).found():
                total += change.may(found)
        if total and somebody_asks(args.yes) and not confirmed(f"{change.verb} {counted(total, 'dead letter')}?"):
            complain("nothing was changed")
            return 1
        done, gone = await _changed(search, change, progress, total)
    if args.json:
        document({change.done: done, "gone": gone})
    else:
        say(f"{len(done)} {change.done}" + (f", {len(gone)} gone already" if gone else ""))
    return _told_missing(search)


async def _changed(search: Search, change: Change, progress: Progress, total: int) -> tuple[list[str], list[str]]:
    """The ids of the letters that it was done to, and of those that somebody else had taken meanwhile."""
    done: list[str] = []
    gone: list[str] = []
    pace = Pace(change.rate)
    try:
        async for batch in _batches(search.found(), change.may, pace.size):
            async with pace.turn(len(batch)):
                ids = await change.act(batch[0].keys, [found.letter for found in batch])
            done += ids
            gone += [found.letter.id for found in batch if found.letter.id not in ids]
            progress.show(len(done), errors=len(gone), part=(len(done) + len(gone)) / total if total else None)
    except (StoreError, asyncio.CancelledError):
        progress.complain(f"at least {len(done)} {change.done} before this; the others are dead letters still")
        raise
    return done, gone


async def _batches(
    letters: AsyncIterator[Found], may: Callable[[Found], bool], size: int
) -> AsyncIterator[list[Found]]:
    """Letters of one stream each."""
    batch: list[Found] = []
    async for found in letters:
        if not may(found):
            continue
        if batch and (len(batch) == size or batch[0].keys != found.keys):
            yield batch
            batch = []
        batch.append(found)
    if batch:
        yield batch


def _told_missing(search: Search) -> int:
    for id in search.missing:
        complain(f"{id}: there is no such dead letter, or the filters leave it out")
    return 1 if search.missing else 0
