"""Which letters or events a person means: ids, and filters that mean the same to every command that has them."""

import time
from argparse import ArgumentParser, Namespace

from msgspec import Struct

from streamhooks.cli.moments import moment
from streamhooks.cli.opening import wrong
from streamhooks.cli.output import printable
from streamhooks.delivery.request import read_webhook_id
from streamhooks.store.ids import is_id, order


class Choice(Struct, frozen=True):
    """What the arguments say."""

    ids: tuple[str, ...] = ()
    """Of letters, of events, or webhook-ids, each once; empty: all that the filters take."""
    handler: str = ""
    type: str = ""
    reason: str = ""
    since: str = "-"
    until: str = "+"

    @property
    def is_all(self) -> bool:
        return self == Choice()

    def takes_type(self, type: str) -> bool:
        pattern = self.type
        return not pattern or (type.startswith(pattern[:-1]) if pattern.endswith("*") else type == pattern)

    def takes_time(self, id: str) -> bool:
        return order(self.since) <= order(id) <= order(self.until, last=True)


def add_choice(parser: ArgumentParser, what: str, when: str) -> None:
    """`what` is chosen, by ids and by the time `when`: words for the help."""
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"ids of {what}, or webhook-ids")
    parser.add_argument("--handler", default="", metavar="ID", help="only for this handler")
    parser.add_argument("--type", default="", help="only events of this type; a * at the end stands for any ending")
    parser.add_argument("--since", metavar="TIME", help=f"{when} since then: 2h (ago), RFC 3339 (UTC), or an id")
    parser.add_argument("--until", metavar="TIME", help=f"{when} until then")


def choice(args: Namespace, example: str) -> Choice:
    """`example` says where ids are to be had. Raises ConfigError."""
    now = time.time()
    for id in args.ids:
        if not is_id(event_of(id)):
            raise wrong("ID", f'"{printable(id)}" is no id; {example}')
    since = moment(args.since, now, "--since") if args.since else "-"
    until = moment(args.until, now, "--until") if args.until else "+"
    if order(since) > order(until, last=True):
        raise wrong("--since", f"{printable(args.since)} is later than --until {printable(args.until)}")
    return Choice(
        ids=tuple(dict.fromkeys(args.ids)),
        handler=args.handler,
        type=args.type,
        reason=getattr(args, "reason", ""),  # history has none
        since=since,
        until=until,
    )


def event_of(id: str) -> str:
    """The entry that an id speaks of, be it one itself or a webhook-id."""
    named = read_webhook_id(id)
    return named.entry if named else id


def partition_of(webhook_id: str) -> int | None:
    """None: it is no webhook-id, or one of no partition that can be."""
    named = read_webhook_id(webhook_id)
    return named.partition if named else None
