"""Runs commands as a person would, and makes what they look at: entries that are pending, letters that are dead."""

import asyncio
import contextlib
import io
import json
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.cli import main
from streamhooks.model import Entry
from streamhooks.store.claims import Claim, Claims
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record
from streamhooks.store.settle import Ledger, Settlement
from streamhooks.store.stream import Stream

KEYS = Keys.of("gateway:events")
GROUP = "streamhooks"
FINGERPRINT = "0123456789abcdef0123456789abcdef"


class Ran(Struct, frozen=True):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def command(*argv: str) -> Ran:
    """Runs `streamhooks ARGV...` in this process, on a thread and a loop of its own."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = await asyncio.to_thread(main, argv)
    return Ran(code, out.getvalue(), err.getvalue())


async def added(redis: Redis, **fields: str) -> str:
    """The id of a new entry."""
    words = [word for pair in fields.items() for word in pair]
    id: bytes = await ask(redis, "XADD", KEYS.stream, "*", *words)
    return id.decode()


async def handed_out(redis: Redis, consumer: str = "worker-1", count: int = 100) -> list[Entry]:
    """Lets a consumer read what is new, and keep it."""
    stream = Stream(redis, redis, KEYS, KEYS.stream, GROUP, consumer)
    await stream.ensure_group("0")
    return await stream.read(count, 0.05)


async def buried(
    redis: Redis,
    meta: dict[str, Any] | None = None,
    *,
    type: str = "AuthFailure",
    handler: str = "security",
    reason: str = "exhausted",
    answer: bytes = b"try later",
    fingerprint: str = FINGERPRINT,
) -> str:
    """Brings one event to its end as a worker does, cool-down and all; the id of the dead letter."""
    fields = wire.encode(type, meta or {"Message": "no", "Key": "5d8e1c0fa2b7"})
    await ask(redis, "XADD", KEYS.stream, "*", "d", fields["d"])
    entry = (await handed_out(redis))[-1]
    owner = f"{entry.id}|{handler}"
    await Claims(redis, KEYS, 30.0).claim([Claim(handler, fingerprint, owner, 60.0)])
    event = wire.pack_event(wire.decode(entry, 100_000))
    record = Record(
        origin=entry.id, handler=handler, owner=owner, attempt=10, fingerprint=fingerprint, type=type, event=event,
        why="503 ten times", reason=reason, status=503, answer=answer,
    )  # fmt: skip
    settlement = Settlement(
        "dead", "stream", entry.id, handler=handler, fingerprint=fingerprint, owner=owner, window=60.0, record=record
    )
    return await _settled(redis, settlement)


async def buried_raw(redis: Redis) -> str:
    """The same of an entry that is no event."""
    await added(redis, d="not an event", key="5d8e1c0fa2b7")
    entry = (await handed_out(redis))[-1]
    raw, length, sha256 = wire.raw_excerpt(entry)
    record = Record(
        origin=entry.id, why="d: is no map", reason="undecodable", raw=raw, raw_length=length, raw_sha256=sha256
    )
    return await _settled(redis, Settlement("dead", "stream", entry.id, record=record))


async def _settled(redis: Redis, settlement: Settlement) -> str:
    ledger = Ledger(redis, KEYS, GROUP, "worker-1", lease=30.0, most_parked=1000, most_dead=1000)
    assert await ledger.settle([settlement]) == ["acked"]
    newest: Any = await redis.xrevrange(KEYS.dead, count=1)
    return str(newest[0][0].decode())
