"""Telling of our own troubles by our own means, see own_events.py: decided here, added to the first partition.

Most are told to nobody: it costs a look into a dictionary then. A failure to tell is in the log and nowhere else.
"""

import time
from collections.abc import Callable, Coroutine

import structlog
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.delivery.masking import without_credentials
from streamhooks.errors import StoreError
from streamhooks.model import Event
from streamhooks.own_events import Kind, is_own
from streamhooks.store.keys import Keys
from streamhooks.store.own_events import tell

log = structlog.get_logger("streamhooks")
AGAIN_AFTER = 60.0
"""Seconds: at most one a minute of a kind and handler, over all workers."""
WHY_CHARACTERS = 300

Wanted = Callable[[Event], bool]
"""Whether any handler would be fired."""
Spawn = Callable[[Coroutine[None, None, None]], object]


class Telling:
    """What one worker tells."""

    def __init__(self, client: Redis, keys: Keys, *, wanted: Wanted, spawn: Spawn) -> None:
        self._client = client
        self._keys = keys
        self._wanted = wanted
        self._spawn = spawn
        self._told: dict[tuple[Kind, str], float] = {}

    def tell(
        self, kind: Kind, handler: str = "", why: str = "", *, about: Event | None = None, **more: str | int
    ) -> None:
        """Tells of a handler, or of the whole; `about`: the event that it happened to. Returns at once."""
        if about is not None and is_own(about.type):
            return
        now = time.monotonic()
        if now - self._told.get((kind, handler), -AGAIN_AFTER) < AGAIN_AFTER:
            return
        meta: dict[str, str | int] = {"Message": _message(kind, handler), "Handler": handler, **more}
        if about is not None:
            meta |= {"Event": about.id, "Type": about.type, "APIID": about.api_id}
        if why:
            meta["Reason"] = _masked(why, about)
        if not self._wanted(Event(id="0-0", type=kind, meta=meta, timestamp="", api_id=str(meta.get("APIID", "")))):
            return
        self._told[kind, handler] = now
        self._spawn(self._add(kind, handler, meta))

    async def _add(self, kind: Kind, handler: str, meta: dict[str, str | int]) -> None:
        fields = wire.encode(kind, meta, source="streamhooks")
        try:
            await tell(self._client, self._keys, kind, handler, fields, AGAIN_AFTER)
        except StoreError as error:
            log.warning("own_event_not_told", kind=kind, handler=handler, error=error.message)


def _message(kind: Kind, handler: str) -> str:
    """`dead letter of security-slack`."""
    subject = f" of {handler}" if handler else ""
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in kind.removeprefix("Streamhooks")).strip()
    return f"{words}{subject}"


def _masked(why: str, about: Event | None) -> str:
    return (without_credentials(why, about) if about is not None else why)[:WHY_CHARACTERS]
