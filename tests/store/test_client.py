"""What store/client.py stands on in redis-py, and what it must not change of it."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import redis as package
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection

from streamhooks.errors import StoreError
from streamhooks.store.connection import ask
from tests.store.test_connection import connected
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("what", "names"),
    [
        (ConnectionPool.get_available_connection, ("self",)),
        (ConnectionPool.ensure_connection, ("connection",)),
        (BlockingConnectionPool.release, ("connection",)),
        (AbstractConnection.send_command, ("args",)),
        (AbstractConnection.send_packed_command, ("command", "check_health")),
        (AbstractConnection.read_response, ("timeout",)),
        (Redis.execute_command, ("args", "options")),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_this_release_of_redis_py_has_what_the_client_stands_on(
    what: Callable[..., Any], names: tuple[str, ...]
) -> None:
    missing = set(names) - set(inspect.signature(what).parameters)
    said = f"redis-py {package.__version__} changed {what.__qualname__} (no {missing})"
    assert not missing, f"{said}: look at streamhooks/store/client.py"


async def test_commands_at_once_share_the_connections_that_there_may_be(redis_url: str) -> None:
    async with connected(redis_url, connections=2) as client:
        answers = await asyncio.gather(*(ask(client, "ECHO", str(number)) for number in range(50)))
        assert answers == [str(number).encode() for number in range(50)]
        pool = client.connection_pool
        assert len(pool._available_connections) == 2
        assert not pool._in_use_connections


async def test_an_error_of_the_server_keeps_the_connection_and_a_cancelled_command_does_not_spoil_the_next(
    redis_url: str,
) -> None:
    async with connected(redis_url, wait=5.0, connections=1) as client:
        await ask(client, "SET", "text", "a", "PX", 1000)
        with pytest.raises(StoreError, match="WRONGTYPE"):
            await ask(client, "LPUSH", "text", "b")
        before = await ask(client, "CLIENT", "ID")
        assert await ask(client, "CLIENT", "ID") == before
        waiting = asyncio.create_task(ask(client, "BLPOP", "none", 3))
        await eventually(lambda: client.connection_pool._in_use_connections)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await ask(client, "ECHO", "next") == b"next"
