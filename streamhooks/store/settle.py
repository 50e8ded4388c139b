"""Settling: the one place that acknowledges.

What must be stored, the receipt, the acknowledgement, the mark of the cool-down and the account change in one script,
lua/settle.lua, for many outcomes in one call.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.connection import Word, ask
from streamhooks.store.keys import Keys, tyk_mark
from streamhooks.store.record import Record
from streamhooks.store.scripts import Script

_settle = Script("settle")
_settled = Script("settled")
_packed = msgspec.msgpack.Encoder().encode

PER_CALL = 100
"""A settlement is at most 4 keys, and up to 30 words where a record goes with it: some managed services take at most
3,999 in a request.
"""
Kind = Literal["delivered", "suppressed", "retry", "dead", "unmatched", "finished"]
Source = Literal["stream", "retry"]
Answer = Literal["acked", "waits", "late", "overflow"]


class Settlement(Struct, frozen=True, gc=False):
    """One outcome, ready for the script."""

    kind: Kind
    source: Source
    id: str
    """Of the carrier: the entry of `source` that is acknowledged."""
    handler: str = ""
    handlers: str = ""
    """All handlers that the entry fires, one a line; empty where it is one alone."""
    fingerprint: str = ""
    owner: str = ""
    """Of the claim; empty where there is none."""
    window: float = 0.0
    """The cool-down in seconds."""
    amount: float = 0.0
    """Seconds. Delivered: since the reply came. Retry: until it is due; below 0: until its handler is resumed."""
    told: int = 0
    """Delivered: how many held-back duplicates the request told of."""
    record: Record | None = None
    note: bytes = b""
    """What the journal is told, as journal.packed gives it; empty: nothing."""


class Ledger:
    """Settles the carriers of one stream."""

    def __init__(
        self,
        client: Redis,
        keys: Keys,
        group: str,
        consumer: str,
        *,
        lease: float,
        most_parked: int,
        most_dead: int,
        most_noted: int = 100_000,
        share_with_tyk: bool = False,
    ) -> None:
        self._client = client
        self._keys = keys
        self._shared = share_with_tyk
        self._group = group
        self._head: tuple[Word, ...] = (
            group, consumer, int(lease * 1000), most_parked, most_dead, most_noted, int(share_with_tyk),
        )  # fmt: skip
        self._stores = (
            keys.stream, keys.retry, keys.parked, keys.parked_data, keys.dead, keys.totals, keys.handlers, keys.journal,
            keys.handed,
        )  # fmt: skip

    async def settle(self, settlements: Sequence[Settlement]) -> list[Answer]:
        """One answer for each, in order. Raises StoreError; calling again with the same is safe."""
        cool, done, held = self._keys.cool, self._keys.done, self._keys.held
        keys: list[str] = list(self._stores)
        told: list[_Told] = []
        beside: list[Word] = []
        for s in settlements:
            keys.append(cool(s.handler, s.fingerprint))
            if self._shared:
                keys.append(tyk_mark(s.fingerprint))
            if s.kind != "delivered" or s.handlers or s.told:  # most need neither
                keys += (done(s.id), held(s.handler, s.fingerprint))
            if s.note:
                beside.append(s.note)
            record = s.record.words() if s.record else ()
            beside += record
            told.append(_told(s, len(record)))
        answers = await _settle(self._client, keys, (*self._head, _packed(told), *beside))
        return [answer.decode() for answer in answers]

    async def all_settled(self) -> bool:
        """Nothing is unread, pending or stored, at any worker. Raises StoreError (`no_group`)."""
        keys = self._keys
        return bool(await _settled(self._client, (keys.stream, keys.retry, keys.parked), (self._group,)))

    async def probe(self) -> None:
        """Asks for a write that changes nothing. Raises StoreError while the server refuses writes."""
        await ask(self._client, "HINCRBY", self._keys.totals, "accepted", 0)


_Told: TypeAlias = tuple[Kind, Source, str, str, str, str, int, int, str | int, str | int, int, int]
"""As lua/settle.lua has it."""


def _told(s: Settlement, count: int) -> _Told:
    """`count`: of the words of its record, which go beside."""
    member: str | int = s.told or ""
    first: str | int = ""
    if s.record is not None:
        member = s.record.owner
        first = max(0, s.record.first) if s.record.first else ""
    window, amount = int(s.window * 1000), int(s.amount * 1000)
    return (
        s.kind,
        s.source,
        s.id,
        s.handler,
        s.owner,
        s.handlers,
        window,
        amount,
        member,
        first,
        1 if s.note else 0,
        count,
    )
