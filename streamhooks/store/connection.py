"""Connections to Redis, and what their errors mean to us.

Two kinds of client. The one for commands gives up at once and never repeats a command by itself: redis-py's own
retry is unsafe for XREADGROUP (the first reply's entries stay in our pending list, unseen) and for XADD (it adds
twice). The one for reading waits in XREADGROUP, so its time-out is longer than the wait.

Every error of redis-py becomes a StoreError with one of these kinds, here and nowhere else:

    away       no answer: connection refused or lost, time-out, still loading
    refusing   it answers but takes no writes: out of memory, MISCONF, READONLY, a script that runs too long
    no_group   the stream or its consumer group is gone (FLUSHALL, DEL, a fail-over)
    no_script  the server does not know a script's SHA-1
    redis      anything else; a bug or a permission that is missing
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from hiredis import pack_command
from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.typing import EncodableT

from streamhooks.errors import ConfigError, Fault, StoreError
from streamhooks.secret import Secret, shown_url
from streamhooks.slots import Address, is_cluster, node_url, nodes_of
from streamhooks.store.cluster import Cluster, Topology

Word: TypeAlias = str | bytes | int | float
"""One word of a command."""
COMMAND_TIMEOUT = 5.0
"""Seconds. Longer than any script of ours by three orders of magnitude, shorter than a lease."""
MINIMUM = (7, 0)
"""Redis 7.0: `lag` in XINFO GROUPS, deleted ids in XAUTOCLAIM. Valkey 7.2 and later report a redis_version of 7.2."""
_NONE = Secret("")
_REFUSING = ("OOM", "MISCONF", "READONLY", "NOREPLICAS", "BUSY ", "MASTERDOWN")


def connect(
    url: Secret, *, password: Secret = _NONE, wait: float = 0.0, connections: int = 8, beside: Redis | None = None
) -> Redis:
    """A client that connects when first used. `wait`: the longest time in seconds that a command may block.

    `password` wins over one in the url. `beside`: another client of the same server; of a cluster, it shares what that
    one knows. Raises ConfigError for a url that is no address.
    """
    if not is_cluster(url.reveal()):
        return _connect(url, password, wait, connections)

    def opener(node: Address) -> Redis:
        return _connect(Secret(node_url(url.reveal(), node)), password, wait, connections)

    if isinstance(beside, Cluster):
        return Cluster(beside.topology, opener)
    try:
        seeds = nodes_of(url.reveal())
        opener(seeds[0])  # says what is wrong with the rest of the URL
    except ValueError:
        raise _no_address(url) from None
    return Cluster(Topology(seeds, opener), opener)


def _connect(url: Secret, password: Secret, wait: float, connections: int) -> Redis:
    ours: dict[str, Any] = {
        "protocol": 2,
        "decode_responses": False,
        "socket_timeout": COMMAND_TIMEOUT + wait,
        "socket_connect_timeout": COMMAND_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
    }
    if password:
        ours["password"] = password.reveal()
    try:
        pool = BlockingConnectionPool.from_url(
            url.reveal(), max_connections=connections, timeout=COMMAND_TIMEOUT, **ours
        )
    except ValueError:  # its text may repeat a part of the URL
        raise _no_address(url) from None
    # In from_url the url's own words win, `?protocol=3` and the password too.
    pool.connection_kwargs.update(ours)
    pool.connection_class = _PACKED[pool.connection_class]
    return Redis.from_pool(pool)


def _no_address(url: Secret) -> ConfigError:
    said = f"{shown_url(url)} is no address that can be connected to; write redis://HOST:PORT/DB or unix:///PATH"
    return ConfigError([Fault("configuration", "redis.url", said)])


class _Packed:
    """Writes commands by hiredis, as redis-py does where it has no event loop; its own way costs as much as a delivery
    does otherwise.
    """

    def pack_command(self, *args: EncodableT) -> list[bytes]:
        name = args[0]
        if isinstance(name, str) and " " in name:  # CONFIG GET, as redis-py lets it be written
            args = (*name.split(), *args[1:])
        return [pack_command(args)]  # type: ignore[arg-type]  # its stub knows tuples of one word


class _Plain(_Packed, Connection):
    pass


class _Unix(_Packed, UnixDomainSocketConnection):
    pass


class _Secure(_Packed, SSLConnection):
    pass


_PACKED: dict[type, type] = {Connection: _Plain, UnixDomainSocketConnection: _Unix, SSLConnection: _Secure}


@contextmanager
def translated() -> Iterator[None]:
    """Turns redis-py's errors into StoreError."""
    try:
        yield
    except (exceptions.ReadOnlyError, exceptions.OutOfMemoryError) as error:
        raise StoreError("refusing", str(error)) from error
    except (exceptions.ClusterDownError, exceptions.TryAgainError) as error:
        raise StoreError("refusing", f"the cluster does not serve it now: {error}") from error
    except exceptions.MovedError as error:
        said = f"this server is a node of a cluster ({error}): write redis+cluster://HOST:PORT"
        raise StoreError("redis", said) from error
    except exceptions.NoScriptError as error:
        raise StoreError("no_script", str(error)) from error
    except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
        raise StoreError("away", _first_line(error)) from error
    except exceptions.ResponseError as error:
        raise StoreError(_kind(str(error)), str(error)) from error
    except OSError as error:
        raise StoreError("away", _first_line(error)) from error
    except RuntimeError as error:
        # What uvloop says to whoever writes to a connection that was reset; redis-py lets it through.
        if "the handler is closed" not in str(error):
            raise
        raise StoreError("away", "the connection was reset") from error


def _kind(message: str) -> str:
    if "NOGROUP" in message or "UNBLOCKED" in message or "no such key" in message:
        return "no_group"
    if any(word in message for word in _REFUSING):
        return "refusing"
    if "LOADING" in message:
        return "away"
    return "redis"


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0] or type(error).__name__


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
    """The name and version of the server, of a cluster the oldest one's. Raises StoreError (`too_old`) below the
    minimum.
    """
    return min([await _version(server) for server in await servers(client)])[1]


async def _version(client: Redis) -> tuple[tuple[int, ...], str]:
    info = await ask(client, "INFO", "server")
    version = str(info.get("valkey_version") or info.get("redis_version") or "0")
    name = "Valkey" if "valkey_version" in info else "Redis"
    told = tuple(int(part) for part in str(info.get("redis_version") or "0").split(".")[:2])
    if told < MINIMUM:
        raise StoreError("too_old", f"{name} {version} is too old; streamhooks needs Redis 7.0 or Valkey 7.2, or newer")
    return told, f"{name} {version}"
