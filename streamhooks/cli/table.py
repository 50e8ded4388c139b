"""A plain table: columns two spaces apart, numbers to the right, nothing drawn, so that `awk` can read it."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from streamhooks.cli.output import printable

Cell: TypeAlias = str | int | None
"""None is shown as `-`."""


def table(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The headings and rows as text. A column whose cells are all numbers is set to the right."""
    body = list(rows)
    texts = [list(headings)] + [[_text(cell) for cell in row] for row in body]
    columns = range(len(headings))
    widths = [max(len(row[at]) for row in texts) for at in columns]
    right = [bool(body) and all(isinstance(row[at], int | None) for row in body) for at in columns]
    return "\n".join(
        "  ".join(row[at].rjust(widths[at]) if right[at] else row[at].ljust(widths[at]) for at in columns).rstrip()
        for row in texts
    )


def facts(pairs: Iterable[tuple[str, Cell]]) -> str:
    """Names and values below one another."""
    told = [(name, _text(value)) for name, value in pairs]
    width = max((len(name) for name, _ in told), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}".rstrip() for name, value in told)


def cut(text: str, width: int) -> str:
    """At most `width` characters."""
    return text if len(text) <= width else text[: width - 3] + "..."


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return printable(str(cell)) or "-"
