"""The arguments that say which letters or events are meant, the same for every command that has them."""

import time
from argparse import ArgumentParser, Namespace

from streamhooks.cli.moments import moment
from streamhooks.cli.opening import wrong
from streamhooks.cli.output import printable
from streamhooks.operations.choice import Choice, is_name
from streamhooks.store.ids import order


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
        if not is_name(id):
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
