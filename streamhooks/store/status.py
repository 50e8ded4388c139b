"""What Redis knows of one partition, for people: its figures, its consumers, its pending entries. Reads only."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.account import TERMS
from streamhooks.store.backlog import Backlog, measure
from streamhooks.store.connection import ask, translated
from streamhooks.store.keys import Keys
from streamhooks.store.settle import Source
from streamhooks.store.stream import Stream

PAGE = 500


class Consumer(Struct, frozen=True):
    """One name in the group, over the stream and its retry stream."""

    name: str
    idle: float
    """Seconds since it was last heard of."""
    pending: int


class Overview(Struct, frozen=True):
    """One partition as it stands."""

    stream: str
    has_group: bool
    length: int
    backlog: Backlog
    consumers: tuple[Consumer, ...]

    @property
    def balances(self) -> bool:
        """Whether every entry that was accepted has an end: the account of lua/settle.lua."""
        account = self.backlog.account
        return account["accepted"] == sum(account[term] for term in TERMS if term != "accepted")


class PendingEntry(Struct, frozen=True):
    """An entry that was handed out and is not acknowledged."""

    source: Source
    id: str
    consumer: str
    idle: float
    """Seconds since it was handed out or last kept alive."""
    deliveries: int


async def overview(client: Redis, keys: Keys, group: str) -> Overview:
    """Raises StoreError; a stream or a group that is not there yet counts as empty."""
    entries, retries = (Stream(client, client, keys, key, group, "") for key in (keys.stream, keys.retry))
    found = await consumers(client, keys, group)
    return Overview(
        stream=keys.stream,
        has_group=found is not None,
        length=int(await ask(client, "XLEN", keys.stream)),
        backlog=await measure(client, keys, entries, retries),
        consumers=found or (),
    )


async def consumers(client: Redis, keys: Keys, group: str) -> tuple[Consumer, ...] | None:
    """Everybody in the group, whoever was heard of last first; None where the stream has no such group."""
    found = [await _consumers(client, key, group) for key in (keys.stream, keys.retry)]
    return None if found[0] is None else merged([consumer for some in found for consumer in some or ()])


async def pending(client: Redis, keys: Keys, group: str, *, idle: float = 0.0) -> AsyncIterator[PendingEntry]:
    """Every pending entry of the stream, then of its retry stream, oldest first, that is idle for so many seconds."""
    sources: tuple[tuple[Source, str], ...] = (("stream", keys.stream), ("retry", keys.retry))
    for source, key in sources:
        since = "-"
        while True:
            found = await _pending_page(client, key, group, since, idle)
            for one in found:
                yield _pending_entry(source, one)
            if len(found) < PAGE:
                break
            since = "(" + found[-1]["message_id"].decode()


async def holder(client: Redis, keys: Keys, group: str, source: Source, id: str) -> PendingEntry | None:
    """Who has one entry; None: it is pending at nobody. Raises StoreError."""
    key = keys.stream if source == "stream" else keys.retry
    found = await _pending_page(client, key, group, id, until=id)
    return next((_pending_entry(source, one) for one in found), None)


def _pending_entry(source: Source, one: dict[str, Any]) -> PendingEntry:
    name, silent = one["consumer"].decode(), one["time_since_delivered"] / 1000
    return PendingEntry(source, one["message_id"].decode(), name, silent, one["times_delivered"])


async def _pending_page(
    client: Redis, key: str, group: str, since: str, idle: float = 0.0, until: str = "+"
) -> Sequence[dict[str, Any]]:
    try:
        with translated():
            found: Any = await client.xpending_range(key, group, since, until, PAGE, idle=int(idle * 1000) or None)
    except StoreError as error:
        if error.kind == "no_group":
            return ()
        raise
    return found  # type: ignore[no-any-return]  # a list of dicts


async def _consumers(client: Redis, key: str, group: str) -> list[Consumer] | None:
    """None where there is no such group."""
    try:
        found = await ask(client, "XINFO CONSUMERS", key, group)
    except StoreError as error:
        if error.kind == "no_group":
            return None
        raise
    return [Consumer(one["name"].decode(), one["idle"] / 1000, one["pending"]) for one in found]


def merged(consumers: Sequence[Consumer]) -> tuple[Consumer, ...]:
    """One of each name, whoever was heard of last first: a worker reads several streams under one name."""
    found: dict[str, Consumer] = {}
    for one in consumers:
        other = found.get(one.name)
        found[one.name] = (
            Consumer(one.name, min(one.idle, other.idle), one.pending + other.pending) if other is not None else one
        )
    return tuple(sorted(found.values(), key=lambda one: one.idle))


class Group(Struct, frozen=True):
    """One consumer group of a stream."""

    name: str
    consumers: int
    pending: int
    lag: int | None
    """None: Redis does not know it, which is so after a deletion."""


async def groups(client: Redis, keys: Keys) -> tuple[Group, ...]:
    """The groups of a stream; none where there is no stream. Raises StoreError."""
    try:
        found = await ask(client, "XINFO GROUPS", keys.stream)
    except StoreError as error:
        if error.kind == "no_group":
            return ()
        raise
    return tuple(Group(one["name"].decode(), one["consumers"], one["pending"], one.get("lag")) for one in found)
