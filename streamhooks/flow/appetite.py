"""How many entries to ask for at once: a batch, unless they are large.

Redis hands entries out whole, whatever their size, and nobody knows it before. So the first read is small and each may
bring twice as many as the last one brought, as long as so many of its largest entry stay below BYTES_PER_CALL. A worker
that finds a backlog of large entries then takes one after another. What stays uncovered is one read: the one in which
large entries follow a full batch of small ones.
"""

from collections.abc import Sequence

from streamhooks.model import Entry
from streamhooks.store.stream import BYTES_PER_CALL

FIRST = 4
"""Entries of the first read; also what a reader may ask for that never finds more than one."""


class Appetite:
    """What one reader asks for."""

    __slots__ = ("_most", "count")

    def __init__(self, most: int) -> None:
        self._most = most
        self.count = min(FIRST, most)
        """Entries of the next read, at most."""

    def had(self, entries: Sequence[Entry]) -> None:
        """A read brought these, at least one."""
        largest = max(sum(map(len, entry.fields.values())) for entry in entries)
        self.count = max(1, min(self._most, max(FIRST, 2 * len(entries)), BYTES_PER_CALL // max(1, largest)))
