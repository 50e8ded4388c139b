"""What the tests of the store begin with: a worker's hands on one stream, and the words to say what was found."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.model import Entry
from streamhooks.store.account import TERMS, Account
from streamhooks.store.claims import Claim, Claims
from streamhooks.store.connection import Word, ask
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record
from streamhooks.store.settle import Answer, Kind, Ledger, Settlement, Source
from streamhooks.store.stream import Stream

GROUP = "streamhooks"
LEASE = 30.0
WINDOW = 60.0
HOOK = "slack"
PRINT = "0123456789abcdef0123456789abcdef"
BEGINNING = "0-0"


class Worker(Struct, frozen=True):
    """One consumer of the group, and everything of the store that it holds."""

    name: str
    entries: Stream
    retries: Stream
    claims: Claims
    ledger: Ledger

    async def read(self, count: int = 100) -> list[Entry]:
        return await self.entries.read(count, 0.001)

    async def read_retry(self) -> Entry:
        """The one entry that is new in the retry stream."""
        (entry,) = await self.retries.read(2, 0.001)
        return entry

    async def settle(self, settlement: Settlement) -> Answer:
        (answer,) = await self.ledger.settle([settlement])
        return answer


def worker(redis: Redis, keys: Keys, name: str, *, most_parked: int = 100, most_dead: int = 100) -> Worker:
    return Worker(
        name,
        Stream(redis, redis, keys, keys.stream, GROUP, name),
        Stream(redis, redis, keys, keys.retry, GROUP, name),
        Claims(redis, keys, LEASE),
        Ledger(redis, keys, GROUP, name, lease=LEASE, most_parked=most_parked, most_dead=most_dead),
    )


def owner_of(entry: str, handler: str = HOOK) -> str:
    return f"{entry}|{handler}"


def claim(owner: str, *, window: float = WINDOW, replay: bool = False, fingerprint: str = PRINT) -> Claim:
    return Claim(HOOK, fingerprint, owner, window, replay)


def record_of(entry: str, handler: str = HOOK, **more: Any) -> Record:
    known = {"type": "AuthFailure", "event": b"\x81packed", "fingerprint": PRINT, "why": "answered 503"}
    return Record(**{"origin": entry, "handler": handler, "owner": owner_of(entry, handler)} | known | more)


def settlement(
    kind: Kind,
    carrier: str,
    *,
    origin: str = "",
    source: Source = "stream",
    handler: str = HOOK,
    handlers: Sequence[str] = (),
    fingerprint: str = PRINT,
    claimed: bool = True,
    amount: float = 0.0,
    record: Record | None = None,
) -> Settlement:
    """An outcome of the carrier; `origin` is the entry that its event came with first, where that is another one."""
    stored = record or (record_of(origin or carrier, handler) if kind in {"retry", "dead"} else None)
    return Settlement(
        kind, source, carrier,
        handler=handler,
        handlers="\n".join(handlers),
        fingerprint=fingerprint,
        owner=owner_of(origin or carrier, handler) if claimed else "",
        window=WINDOW,
        amount=amount,
        record=stored,
    )  # fmt: skip


async def now(redis: Redis) -> int:
    """Milliseconds since 1970 by the server's clock."""
    seconds, micros = await ask(redis, "TIME")
    return int(seconds * 1000 + micros // 1000)


async def add(redis: Redis, keys: Keys, count: int = 1, *, first: int = 0) -> list[str]:
    """The ids of new entries: made by the server, or `<first>-1`, `<first + 1>-1` ... where `first` is given."""
    pipeline = redis.pipeline(transaction=False)
    for number in range(count):
        pipeline.xadd(keys.stream, {"d": "{}"}, id=f"{first + number}-1" if first else "*")
    return [id.decode() for id in await pipeline.execute()]


async def mark(redis: Redis, keys: Keys, state: str, owner: str, *, age: float = 0.0) -> None:
    """Puts a cool-down there that was stamped `age` seconds ago."""
    stamp = await now(redis) - int(age * 1000)
    await redis.set(keys.cool(HOOK, PRINT), f"{state}|{owner}|{stamp}", px=120_000)


async def state(redis: Redis, keys: Keys, fingerprint: str = PRINT, handler: str = HOOK) -> str:
    """`state|owner` of a cool-down, without its stamp; empty: there is none."""
    value = await ask(redis, "GET", keys.cool(handler, fingerprint))
    return value.decode().rpartition("|")[0] if value else ""


async def stamp(redis: Redis, keys: Keys) -> int:
    value = await ask(redis, "GET", keys.cool(HOOK, PRINT))
    return int(value.decode().rpartition("|")[2])


async def everything(redis: Redis) -> dict[bytes, bytes | None]:
    """Each key's value, pending lists and all: two of them are equal where nothing changed in between.

    TTLs are not in a dump, and idle times are, so that only what stands still is compared.
    """
    return {name: await redis.dump(name) async for name in redis.scan_iter(count=1000)}


async def pending(redis: Redis, key: str) -> dict[str, tuple[str, int]]:
    """Of each pending entry: its consumer, and how often it was handed out."""
    found: Any = await redis.xpending_range(key, GROUP, "-", "+", 10_000)
    return {one["message_id"].decode(): (one["consumer"].decode(), one["times_delivered"]) for one in found}


async def ids_in(redis: Redis, key: str) -> list[str]:
    """The ids of a stream's entries, from the oldest to the newest."""
    return [id.decode() for id, _ in await ask(redis, "XRANGE", key, "-", "+")]


async def account(redis: Redis, keys: Keys) -> dict[str, int]:
    """The terms that are not 0. Asserts that they balance."""
    totals = await Account(redis, keys).totals()
    assert totals["accepted"] == sum(totals[term] for term in TERMS if term != "accepted"), totals
    return {term: count for term, count in totals.items() if count}


async def make_due(redis: Redis, keys: Keys, owner: str) -> None:
    """Sets the time of a stored record to one that has passed."""
    words: tuple[Word, ...] = ("ZADD", keys.parked, "XX", await now(redis) - 1, owner)
    await ask(redis, *words)
