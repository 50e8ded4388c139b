"""How dead letters are chosen and shown on the command line."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from streamhooks.cli.choice import add_choice
from streamhooks.cli.output import lines
from streamhooks.cli.table import cut, facts, table
from streamhooks.model import DeadReason

EXAMPLE_ID = "streamhooks dead list shows them, such as 1795428000000-0"


def add_filters(parser: ArgumentParser) -> None:
    add_choice(parser, "letters or of their events", "buried")
    parser.add_argument("--reason", default="", choices=get_args(DeadReason), metavar="REASON",
                        help=f"only letters with this reason: {', '.join(get_args(DeadReason))}")  # fmt: skip


def listing(rows: Sequence[dict[str, Any]]) -> str:
    headings = ("ID", "BURIED", "HANDLER", "TYPE", "REASON", "ATTEMPTS", "STATUS", "WHY")
    names = ("id", "buried", "handler", "type", "reason", "attempts")
    return table(
        headings, [(*(one[name] for name in names), one["status"] or None, cut(one["why"], 60)) for one in rows]
    )


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
