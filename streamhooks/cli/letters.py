"""Which dead letters a person means, and how they are shown."""

import re
import time
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Sequence
from typing import Any, get_args

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.cli.moments import moment, utc, utc_of
from streamhooks.cli.opening import wrong
from streamhooks.cli.output import lines, printable
from streamhooks.cli.table import cut, facts, table
from streamhooks.delivery.masking import credentials, masked, withheld, without
from streamhooks.model import DeadReason
from streamhooks.secret import HIDDEN
from streamhooks.settings import Settings
from streamhooks.store.dead import DeadLetters, Letter
from streamhooks.store.keys import Keys, partitions

_ID = re.compile(r"\d{1,20}-\d{1,20}", re.ASCII)
_WEBHOOK_ID = re.compile(r"evt_(\d{1,20}-\d{1,20})_\d+_[0-9a-f]{8}(?:_r\w+)?", re.ASCII)


class Found(Struct, frozen=True):
    """A letter and the partition that it lies in."""

    keys: Keys
    letter: Letter


class Choice(Struct, frozen=True):
    """What the arguments say about the letters that are meant."""

    ids: tuple[str, ...] = ()
    """Of letters, of the events that they are about, or webhook-ids; empty: all that the filters take."""
    handler: str = ""
    type: str = ""
    reason: str = ""
    since: str = "-"
    until: str = "+"

    @property
    def is_all(self) -> bool:
        return self == Choice()

    def takes(self, letter: Letter) -> bool:
        record = letter.record
        return (
            (not self.handler or record.handler == self.handler)
            and (not self.reason or record.reason == self.reason)
            and (not self.type or _matches(self.type, record.type))
        )


def add_filters(parser: ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help="ids of letters or of their events, or webhook-ids")
    parser.add_argument("--handler", default="", metavar="ID", help="only letters of this handler")
    parser.add_argument("--type", default="", help="only events of this type; a * at the end stands for any ending")
    parser.add_argument("--reason", default="", choices=get_args(DeadReason), metavar="REASON",
                        help=f"only letters with this reason: {', '.join(get_args(DeadReason))}")  # fmt: skip
    parser.add_argument("--since", metavar="TIME", help="buried since then: 2h (ago), RFC 3339 (UTC), or an id")
    parser.add_argument("--until", metavar="TIME", help="buried until then")


def choice(args: Namespace) -> Choice:
    """Raises ConfigError."""
    now = time.time()
    for id in args.ids:
        if not _ID.fullmatch(id) and not _WEBHOOK_ID.fullmatch(id):
            raise wrong("ID", f'"{printable(id)}" is no id; streamhooks dead list shows them, such as 1795428000000-0')
    return Choice(
        ids=tuple(args.ids),
        handler=args.handler,
        type=args.type,
        reason=args.reason,
        since=moment(args.since, now, "--since") if args.since else "-",
        until=moment(args.until, now, "--until") if args.until else "+",
    )


async def chosen(client: Redis, settings: Settings, choice: Choice) -> AsyncIterator[Found]:
    """The letters that are meant, partition by partition, oldest first."""
    places = [(keys, DeadLetters(client, keys)) for keys in partitions(settings.stream.key, settings.stream.partitions)]
    seen: set[str] = set()
    for id in choice.ids:
        for keys, letters in places:
            if _ID.fullmatch(id):
                async for letter in letters.letters(id, id):
                    seen.add(id)
                    if choice.takes(letter):
                        yield Found(keys, letter)
    events = {_event_of(id) for id in choice.ids if id not in seen}
    if choice.ids and not events:
        return
    for keys, letters in places:
        async for letter in letters.letters(choice.since, choice.until):
            meant = not choice.ids or (letter.record.origin in events and letter.id not in seen)
            if meant and choice.takes(letter):
                yield Found(keys, letter)


def missing(choice: Choice, rows: Sequence[dict[str, Any]]) -> list[str]:
    """The ids that no letter was found for."""
    found = {one["id"] for one in rows} | {one["event"] for one in rows}
    return [id for id in choice.ids if id not in found and _event_of(id) not in found]


# How they are shown.


def row(found: Found) -> dict[str, Any]:
    """A letter in a listing: no payload, no answer."""
    letter, record = found.letter, found.letter.record
    return {
        "id": letter.id,
        "buried": utc_of(letter.id),
        "event": record.origin,
        "stream": found.keys.stream,
        "handler": record.handler,
        "type": record.type,
        "reason": record.reason,
        "attempts": record.attempt if record.handler else 0,
        "status": record.status,
        "why": record.why,
        "replayable": bool(record.event),
    }


def listing(rows: Sequence[dict[str, Any]]) -> str:
    headings = ("ID", "BURIED", "HANDLER", "TYPE", "REASON", "ATTEMPTS", "STATUS", "WHY")
    names = ("id", "buried", "handler", "type", "reason", "attempts")
    return table(
        headings, [(*(one[name] for name in names), one["status"] or None, cut(one["why"], 60)) for one in rows]
    )


def whole(found: Found, *, reveal: bool) -> dict[str, Any]:
    """Everything that is known of a letter. Credentials are masked, also where the endpoint repeated them."""
    record = found.letter.record
    told = row(found)
    told |= {"first_attempt": utc(record.first), "last_attempt": utc(record.last), "fingerprint": record.fingerprint}
    secrets: list[str] = []
    if record.event:
        event = withheld_event(msgspec.json.decode(record.event))
        secrets = [] if reveal else credentials(event.get("meta"))
        told["event_content"] = event if reveal else masked(event)
    if record.status:
        told["answer"] = without(record.answer.decode(errors="backslashreplace"), secrets)
    if record.raw_sha256:
        # What cannot be read cannot be masked either.
        told["raw"] = record.raw.decode(errors="backslashreplace") if reveal else f"{HIDDEN} (--reveal shows it)"
        told |= {"raw_length": record.raw_length, "raw_sha256": record.raw_sha256}
    return told


def withheld_event(event: dict[str, Any]) -> dict[str, Any]:
    meta = event.get("meta")
    return {**event, "meta": withheld(meta)} if isinstance(meta, dict) else event


def page(told: dict[str, Any]) -> str:
    """A whole letter for people."""
    blocks = {"event_content", "answer", "raw"}
    text = facts([(name.replace("_", " "), _cell(value)) for name, value in told.items() if name not in blocks])
    if "event_content" in told:
        text += "\n\n" + lines(msgspec.json.format(msgspec.json.encode(told["event_content"]), indent=2).decode())
    for name in ("answer", "raw"):
        if name in told:
            text += f"\n\n{name}:\n{lines(told[name])}"
    return text


def _cell(value: object) -> str | int:
    return value if isinstance(value, str) or type(value) is int else str(value).lower()


def _event_of(id: str) -> str:
    named = _WEBHOOK_ID.fullmatch(id)
    return named[1] if named else id


def _matches(pattern: str, type: str) -> bool:
    return type.startswith(pattern[:-1]) if pattern.endswith("*") else type == pattern
