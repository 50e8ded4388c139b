"""Whoever tries to reach a server that is not there reads the same words, whatever event loop tried."""

import asyncio
import socket
from pathlib import Path

import pytest
import uvloop
from redis.exceptions import ConnectionError as LostError

from streamhooks.connecting.address import read
from streamhooks.connecting.blocking import connection
from streamhooks.connecting.unreached import unreached
from streamhooks.errors import StoreError
from streamhooks.secret import Secret
from streamhooks.settings import Redis
from streamhooks.store.connection import ask, connect

REFUSED = "connection refused, nothing listens there"


@pytest.fixture
def shut() -> int:
    """A port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


async def _said(url: str) -> str:
    client = connect(Redis(url=Secret(url)))
    try:
        with pytest.raises(StoreError) as raised:
            await ask(client, "PING")
    finally:
        await client.aclose()
    assert raised.value.kind == "away"
    return raised.value.message


def _said_to_threads(url: str) -> str:
    with pytest.raises(LostError) as raised:
        connection(read(Secret(url)), Secret(""), None, timeout=1).connect()
    return str(raised.value)


def test_a_port_that_nobody_listens_at(shut: int) -> None:
    url = f"redis://127.0.0.1:{shut}/0"
    expected = f"127.0.0.1:{shut}: {REFUSED}"
    assert [asyncio.run(_said(url)), uvloop.run(_said(url)), _said_to_threads(url)] == [expected] * 3


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/r.sock"
    expected = f"{tmp_path}/r.sock: there is no such socket"
    assert [asyncio.run(_said(url)), uvloop.run(_said(url)), _said_to_threads(url)] == [expected] * 3


def test_a_name_that_is_none() -> None:
    said = asyncio.run(_said("redis://nobody.invalid:6379/0"))
    assert said.startswith("nobody.invalid:6379: its name cannot be looked up (")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), [Errno 111] Connect call"), REFUSED),
        (OSError("Multiple exceptions: [Errno 111] a, [Errno 101] b"), f"{REFUSED}; Network is unreachable"),
        (OSError("something\nelse"), "something"),
        (OSError(), "OSError"),
    ],
)
def test_what_was_heard_of_each_address_of_a_name_is_told_once(error: OSError, said: str) -> None:
    assert unreached(error) == said
