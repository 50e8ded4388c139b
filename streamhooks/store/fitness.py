"""Whether a server can be trusted with events: asked when a worker starts, and by `check --redis`. Changes nothing.

A server that is too old, runs no scripts, or drops keys when its memory is full would lose events or deliver them over
and over, quietly. So a worker does not begin on one, and says which it is.
"""

from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.connection import ask, check_version, servers

KEEPS = "noeviction"
"""The one `maxmemory-policy` that drops nothing."""


class Server(Struct, frozen=True):
    """What matters to us of a server's own configuration."""

    version: str
    eviction: str
    """`maxmemory-policy`; empty where the server does not tell it."""
    limited: bool
    """Whether `maxmemory` sets a limit: without one nothing is dropped."""
    append_only: bool
    """Whether it writes every change to a file."""

    @property
    def drops(self) -> str:
        """What it throws away when its memory is full, as a sentence; empty: nothing."""
        if not self.limited or self.eviction in (KEEPS, ""):
            return ""
        what = "cool-downs and claims, and then events are delivered twice"
        if self.eviction.startswith("allkeys"):
            what = "events"
        return f"maxmemory-policy is {self.eviction}: a full Redis throws away {what}; set it to {KEEPS}"


async def admitted(client: Redis) -> str:
    """The server's name and version. Raises StoreError, kinds `too_old` and `lacking` where it cannot be used."""
    found = await server(client)
    if found.drops:
        raise StoreError("lacking", found.drops)
    return found.version


async def server(client: Redis) -> Server:
    """Of a cluster's nodes the least fit, as far as they differ. Raises StoreError: also `too_old`, and `lacking` where
    one runs no scripts.
    """
    found = [await _server(one) for one in await servers(client)]
    worst = max(found, key=lambda one: (bool(one.drops), one.eviction not in (KEEPS, "")))
    return replace(worst, append_only=all(one.append_only for one in found))


async def _server(client: Redis) -> Server:
    version = await check_version(client)
    await _runs_scripts(client, version)
    # INFO and not CONFIG GET, which managed servers do not have and the ACL of docs/redis.md does not allow.
    memory = await ask(client, "INFO", "memory")
    persistence = await ask(client, "INFO", "persistence")
    return Server(
        version=version,
        eviction=str(memory.get("maxmemory_policy", "")),
        limited=str(memory.get("maxmemory", "0")) != "0",
        append_only=str(persistence.get("aof_enabled")) == "1",
    )


async def _runs_scripts(client: Redis, version: str) -> None:
    try:
        await ask(client, "EVAL", "return 1", 0)
    except StoreError as error:
        if error.kind != "redis":
            raise
        said = f"{version} runs no scripts ({error.message}); streamhooks settles every delivery by one (EVAL)"
        raise StoreError("lacking", said) from error
