"""What `status` has seen, on one screen: at most 100 columns wide, whatever names there are.

One stream is told of line by line, several in a table with their sum. The handlers' figures are those of the workers
that run, since the start of each; rates and latencies are those of the last ten seconds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import wrap

from msgspec import Struct

from streamhooks.cli.table import Cell, cut, facts, table
from streamhooks.handlers.handler import Handler
from streamhooks.settings.duration import rounded
from streamhooks.store.leftover import Leftover
from streamhooks.store.pauses import Note
from streamhooks.store.snapshots import HandlerSnapshot, Snapshot, together
from streamhooks.store.status import Consumer, Overview

HANDLER, CONSUMER, STREAM, ACCOUNT = 20, 60, 24, 80
"""Characters. A name that is longer is cut, an account goes on in the next line."""
CONSUMERS = 8
"""Consumers with a line of their own; more are counted."""


class Seen(Struct, frozen=True):
    """Everything at one moment."""

    group: str
    streams: tuple[Overview, ...]
    consumers: tuple[Consumer, ...]
    """Of all streams."""
    workers: tuple[Snapshot, ...]
    pauses: Mapping[str, Note]
    configured: tuple[Handler, ...]
    leftovers: tuple[Leftover, ...] = ()
    """Streams of partitions that the configuration does not have."""

    @property
    def handlers(self) -> dict[str, HandlerSnapshot | None]:
        """The configuration's in its order, then those that only workers or pauses know; with their figures."""
        figures = together(self.workers)
        ids = [one.id for one in self.configured] + sorted(figures.keys() | self.pauses.keys())
        return {id: figures.get(id) for id in dict.fromkeys(ids)}

    def state(self, handler: str) -> str:
        return self.pauses[handler].state if handler in self.pauses else "active"


def page(seen: Seen) -> str:
    group = seen.group if all(one.has_group for one in seen.streams) else f"{seen.group} (not there yet)"
    streams = _stream(seen.streams[0], group) if len(seen.streams) == 1 else _streams(seen.streams, group)
    return "\n\n".join(block for block in (streams, _consumers(seen), _handlers(seen)) if block)


def _stream(one: Overview, group: str) -> str:
    backlog = one.backlog
    return facts(
        (
            ("stream", one.stream),
            ("group", group),
            ("length", one.length),
            ("lag", backlog.lag if one.has_group else None),
            ("pending", backlog.pending),
            ("oldest pending", rounded(backlog.oldest_pending) if backlog.pending else None),
            ("parked", f"{backlog.parked} ({backlog.due} due, {backlog.held} held)"),
            ("dead letters", backlog.dead),
            *_account([one]),
        )
    )


def _streams(streams: Sequence[Overview], group: str) -> str:
    """A row for each, and their sum."""
    rows = [_row(cut(one.stream, STREAM), [one]) for one in streams] + [_row("all", streams)]
    headings = ("STREAM", "LENGTH", "LAG", "PENDING", "OLDEST", "PARKED", "DUE", "HELD", "DEAD")
    return f"{facts((('group', group), *_account(streams)))}\n\n{table(headings, rows)}"


def _row(name: str, streams: Sequence[Overview]) -> tuple[Cell, ...]:
    backlogs = [one.backlog for one in streams]
    pending = sum(one.pending for one in backlogs)
    return (
        name,
        sum(one.length for one in streams),
        sum(one.lag for one in backlogs),
        pending,
        rounded(max(one.oldest_pending for one in backlogs)) if pending else None,
        sum(one.parked for one in backlogs),
        sum(one.due for one in backlogs),
        sum(one.held for one in backlogs),
        sum(one.dead for one in backlogs),
    )


def _account(streams: Sequence[Overview]) -> list[tuple[str, str]]:
    sums: Counter[str] = Counter()
    for one in streams:
        sums.update(one.backlog.account)
    terms = [f"{term} {count}" for term, count in sums.items() if count or term == "accepted"]
    terms[-1] += " (balances)" if all(one.balances for one in streams) else " (DOES NOT BALANCE)"
    told = wrap(", ".join(terms), ACCOUNT, break_on_hyphens=False)
    return [("account" if not at else "", line) for at, line in enumerate(told)]


def _consumers(seen: Seen) -> str:
    if not seen.consumers:
        return "no consumers"
    up = {one.consumer: rounded(one.uptime) for one in seen.workers}
    shown = seen.consumers[:CONSUMERS]
    rows = [(cut(one.name, CONSUMER), rounded(one.idle), one.pending, up.get(one.name)) for one in shown]
    told = table(("CONSUMER", "IDLE", "PENDING", "UP"), rows)
    more = len(seen.consumers) - len(shown)
    return f"{told}\nand {more} more" if more else told


def _handlers(seen: Seen) -> str:
    headings = ("HANDLER", "STATE", "DELIVERED", "FAILED", "SUPPR", "PER S", "P50", "P99", "BREAKER", "BUSY")
    rows = [(cut(id, HANDLER), seen.state(id), *_figures(own)) for id, own in seen.handlers.items()]
    return table(headings, rows) if rows else ""


def _figures(own: HandlerSnapshot | None) -> tuple[Cell, ...]:
    if own is None:
        return (None,) * 8
    p50, p99 = (rounded(value) if value else None for value in (own.p50, own.p99))
    rate = f"{own.per_second:.1f}" if own.per_second < 100 else f"{own.per_second:.0f}"
    return own.delivered, own.failures, own.suppressed, rate, p50, p99, own.breaker.replace("_", "-"), own.in_flight
