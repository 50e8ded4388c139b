"""What waits in Redis: measured for metrics, for `status` and for readiness."""

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.account import Account
from streamhooks.store.clock import now
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked
from streamhooks.store.pauses import HELD
from streamhooks.store.stream import Stream


class Backlog(Struct, frozen=True):
    """One partition's figures."""

    lag: int
    """Entries that the group has not been handed yet."""
    pending: int
    oldest_pending: float
    """Seconds since the oldest pending entry was added; 0: nothing is pending."""
    parked: int
    due: int
    """Parked records whose time has come."""
    held: int
    """Parked records whose handler is paused."""
    dead: int
    account: dict[str, int]

    @property
    def total(self) -> int:
        """What is to be done now."""
        return self.lag + self.pending + self.due


async def measure(client: Redis, keys: Keys, entries: Stream, retries: Stream) -> Backlog:
    """Asks Redis for one partition's figures. Raises StoreError; a stream that is not there yet counts as empty."""
    parked = Parked(client, keys)
    pending, oldest = await _pending(client, keys, entries)
    retried, oldest_retry = await _pending(client, keys, retries)
    return Backlog(
        lag=await _waiting(entries) + await _waiting(retries),
        pending=pending + retried,
        oldest_pending=max(oldest, oldest_retry),
        parked=await parked.count(),
        due=await parked.due(),
        held=int(await ask(client, "ZCOUNT", keys.parked, HELD, "+inf")),
        dead=int(await ask(client, "XLEN", keys.dead)),
        account=await Account(client, keys).totals(),
    )


async def _waiting(stream: Stream) -> int:
    try:
        return await stream.waiting()
    except StoreError as error:
        if error.kind == "no_group":
            return 0
        raise


async def _pending(client: Redis, keys: Keys, stream: Stream) -> tuple[int, float]:
    try:
        summary = await ask(client, "XPENDING", stream.key, stream.group)
    except StoreError as error:
        if error.kind == "no_group":
            return 0, 0.0
        raise
    if not summary["pending"]:
        return 0, 0.0
    added = int(summary["min"].partition(b"-")[0])
    return int(summary["pending"]), max(0.0, (await now(client, keys) - added) / 1000)
