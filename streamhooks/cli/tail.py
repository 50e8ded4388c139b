"""`tail`: what becomes of events, as it happens, from the journals of all partitions.

A journal is read from where the last answer ended, so that nothing is missed while Redis is away, unless the journal
was trimmed meanwhile.
"""

import asyncio
import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any, TypeAlias, get_args

from msgspec import Struct
from msgspec.structs import asdict

from streamhooks.cli.moments import moment as read_moment
from streamhooks.cli.opening import add_config, add_json, add_redis, heed_interrupt, reach, settings, wrong
from streamhooks.cli.output import complain, printable, say
from streamhooks.errors import StoreError
from streamhooks.flow.story.lines import replay_words
from streamhooks.flow.story.steps import words
from streamhooks.flow.story.words import moment
from streamhooks.operations.choice import Choice
from streamhooks.settings import Settings
from streamhooks.store.ids import preceding
from streamhooks.store.journal import Journal, What, Written
from streamhooks.store.keys import partitions

EXAMPLE = "streamhooks tail --what suppressed,retry,dead --since 10m"
WAIT = 1.0
"""Seconds that a read waits for notes."""
AGAIN = 1.0
"""Seconds between two tries while Redis is away."""
FEW = {
    "off": "worker.journal is off: workers of this configuration note nothing; problems or all shows more",
    "problems": "worker.journal is problems: deliveries at the first attempt are not noted; all shows each one",
}
"""Said once, by what the configuration says."""
_COLOURS: dict[What, int] = {"delivered": 32, "suppressed": 36, "retry": 33, "dead": 31, "unmatched": 35}

Show: TypeAlias = Callable[[str, Written], None]
"""Prints one note; the first is the stream that it is of."""


class Wanted(Struct, frozen=True):
    """Which notes are shown."""

    choice: Choice
    what: frozenset[str]

    def __call__(self, written: Written) -> bool:
        note = written.note
        return (
            note.what in self.what
            and (not self.choice.handler or note.handler == self.choice.handler)
            and self.choice.takes_type(note.type)
        )


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--handler", default="", metavar="ID", help="only of this handler")
    parser.add_argument("--type", default="", help="only events of this type; a * at the end stands for any ending")
    known = ", ".join(get_args(What))
    parser.add_argument("--what", default="", metavar="WHAT", help=f"only these, commas between: {known}")
    parser.add_argument(
        "--since", metavar="TIME", help="also what came since then: 10m (ago), RFC 3339 (UTC), or an id"
    )
    add_config(parser)
    add_redis(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    at = preceding(read_moment(args.since, time.time(), "--since")) if args.since else "$"
    wanted = Wanted(Choice(handler=args.handler, type=args.type), _what(args.what))
    show = _as_json if args.json else Lines(colours=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    try:
        return asyncio.run(_run(settings(args), at, wanted, show))
    except KeyboardInterrupt:  # the way that it is meant to end
        return 0


def _what(text: str) -> frozenset[str]:
    """Raises ConfigError."""
    known = get_args(What)
    chosen = frozenset(word.strip() for word in text.split(",")) if text else frozenset(known)
    for word in sorted(chosen - frozenset(known)):
        raise wrong("--what", f'"{printable(word)}" is none of {", ".join(known)}')
    return chosen


async def _run(settings: Settings, at: str, wanted: Wanted, show: Show) -> int:
    every = partitions(settings.stream.key, settings.stream.partitions)
    said = FEW.get(settings.worker.journal)
    if said:
        complain(said)
    async with reach(settings, connections=len(every) + 1) as client:
        link = Link()
        journals = [_Followed(keys.stream, Journal(client, keys), link) for keys in every]
        for journal in journals:
            await journal.begin(at)
        # One that fails for good ends them all.
        await asyncio.gather(*(journal.follow(wanted, show) for journal in journals))
    return 0


class Link:
    """Whether Redis answers; what is to be said of it is said once for all partitions, of which a cluster may serve
    some and not the others.
    """

    def __init__(self) -> None:
        self._lost: set[str] = set()

    def lost(self, stream: str, error: StoreError) -> None:
        """Raises what will not pass by itself."""
        if error.kind not in {"away", "refusing"}:
            raise error
        if not self._lost:
            complain(f"Redis does not answer ({error.message}); trying again until it does")
        self._lost.add(stream)

    def answered(self, stream: str) -> None:
        if stream in self._lost:
            self._lost.remove(stream)
            if not self._lost:
                complain("Redis answers again; going on from where it was")


class _Followed:
    """One journal, and how far it was read."""

    def __init__(self, stream: str, journal: Journal, link: Link) -> None:
        self._stream = stream
        self._journal = journal
        self._link = link
        self._at = ""
        self._found: list[Written] = []

    async def begin(self, at: str) -> None:
        """From this id on, "$": from now on. Raises StoreError: a Redis that is away from the start is a fault."""
        self._at, self._found = await self._journal.after(at, 0)

    async def follow(self, wanted: Wanted, show: Show) -> None:
        """For ever. Raises StoreError where waiting does not help."""
        while True:
            heed_interrupt()
            for written in filter(wanted, self._found):
                show(self._stream, written)
            sys.stdout.flush()
            self._found = []
            try:
                self._at, self._found = await self._journal.after(self._at, WAIT)
                self._link.answered(self._stream)
            except StoreError as error:
                self._link.lost(self._stream, error)
                await asyncio.sleep(AGAIN)


class Lines:
    """One line for each note, its columns as wide as anything before."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours
        self._widths = [0, 0]

    def __call__(self, stream: str, written: Written) -> None:  # noqa: ARG002  which partition it is of matters to nobody
        note = written.note
        names = [printable(note.handler or "-"), printable(note.type or "-")]
        self._widths = [max(width, len(name)) for width, name in zip(self._widths, names, strict=True)]
        what = note.what.ljust(max(map(len, _COLOURS)))
        if self._colours:
            what = f"\x1b[{_COLOURS[note.what]}m{what}\x1b[0m"
        columns = [name.ljust(width) for name, width in zip(names, self._widths, strict=True)]
        text = replay_words(note.run) + words(note, str, {})[1]
        say("  ".join([moment(written.at), what, *columns, note.entry, printable(text)]))


def _as_json(stream: str, written: Written) -> None:
    """One JSON document a line: the note's members as they are, with when and in which stream."""
    told: dict[str, Any] = {"at": written.at, "stream": stream, **asdict(written.note)}
    say(json.dumps(told))
