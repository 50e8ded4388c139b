"""Which letters or events a person means: ids, and filters that mean the same wherever they can be given."""

import re

from msgspec import Struct

from streamhooks.store.ids import is_id, order

_WEBHOOK_ID = re.compile(r"evt_(\d{1,20}-\d{1,20})_(\d+)_[0-9a-f]{8}(?:_r\w+)?", re.ASCII)


class Choice(Struct, frozen=True):
    """What was said."""

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


def event_of(id: str) -> str:
    """The entry that an id speaks of, be it one itself or a webhook-id."""
    named = _WEBHOOK_ID.fullmatch(id)
    return named[1] if named else id


def is_name(id: str) -> bool:
    """Whether an event, a letter or a webhook can be called so."""
    return is_id(event_of(id))


def partition_of(webhook_id: str) -> int | None:
    """None: it is no webhook-id, or one of no partition that can be."""
    named = _WEBHOOK_ID.fullmatch(webhook_id)
    return int(named[2]) if named else None
