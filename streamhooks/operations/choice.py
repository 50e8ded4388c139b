"""Which letters or events a person means: ids, and filters that mean the same wherever they can be given."""

from msgspec import Struct

from streamhooks.delivery.request import read_webhook_id
from streamhooks.store.ids import is_id, order


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
    named = read_webhook_id(id)
    return named.entry if named else id


def is_name(id: str) -> bool:
    """Whether an event, a letter or a webhook can be called so."""
    return is_id(event_of(id))


def partition_of(webhook_id: str) -> int | None:
    """None: it is no webhook-id, or one of no partition that can be."""
    named = read_webhook_id(webhook_id)
    return named.partition if named else None
