"""Whose request it was: owners taken apart, and replays put to what they replay.

An owner is `<entry>|<handler>`, of a replay `<entry>~<run>|<handler>`. A replay from history is a message of its own,
with a webhook-id of its own; that of a dead letter goes on with the message that died, so it is of the same line.
"""

from collections.abc import Sequence

from msgspec import Struct

from streamhooks.store.journal import Written


class Owner(Struct, frozen=True):
    """An owner of a claim."""

    entry: str
    run: str
    handler: str


def owner_of(text: str) -> Owner:
    whose, _, handler = text.rpartition("|")
    entry, _, run = whose.partition("~")
    return Owner(entry, run, handler)


def line_of(run: str, notes: Sequence[Written]) -> str:
    """The replay from history that a run belongs to; empty: the event's own message.

    The run of a dead letter's replay is the letter's id, and the note of that death was written in the same step.
    """
    met: set[str] = set()
    while _is_letter(run) and run not in met:
        met.add(run)
        buried = int(run.partition("-")[0])
        run = next((one.note.run for one in notes if one.note.what == "dead" and one.at == buried), "")
    return "" if _is_letter(run) else run


def replay_words(run: str) -> str:
    """How a sentence begins that is of a replay; empty: of none."""
    if not run:
        return ""
    return f"replay of dead letter {run}: " if _is_letter(run) else f"replay {run}: "


def _is_letter(run: str) -> bool:
    return "-" in run
