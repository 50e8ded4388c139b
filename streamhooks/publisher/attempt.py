"""One round trip's account: what Redis said of each event, and what was said of none."""

from collections.abc import Sequence

from streamhooks.publisher.buffer import Item
from streamhooks.publisher.trouble import Trouble


class Attempt:
    """Of one batch. `trouble` is the last that was met; None: every event has its id."""

    def __init__(self, batch: Sequence[Item]) -> None:
        self._batch = batch
        self.replicas = max((item.call.replicas for item in batch if item.call is not None), default=0)
        """How many replicas are waited for."""
        self.sent = False
        """Whether any of it may have reached Redis."""
        self.trouble: Trouble | None = None
        for item in batch:
            item.trouble = None

    def refused(self, item: Item, refusal: Exception) -> None:
        """Redis answered, and did not take this event."""
        item.trouble = self.trouble = Trouble.of(refusal)

    def copied(self, replicas: int) -> None:
        """So many replicas have all that was taken."""
        for item in self._batch:
            item.copies = replicas

    def cut_off(self, error: Exception) -> None:
        """No further answer comes: whatever has none yet may be in the stream or not."""
        self.trouble = Trouble.of(error)
        for item in self._batch:
            if not item.id and item.trouble is None:
                item.trouble = self.trouble
                item.unsure = item.unsure or self.sent


def outcome(batch: Sequence[Item], met: Sequence[Trouble | None]) -> Trouble | None:
    """Of a batch that went in several round trips: what one of them met, or what keeps an event from being taken."""
    troubles = (*met, *(item.trouble for item in batch if not item.id))
    return next((trouble for trouble in troubles if trouble is not None), None)
