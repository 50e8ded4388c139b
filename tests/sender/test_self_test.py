"""The guard is tried before anything is delivered, and a worker whose guard does not hold does not start."""

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import AddrInfoType, SocketFactoryType
from redis.asyncio import Redis

from streamhooks.app import application, serve
from streamhooks.delivery.targets import Policy
from streamhooks.files import Loaded, load_mapping
from streamhooks.handlers.handler import Route
from streamhooks.model import Failure
from streamhooks.sender import GuardError, Sender
from tests.sender.hostile import local_handler, request_to

HOLDS_NOT = (
    "the guard on destinations does not hold for http://127.0.0.1/, http://[::ffff:169.254.169.254]/, "
    "http://169.254.169.254/, http://[64:ff9b::a9fe:a9fe]/: install a release of aiohttp "
    f"that streamhooks was tested with (this is {aiohttp.__version__})"
)


def unguarded(_policy: Policy) -> SocketFactoryType:
    """As if aiohttp asked nobody. It reaches no other machine: to those it is refused, as by a network that is down."""

    def make(address: AddrInfoType) -> socket.socket:
        if not str(address[4][0]).startswith("127."):
            raise ConnectionRefusedError
        return socket.socket(address[0], address[1], address[2])

    return make


def careless() -> Sender:
    return Sender(guard=unguarded)


async def test_it_passes_where_the_guard_is_asked() -> None:
    async with Sender() as sender:
        await sender.self_test()
        # What the self-test opened is closed with the sender and blocks still.
        answer = await sender.send(request_to("http://127.0.0.1:1/"), local_handler(route=Route()))
    assert isinstance(answer, Failure)
    assert answer.kind == "blocked"


async def test_it_names_what_gets_through_where_the_guard_is_not_asked() -> None:
    async with careless() as sender:
        with pytest.raises(GuardError) as caught:
            await sender.self_test()
    assert caught.value.message == HOLDS_NOT


async def test_it_names_what_gets_through_a_route_that_is_open() -> None:
    async with Sender() as sender:
        with pytest.raises(GuardError) as caught:
            await sender.self_test(Route(allow_cidrs=("127.0.0.0/8",)))
    assert caught.value.message == (
        "the guard on destinations does not hold for http://127.0.0.1/, "
        "http://0x7f000001/, http://localhost/: install a release of aiohttp that streamhooks was tested with "
        f"(this is {aiohttp.__version__})"
    )


def loaded(redis_url: str) -> Loaded:
    handler = {"id": "h", "on": ["*"], "target_path": "https://hooks.example.com/"}
    data: dict[str, Any] = {"redis": {"url": redis_url}, "admin": {"listen": ""}, "handlers": [handler]}
    return load_mapping(data | {"log": {"format": "json"}}, Path(__file__).parent)


async def test_an_application_does_not_start_and_redis_is_not_asked(redis: Redis, redis_url: str) -> None:
    with pytest.raises(GuardError):
        async with application(loaded(redis_url), sender=careless):
            pass
    assert await redis.dbsize() == 0


async def test_serve_ends_with_2_and_says_why(redis: Redis, redis_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, redis_url, stderr=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    _, said = await process.communicate()
    records = [json.loads(line) for line in said.splitlines()]
    assert [(record["event"], record["error"]) for record in records] == [("guard_does_not_hold", HOLDS_NOT)]
    assert process.returncode == 2
    assert await redis.dbsize() == 0


if __name__ == "__main__":
    sys.exit(serve(loaded(sys.argv[1]), sender=careless))
