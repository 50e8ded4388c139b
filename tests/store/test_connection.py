"""What the errors of Redis mean to us: real servers say them."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from redis.asyncio import Redis

from streamhooks.embedded import EmbeddedServer
from streamhooks.errors import StoreError
from streamhooks.secret import Secret
from streamhooks.settings import Redis as Settings
from streamhooks.store.connection import COMMAND_TIMEOUT, ask, check_version, connect
from streamhooks.store.keys import Keys
from tests.faults.engines import engines
from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.store.given import Worker, add, claim, everything, owner_of, settlement
from tests.waiting import eventually


@asynccontextmanager
async def connected(url: str, *, password: str = "", wait: float = 0.0, connections: int = 8) -> AsyncIterator[Redis]:
    client = connect(Settings(url=Secret(url), password=Secret(password)), wait=wait, connections=connections)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def server_of_its_own(folder: Path) -> AsyncIterator[tuple[EmbeddedServer, Redis]]:
    async with EmbeddedServer(folder, persist=False) as server, connected(server.url) as client:
        yield server, client


async def kind_of(client: Redis, *words: str) -> str:
    with pytest.raises(StoreError) as caught:
        await ask(client, *words)
    return caught.value.kind


async def test_a_client_connects_when_it_is_first_used(redis_url: str) -> None:
    async with connected(redis_url) as client:
        assert await ask(client, "PING") is True


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nobody/listens/here"])
async def test_a_server_that_nobody_listens_for_is_away(url: str) -> None:
    async with connected(url) as client:
        assert await kind_of(client, "PING") == "away"


def test_a_connection_that_was_reset_while_nobody_used_it_is_away_also_for_uvloop(tmp_path: Path) -> None:
    async def reset() -> str:
        async with (
            Server(engines()["valkey"], tmp_path) as server,
            Proxy(server.port) as proxy,
            connected(proxy.url, connections=1) as client,
        ):
            await ask(client, "PING")
            (idle,) = client.connection_pool._available_connections
            assert idle._writer is not None
            transport = idle._writer.transport
            proxy.reset()
            await eventually(lambda: "closed=True" in repr(transport))
            return await kind_of(client, "PING")

    assert uvloop.run(reset()) == "away"


async def test_a_server_that_dies_is_away_and_its_message_is_one_line(tmp_path: Path) -> None:
    async with server_of_its_own(tmp_path) as (server, client):
        await ask(client, "PING")
        os.kill(server.pid, signal.SIGKILL)

        async def gone() -> StoreError | None:
            try:
                await ask(client, "PING")
            except StoreError as error:
                return error
            return None

        error = await eventually(gone, saying="the server is gone")
        assert error is not None
        assert (error.kind, "\n" in error.message) == ("away", False)


async def test_a_server_that_hangs_is_away_after_the_time_for_a_command(tmp_path: Path) -> None:
    async with server_of_its_own(tmp_path) as (server, client):
        await ask(client, "PING")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            begun = asyncio.get_running_loop().time()
            assert await kind_of(client, "PING") == "away"
            assert COMMAND_TIMEOUT <= asyncio.get_running_loop().time() - begun < COMMAND_TIMEOUT + 2
        finally:
            os.kill(server.pid, signal.SIGCONT)


async def test_a_reader_may_wait_longer_than_a_command_takes(redis: Redis, keys: Keys, redis_url: str) -> None:
    """Its own time-out is that of a command and the wait: here the server takes longer than the wait to answer."""
    async with connected(redis_url, wait=1.0) as reader:
        assert reader.connection_pool.connection_kwargs["socket_timeout"] == COMMAND_TIMEOUT + 1.0
        assert not await ask(reader, "BLPOP", "{nothing}:here", 0.2)


async def test_a_command_is_never_repeated_by_itself(tmp_path: Path) -> None:
    """The reply to the first is lost: a second XADD would add the event twice."""
    async with server_of_its_own(tmp_path) as (server, client), Redis.from_url(server.url, protocol=2) as other:
        me = await ask(client, "CLIENT ID")
        await other.client_pause(2_000, all=False)
        adding = asyncio.create_task(kind_of(client, "XADD", "s", "*", "d", "{}"))

        async def blocked() -> bool:
            return int((await other.info("clients"))["blocked_clients"]) == 1

        await eventually(blocked, saying="the XADD has arrived")
        await other.client_kill_filter(_id=str(me))
        assert await adding == "away"
        await other.client_unpause()
        assert await other.xlen("s") == 0


async def test_when_all_connections_are_in_use_a_command_waits_for_one(redis: Redis, redis_url: str) -> None:
    async with connected(redis_url, connections=1) as client:
        answers = await asyncio.gather(*(ask(client, "PING") for _ in range(50)))
        assert answers == [True] * 50


async def test_a_stream_or_a_group_that_is_gone_is_no_group(redis: Redis) -> None:
    read = ("XREADGROUP", "GROUP", "g", "me", "STREAMS", "s", ">")
    assert await kind_of(redis, *read) == "no_group"
    assert await kind_of(redis, "XINFO GROUPS", "s") == "no_group"
    await redis.xadd("s", {"d": "{}"})
    assert await kind_of(redis, *read) == "no_group"
    assert await kind_of(redis, "XPENDING", "s", "g") == "no_group"
    await redis.delete("s")


@pytest.mark.parametrize("words", [("DEL", "s"), ("FLUSHALL",), ("XGROUP DESTROY", "s", "g")], ids=" ".join)
async def test_a_reader_that_waits_learns_that_the_group_has_gone(redis: Redis, words: tuple[str, ...]) -> None:
    await redis.xgroup_create("s", "g", "0", mkstream=True)
    reading = asyncio.create_task(
        kind_of(redis, "XREADGROUP", "GROUP", "g", "me", "BLOCK", "20000", "STREAMS", "s", ">")
    )

    async def waits() -> bool:
        return int((await redis.info("clients"))["blocked_clients"]) == 1

    await eventually(waits, saying="the reader waits")
    await ask(redis, *words)
    assert await reading == "no_group"


async def test_a_script_that_the_server_does_not_know_is_no_script(redis: Redis) -> None:
    assert await kind_of(redis, "EVALSHA", "0" * 40, "0") == "no_script"


async def test_what_is_nothing_of_these_is_a_bug(redis: Redis) -> None:
    assert await kind_of(redis, "XADD", "s") == "redis"
    assert await kind_of(redis, "NONSENSE") == "redis"
    await redis.set("s", "no stream", ex=60)
    assert await kind_of(redis, "XLEN", "s") == "redis"


async def test_what_its_user_may_not_do_is_forbidden(redis: Redis) -> None:
    await redis.acl_setuser(
        "reader", enabled=True, nopass=True, commands=["+get", "+auth", "+hello", "+client"], keys=["*"]
    )
    try:
        async with redis.client() as restricted:
            await ask(restricted, "AUTH", "reader", "x")
            assert await kind_of(restricted, "XLEN", "s") == "forbidden"
            await ask(restricted, "AUTH", "default", "x")
    finally:
        await redis.acl_deluser("reader")


async def test_a_server_that_takes_no_writes_is_refusing_and_nothing_is_acknowledged(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    await one.claims.claim([claim(owner_of(id))])
    before = await everything(redis)
    await redis.config_set("maxmemory", 1)
    try:
        assert await kind_of(redis, "XADD", "s", "*", "d", "{}") == "refusing"
        for end in (settlement("delivered", id), settlement("retry", id), settlement("dead", id)):
            with pytest.raises(StoreError) as caught:
                await one.settle(end)
            assert caught.value.kind == "refusing"
        with pytest.raises(StoreError) as caught:
            await one.claims.claim([claim("5-1|slack", fingerprint="f" * 32)])
        assert caught.value.kind == "refusing"
        assert await everything(redis) == before
    finally:
        await redis.config_set("maxmemory", 0)
    assert await one.settle(settlement("delivered", id)) == "acked"


async def test_a_replica_is_refusing(tmp_path: Path) -> None:
    async with server_of_its_own(tmp_path) as (_, client):
        await ask(client, "REPLICAOF", "127.0.0.1", "1")
        assert await kind_of(client, "SET", "k", "v") == "refusing"
        await ask(client, "CONFIG SET", "replica-serve-stale-data", "no")
        assert await kind_of(client, "GET", "k") == "refusing"


async def test_too_few_replicas_are_refusing(tmp_path: Path) -> None:
    async with server_of_its_own(tmp_path) as (_, client):
        await ask(client, "CONFIG SET", "min-replicas-to-write", "1")
        assert await kind_of(client, "SET", "k", "v") == "refusing"


async def test_a_server_that_is_busy_with_a_script_is_refusing(tmp_path: Path) -> None:
    async with server_of_its_own(tmp_path) as (server, client), connected(server.url, wait=60.0) as other:
        await ask(client, "CONFIG SET", "busy-reply-threshold", "1")
        spinning = asyncio.create_task(kind_of(other, "EVAL", "while true do end", "0"))

        async def busy() -> str:
            try:
                await ask(client, "GET", "k")
            except StoreError as error:
                return error.kind
            return ""

        assert await eventually(busy, saying="the script has run for a millisecond") == "refusing"
        await ask(client, "SCRIPT KILL")
        assert await spinning == "redis"


async def test_a_password_of_its_own_wins_over_that_in_the_url(tmp_path: Path) -> None:
    async with server_of_its_own(tmp_path) as (server, client):
        await ask(client, "CONFIG SET", "requirepass", "right")
        url = server.url.replace("unix://", "unix://:wrong@")
        async with connected(url, password="right") as allowed:
            assert await ask(allowed, "PING") is True


@pytest.mark.parametrize("password", ["wrong", ""])
@pytest.mark.parametrize("form", ["tcp", "unix"])
async def test_whoever_gives_no_right_password_is_denied(tmp_path: Path, form: str, password: str) -> None:
    """redis-py calls the one a lost connection and wraps the other in one."""
    async with Server(engines()["valkey"], tmp_path, unixsocket=str(tmp_path / "socket")) as server:
        await server.ask("CONFIG", "SET", "requirepass", "right")
        url = server.url if form == "tcp" else f"unix://{tmp_path / 'socket'}"
        async with connected(url, password=password) as client:
            with pytest.raises(StoreError) as caught:
                await ask(client, "PING")
    assert caught.value.kind == "denied"
    why = "invalid username-password pair or user is disabled." if password else "Authentication required."
    assert caught.value.message == f"wrong user or password ({why})"


async def test_the_version_is_told_with_the_name_of_the_server(redis: Redis) -> None:
    info = await ask(redis, "INFO", "server")
    name, _, version = (await check_version(redis)).partition(" ")
    assert name == ("Valkey" if "valkey_version" in info else "Redis")
    assert version == str(info.get("valkey_version") or info["redis_version"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


async def test_what_our_answers_depend_on_cannot_be_changed_by_the_url(redis_url: str) -> None:
    async with connected(f"{redis_url}?protocol=3&decode_responses=true&socket_timeout=0.1") as client:
        await ask(client, "XADD", "s", "1-1", "d", "{}")
        assert await ask(client, "XRANGE", "s", "-", "+") == [(b"1-1", {b"d": b"{}"})]
        assert not await ask(client, "BLPOP", "{nothing}:here", 0.3)
        await ask(client, "DEL", "s")
