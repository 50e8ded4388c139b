"""An event read from what is left of it, and each handler's word on it. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from streamhooks import wire
from streamhooks.delivery.masking import credentials, mask
from streamhooks.errors import WireError
from streamhooks.flow.story.matching import Match, matched
from streamhooks.handlers.handler import Handler
from streamhooks.model import Event
from streamhooks.store.life import Life
from streamhooks.store.record import Record

REMOVED = Match("removed", "is not in the configuration any more")
FORGOTTEN = Match("unknown", "took part; nothing is kept of the event that tells why")
UNJUDGED = Match("unknown", "cannot be judged without a configuration")


class Judged(Struct, frozen=True):
    """One event of one partition."""

    life: Life
    partition: int
    event: Event | None
    fault: str
    """Why the entry is no event; empty: it is one, or nothing of it is kept."""
    handlers: Mapping[str, Handler]
    """Of the configuration, those that are told of."""
    matches: Mapping[str, Match]
    """By handler: the configuration's in its order, then those that only traces name."""

    @property
    def fingerprints(self) -> dict[str, str]:
        """By handler, where it is known: of its stored records, where it is fixed, else of a fresh request."""
        found = {id: match.fingerprint for id, match in self.matches.items() if match.fingerprint}
        return found | {one.handler: one.fingerprint for one in records(self.life) if one.fingerprint}

    @property
    def duplicate_of(self) -> frozenset[str]:
        """The owners of the requests that stand for this one."""
        return frozenset(one.note.by for one in self.life.notes if "|" in one.note.by)

    def hide(self, text: str) -> str:
        """The text with the event's credentials masked."""
        for credential in credentials(self.event.meta) if self.event else ():
            text = text.replace(credential, mask(credential))
        return text


def judged(life: Life, partition: int, handlers: Sequence[Handler], max_bytes: int) -> Judged:
    """`handlers`: all of the configuration; empty: there is none to judge by."""
    event, fault = _event(life, max_bytes)
    known = Judged(life, partition, event, fault, {one.id: one for one in handlers}, {})
    matches = {one.id: matched(one, event, partition, known.hide) for one in handlers} if event else {}
    for id in _traced(life, matches):
        matches[id] = UNJUDGED if not handlers else FORGOTTEN if id in known.handlers else REMOVED
    return Judged(life, partition, event, fault, known.handlers, matches)


def records(life: Life) -> Iterator[Record]:
    """Everything that is stored of an event."""
    yield from (one.record for one in life.stored)
    yield from (one.record for one in life.carried)
    yield from (one.record for one in life.letters)


def _event(life: Life, max_bytes: int) -> tuple[Event | None, str]:
    """Of the entry, else of a stored record; and why it is none."""
    fault = ""
    if life.entry is not None:
        try:
            return wire.decode(life.entry, max_bytes), ""
        except WireError as error:
            fault = str(error)
    for record in records(life):
        try:
            return wire.unpack_event(record.event), ""
        except WireError:
            continue
    return None, fault


def _traced(life: Life, known: Mapping[str, Match]) -> list[str]:
    """Handlers that only notes and records name."""
    named = [one.note.handler for one in life.notes] + [one.handler for one in records(life)]
    return [id for id in dict.fromkeys(named) if id and id not in known]
