"""Taking pending entries away from a worker that is known to be dead, before its lease has run out.

They are given to a name that no worker has, with an idle time beyond every lease, so that the next sweep of any worker
takes them over as it takes everything else: nothing is delivered here, and no second way in exists.
"""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.connection import translated

NOBODY = "released"
"""Never a worker's name: theirs end in a process id and random hex."""
BEYOND_EVERY_LEASE = 1_000_000_000
"""Milliseconds, as in lua/hand_back.lua."""


async def release(client: Redis, key: str, group: str, ids: Sequence[str], *, idle: float = 0.0) -> list[str]:
    """Releases pending entries that have been idle for so many seconds; gives the ids that were.

    A worker that is alive after all finds out at its next heartbeat, and does not send what it has not sent yet. The
    count of deliveries stays, JUSTID sees to that. Raises StoreError.
    """
    try:
        with translated():
            taken: Any = await client.xclaim(
                key, group, NOBODY, int(idle * 1000), list(ids), idle=BEYOND_EVERY_LEASE, justid=True
            )
    except StoreError as error:
        if error.kind == "no_group":
            return []
        raise
    return [id.decode() for id in taken]
