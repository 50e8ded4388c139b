"""Whether Redis still keeps what it is given: somebody may set an eviction policy while workers run.

At the start a server that drops keys is refused. One that begins to do so later is told of and not left: what is
delivered meanwhile is delivered, and to stop would help nobody.
"""

import structlog
from redis.asyncio import Redis

from streamhooks.store.fitness import server

log = structlog.get_logger("streamhooks")
LOOK_EVERY = 60.0
"""Seconds. It takes four questions to each server."""


class Keeping:
    """What was told of it; the beginning and the end are told once each."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._told = ""

    async def look(self) -> None:
        """Raises StoreError: also where another server answers now that is too old, or runs no scripts."""
        drops = (await server(self._client)).drops
        if drops == self._told:
            return
        if drops:
            log.error("redis_drops_keys", error=drops, effect="goes on")
        else:
            log.warning("redis_keeps_keys", before=self._told)
        self._told = drops
