"""Connections to Redis, and what their errors mean to us.

Two kinds of client. The one for commands gives up at once and never repeats a command by itself: redis-py's own
retry is unsafe for XREADGROUP (the first reply's entries stay in our pending list, unseen) and for XADD (it adds
twice). The one for reading waits in XREADGROUP, so its time-out is longer than the wait.

Every error of redis-py becomes a StoreError here and nowhere else; its kinds are those of connecting/troubles.py, and
these of our own:

    too_old    a server below the minimum
    lacking    a server that cannot do, or would not keep, what is needed; see fitness.py
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from redis.asyncio import Redis

from streamhooks.connecting.address import Address, Node, fault_of, read
from streamhooks.connecting.aio import ways
from streamhooks.connecting.tls import Tls, TlsError, TlsFiles, tls_of
from streamhooks.connecting.troubles import FAULTS, trouble_of
from streamhooks.errors import ConfigError, Fault, StoreError
from streamhooks.settings import Redis as RedisSettings
from streamhooks.store.client import Client, Pool
from streamhooks.store.cluster import Cluster, Topology

Word: TypeAlias = str | bytes | int | float
"""One word of a command."""
COMMAND_TIMEOUT = 5.0
"""Seconds. Longer than any script of ours by three orders of magnitude, shorter than a lease."""
MINIMUM = (7, 0)
"""Redis 7.0: `lag` in XINFO GROUPS, deleted ids in XAUTOCLAIM. Valkey 7.2 and later report a redis_version of 7.2."""
_WHY = {"denied": "wrong user or password", "forbidden": "no permission"}
"""Said before Redis' own words."""
TAKEN = "the key is there already and is somebody else's, so choose another stream.key"
"""What a WRONGTYPE means to whoever set the program up."""


def connect(redis: RedisSettings, *, wait: float = 0.0, connections: int = 8, beside: Redis | None = None) -> Redis:
    """A client that connects when first used: the one place that opens one, whatever `redis` says.

    `wait`: the longest time in seconds that a command may block. `connections`: at most so many, to each node of a
    cluster. `beside`: another client of the same settings and event loop; what that one learns of a failover, this one
    knows too. Raises ConfigError for a URL that is no address, and for TLS files that cannot be used.
    """
    address = _address(redis)
    tls = _tls(address, redis)

    def opened(server: Address) -> Redis:
        known = beside.connection_pool.connection_kwargs if beside is not None and server is address else {}
        kind, given = ways(server, redis.password, tls, timeout=COMMAND_TIMEOUT + wait, beside=known)
        return Client.from_pool(
            Pool(connection_class=kind, max_connections=connections, timeout=COMMAND_TIMEOUT, **given)
        )

    if address.form != "cluster":
        return opened(address)

    def at(node: Node) -> Redis:
        return opened(address.at(node))

    return Cluster(beside.topology if isinstance(beside, Cluster) else Topology(address.nodes, at), at)


def _address(redis: RedisSettings) -> Address:
    said = fault_of(redis.url)
    if said:
        raise ConfigError([Fault("configuration", "redis.url", said)])
    return read(redis.url)


def _tls(address: Address, redis: RedisSettings) -> Tls | None:
    files = TlsFiles(redis.tls.ca_file, redis.tls.cert_file, redis.tls.key_file)
    try:
        return tls_of(address, files, "redis.tls.")
    except TlsError as error:
        raise ConfigError([Fault("configuration", f"redis.tls.{error.name}", error.said)]) from None


@contextmanager
def translated() -> Iterator[None]:
    """Turns redis-py's errors into StoreError."""
    try:
        yield
    except FAULTS as error:
        kind, said = trouble_of(error)
        if said.startswith("WRONGTYPE"):
            said = f"{said}: {TAKEN}"
        raise StoreError(kind, f"{_WHY[kind]} ({said})" if kind in _WHY else said) from error


async def ask(client: Redis, *words: Word) -> Any:
    """One command and its answer, as redis-py shapes it. Raises StoreError.

    The one place where redis-py's own methods are left aside: their return types are unions over every protocol and
    decoding, which we have fixed once, in `connect`.
    """
    with translated():
        return await client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped


async def servers(client: Redis) -> list[Redis]:
    """The servers behind a client: itself, or each node of a cluster that has slots. Raises StoreError."""
    if not isinstance(client, Cluster):
        return [client]
    with translated():
        return await client.servers()


async def check_version(client: Redis) -> str:
    """The server's name and version. Raises StoreError (`too_old`) below the minimum."""
    info = await ask(client, "INFO", "server")
    version = str(info.get("valkey_version") or info.get("redis_version") or "0")
    name = "Valkey" if "valkey_version" in info else "Redis"
    told = str(info.get("redis_version") or "0")
    if tuple(int(part) for part in told.split(".")[:2]) < MINIMUM:
        raise StoreError("too_old", f"{name} {version} is too old; streamhooks needs Redis 7.0 or Valkey 7.2, or newer")
    return f"{name} {version}"
