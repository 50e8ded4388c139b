"""`replay`: past events fired again from the stream's history, as new messages to their receivers.

Events go in the order of their ids, a batch in one call, and how far it has come is one id: an interrupted replay is
gone on with from there by --since. The one batch whose answer was lost may then be fired twice.
"""

import asyncio
import secrets
from argparse import ArgumentParser, Namespace
from typing import Any

from redis.asyncio import Redis

from streamhooks.cli.choice import add_choice, choice
from streamhooks.cli.opening import add_config, add_json, add_redis, configuration, reach, wrong
from streamhooks.cli.output import complain, document, say
from streamhooks.cli.pace import Pace, add_caution, add_pace, confirmed, counted, rate, somebody_asks
from streamhooks.cli.progress import Progress
from streamhooks.cli.table import table
from streamhooks.cli.trial import handler_of
from streamhooks.errors import StoreError
from streamhooks.files import Loaded
from streamhooks.operations.choice import Choice
from streamhooks.operations.moments import utc_of
from streamhooks.operations.past import Firing, LeftOut, Walk
from streamhooks.store.history import History, records
from streamhooks.store.ids import following
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record

EXAMPLE = "streamhooks replay --since 2h --type AuthFailure --handler security-slack --dry-run"


def arguments(parser: ArgumentParser) -> None:
    add_choice(parser, "events", "added to the stream")
    parser.add_argument("--all", action="store_true", help="all history; needed where no id and no filter is given")
    add_caution(parser, "events")
    add_pace(parser)
    add_config(parser)
    add_redis(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    meant = choice(args, "streamhooks publish prints them, and a webhook bears one in webhook-id")
    if meant.is_all and not args.all:
        raise wrong("replay", "needs ids, a filter, or --all for everything that the stream has kept")
    allowed = rate(args.rate)
    loaded = configuration(args)
    if meant.handler:
        handler_of(loaded, meant.handler)
    return asyncio.run(_run(loaded, meant, allowed, args))


async def _run(loaded: Loaded, meant: Choice, rate: float, args: Namespace) -> int:
    async with reach(loaded.settings) as client:
        walk = Walk(client, loaded, meant)
        if args.dry_run:
            return await _tried(walk, args)
        with Progress("webhooks") as progress:
            total = 0
            if progress.on:
                async for firing in Walk(client, loaded, meant).firings():
                    total += len(firing.handlers)
            question = f"replay {counted(total, 'webhook')} of past events?"
            if total and somebody_asks(args.yes) and not confirmed(question):
                complain("nothing was changed")
                return 1
            replay = _Replay(client, loaded.settings.stream.group, Pace(rate), progress, total, force=args.force)
            await replay.run(walk)
    if args.json:
        document(replay.told(walk))
    else:
        say(f"{replay.done} replayed, of {counted(replay.events, 'event')}, run {replay.name}")
    return _judged(walk, replay.done)


async def _tried(walk: Walk, args: Namespace) -> int:
    rows = [_row(firing) async for firing in walk.firings()]
    webhooks = sum(len(row["handlers"]) for row in rows)
    if args.json:
        document(rows)
    elif rows:
        cells = [(row["event"], row["added"], row["type"], " ".join(row["handlers"])) for row in rows]
        listed = table(("EVENT", "ADDED", "TYPE", "HANDLERS"), cells)
        say(f"{listed}\n\n{webhooks} would be replayed, of {counted(len(rows), 'event')}")
    return _judged(walk, webhooks)


def _row(firing: Firing) -> dict[str, Any]:
    event = firing.event
    return {
        "event": event.id,
        "added": utc_of(event.id),
        "stream": firing.keys.stream,
        "type": event.type,
        "handlers": list(firing.handlers),
    }


def _judged(walk: Walk, done: int) -> int:
    """Tells what was left out, and what was not found; the exit code."""
    _tell_left_out(walk.left_out)
    for id in walk.missing:
        complain(f"{id}: the stream does not hold it any more, or the filters leave it out")
    if not done and not walk.missing:
        complain("nothing matched")
    return 0 if done and not walk.missing else 1


def _tell_left_out(left: LeftOut) -> None:
    if left.not_acknowledged:
        entries = counted(left.not_acknowledged, "entry is", "entries are")
        complain(f"{entries} not acknowledged yet and left out: what is undelivered or pending ends by itself")
    if left.undecodable:
        entries = counted(left.undecodable, "entry", "entries")
        complain(f"{entries} cannot be decoded; streamhooks dead list --reason undecodable shows why")
    if left.unmatched:
        complain(f"{counted(left.unmatched, 'event matches', 'events match')} no handler of the configuration")


class _Replay:
    """Fires events again, and knows how far it has come."""

    def __init__(self, client: Redis, group: str, pace: Pace, progress: Progress, total: int, *, force: bool) -> None:
        self._client = client
        self._group = group
        self._pace = pace
        self._progress = progress
        self._total = total
        self._force = force
        self._batch: dict[Keys, list[Record]] = {}
        self._unsure = 0
        """Records of the batch that is under way: nobody knows whether they are stored."""
        self._last = ""
        self.name = secrets.token_hex(4)
        """Of this run; the `webhook-id` of what it fires ends in it."""
        self.done = 0
        self.events = 0
        self.up_to = ""
        """The id up to which everything that is meant is on its way."""

    async def run(self, walk: Walk) -> None:
        try:
            async for firing in walk.firings():
                # One id in two partitions is not torn apart: the id says how far it has come.
                if firing.event.id != self._last and self._held >= self._pace.size:
                    await self._flush()
                self._add(firing)
            await self._flush()
        except (StoreError, asyncio.CancelledError):
            self._progress.complain(self._left_at())
            raise

    def told(self, walk: Walk) -> dict[str, Any]:
        left = walk.left_out
        return {
            "run": self.name,
            "replayed": self.done,
            "events": self.events,
            "up_to": self.up_to,
            "left_out": {
                "not_acknowledged": left.not_acknowledged,
                "undecodable": left.undecodable,
                "unmatched": left.unmatched,
            },
        }

    @property
    def _held(self) -> int:
        return sum(len(records) for records in self._batch.values())

    def _add(self, firing: Firing) -> None:
        own = records(firing.event, firing.handlers, self.name, force=self._force)
        self._batch.setdefault(firing.keys, []).extend(own)
        self._last = firing.event.id
        self.events += 1

    async def _flush(self) -> None:
        async with self._pace.turn(self._held):
            self._unsure = self._held
            for keys, batch in self._batch.items():
                self.done += await History(self._client, keys, self._group).replay(batch)
        self._unsure = 0
        self._batch.clear()
        self.up_to = self._last
        self._progress.show(self.done, part=self.done / self._total if self._total else None)

    def _left_at(self) -> str:
        goes_on = f"go on with --since {following(self.up_to)}" if self.up_to else "run it again"
        unsure = f" (at most {self._unsure} may be fired twice)" if self._unsure else ""
        return f"{self.done} replayed before this; {goes_on}{unsure}"
