"""`dead`: the dead letters, looked at, put back on their way, or thrown away.

A replay or a purge first finds out which letters are meant, ids only, then takes them one by one: what becomes a dead
letter again meanwhile is a new one, and not met a second time.
"""

import asyncio
import secrets
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.cli.letters import Choice, add_filters, choice, chosen, listing, missing, page, row, whole
from streamhooks.cli.opening import add_config, add_json, add_redis, reach, settings, wrong
from streamhooks.cli.output import complain, document, say
from streamhooks.cli.progress import Progress
from streamhooks.errors import StoreError
from streamhooks.settings import Settings
from streamhooks.settings.rules import RATE, RefusedError
from streamhooks.store.dead import DeadLetters, Letter
from streamhooks.store.keys import Keys
from streamhooks.store.purge import purge

EXAMPLE = "streamhooks dead replay --handler security-slack --since 2h --dry-run"

_ED = {"replay": "ed", "purge": "d"}

Act: TypeAlias = Callable[[Keys, Letter], Awaitable[bool]]
"""What is done to one letter; False when it was gone already."""


class Mark(Struct, frozen=True):
    """A letter that is meant, without its payload: a hundred thousand of them fit into memory."""

    keys: Keys
    row: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.row["id"])


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


def _add_change(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="list the letters, and change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask, on a terminal")


def _add_replay(parser: ArgumentParser) -> None:
    _add_change(parser)
    parser.add_argument("--rate", default="", help="at most so many, such as 10/s or 100/m")
    parser.add_argument("--force", action="store_true", help="deliver even inside a cool-down")


def _add_purge(parser: ArgumentParser) -> None:
    _add_change(parser)
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
    meant = choice(args)
    match args.action:
        case "list":
            return asyncio.run(_list(settings(args), meant, args))
        case "show":
            return asyncio.run(_show(settings(args), meant, args))
        case "replay":
            rate = _rate(args.rate)
            return asyncio.run(_replay(settings(args), meant, rate, args))
        case _:
            if meant.is_all and not args.all:
                raise wrong("purge", "needs ids, a filter, or --all for every letter there is")
            return asyncio.run(_purge(settings(args), meant, args))


def _rate(text: str) -> float:
    try:
        return float(RATE.check(text))
    except RefusedError as refusal:
        raise wrong("--rate", str(refusal)) from None


async def _list(settings: Settings, meant: Choice, args: Namespace) -> int:
    async with reach(settings) as client:
        rows = [row(found) async for found in chosen(client, settings, meant)]
    if args.json:
        document(rows)
    else:
        say(listing(rows) if rows else "no dead letters")
    return _told_missing(meant, rows)


async def _show(settings: Settings, meant: Choice, args: Namespace) -> int:
    async with reach(settings) as client:
        told = [whole(found, reveal=args.reveal) async for found in chosen(client, settings, meant)]
    if args.json:
        document(told)
    else:
        say("\n\n".join(page(one) for one in told) if told else "no dead letters")
    return _told_missing(meant, told)


async def _replay(settings: Settings, meant: Choice, rate: float, args: Namespace) -> int:
    async with reach(settings) as client:
        marks = await _marks(client, settings, meant)

        async def act(keys: Keys, letter: Letter) -> bool:
            return await DeadLetters(client, keys).replay(letter, secrets.token_hex(4), force=args.force)

        done = await _each(client, [mark for mark in marks if mark.row["replayable"]], act, "replay", rate, args)
    bare = [mark.id for mark in marks if not mark.row["replayable"]]
    for id in bare:
        complain(f"{id} cannot be replayed: it holds no event that can be read; streamhooks dead show {id} tells why")
    return max(done, 1 if bare else 0, _told_missing(meant, [mark.row for mark in marks]))


async def _purge(settings: Settings, meant: Choice, args: Namespace) -> int:
    async with reach(settings) as client:
        marks = await _marks(client, settings, meant)

        async def act(keys: Keys, letter: Letter) -> bool:
            return await purge(client, keys, letter)

        done = await _each(client, marks, act, "purge", 0.0, args)
    return max(done, _told_missing(meant, [mark.row for mark in marks]))


async def _marks(client: Redis, settings: Settings, meant: Choice) -> list[Mark]:
    return [Mark(found.keys, row(found)) async for found in chosen(client, settings, meant)]


async def _each(client: Redis, marks: Sequence[Mark], act: Act, verb: str, rate: float, args: Namespace) -> int:
    """Does it to every letter, or says what would be done; the exit code."""
    rows = [mark.row for mark in marks]
    if args.dry_run:
        if args.json:
            document(rows)
        else:
            say(f"{listing(rows)}\n\n{len(rows)} would be {verb}{_ED[verb]}" if rows else "no dead letters")
        return 0
    if marks and not _confirmed(f"{verb} {len(marks)} dead letter{'s' if len(marks) > 1 else ''}?", args.yes):
        complain("nothing was changed")
        return 1
    done: list[str] = []
    gone: list[str] = []
    began = time.monotonic()
    with Progress("letters") as progress:
        try:
            for number, mark in enumerate(marks):
                if rate:
                    await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                (done if await _do(client, mark, act) else gone).append(mark.id)
                progress.show(len(done), errors=len(gone), part=(number + 1) / len(marks))
        except (StoreError, asyncio.CancelledError):
            progress.complain(f"{len(done)} {verb}{_ED[verb]} before this")
            raise
    if args.json:
        document({f"{verb}{_ED[verb]}": done, "gone": gone})
    else:
        say(f"{len(done)} {verb}{_ED[verb]}" + (f", {len(gone)} gone already" if gone else ""))
    return 0


async def _do(client: Redis, mark: Mark, act: Act) -> bool:
    async for letter in DeadLetters(client, mark.keys).letters(mark.id, mark.id):
        return await act(mark.keys, letter)
    return False


def _confirmed(question: str, yes: bool) -> bool:
    """Asks, where somebody is there to answer."""
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _told_missing(meant: Choice, rows: Sequence[dict[str, Any]]) -> int:
    left = missing(meant, rows)
    for id in left:
        complain(f"{id}: there is no such dead letter, or the filters leave it out")
    return 1 if left else 0
