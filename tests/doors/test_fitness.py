"""Servers that would lose events or run none of our scripts: `check --redis` says so, and no worker begins on them."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from tests.doors.command import command
from tests.faults.engines import engines
from tests.faults.server import Server
from tests.flow.rig import Records, Rig
from tests.servers import Endpoint


async def refused(rig: Rig) -> str:
    """What a worker says that does not begin."""
    with pytest.raises(StoreError) as raised:
        async with rig.working(rig.handler()):
            pass
    assert raised.value.kind == "lacking"
    return raised.value.message


DROPPING = {
    "allkeys-lru": "a full Redis throws away events",
    "volatile-ttl": "a full Redis throws away cool-downs and claims, and then events are delivered twice",
}


@pytest.mark.parametrize(("policy", "what"), DROPPING.items(), ids=DROPPING)
async def test_a_server_that_throws_keys_away_is_refused(
    redis: Redis, redis_url: str, tmp_path: Path, endpoint: Endpoint, policy: str, what: str
) -> None:
    rig = Rig(redis, redis_url, tmp_path, endpoint, Records())
    words = ["check", "--redis", "--config", rig.written(rig.handler())]
    said = f"maxmemory-policy is {policy}: {what}; set it to noeviction"
    await redis.config_set("maxmemory-policy", policy)
    await redis.config_set("maxmemory", 1 << 30)
    try:
        ran = await command(*words)
        assert (ran.code, ran.err.splitlines()[-1]) == (1, f"redis: {said}")
        assert await refused(rig) == said
        await redis.config_set("maxmemory", 0)
        unlimited = await command(*words)
        assert unlimited.code == 0
        assert f"redis: maxmemory-policy is {policy}; set it to noeviction before maxmemory sets" in unlimited.err
        async with rig.working(rig.handler()):
            pass
    finally:
        await redis.config_set("maxmemory", 0)
        await redis.config_set("maxmemory-policy", "noeviction")


async def test_a_server_without_scripts_is_refused(tmp_path: Path, endpoint: Endpoint) -> None:
    """As some managed clusters are: EVAL is a word that they do not know."""
    options = {"rename_command": "EVAL "}
    async with Server(engines()["valkey"], tmp_path / "server", aof=False, **options) as bare, bare.client() as redis:
        rig = Rig(redis, bare.url, tmp_path, endpoint, Records())
        ran = await command("check", "--redis", "--config", rig.written(rig.handler()))
        version = (await redis.info("server"))["valkey_version"]
        said = await refused(rig)
    assert said.startswith(f"Valkey {version} runs no scripts (unknown command 'EVAL'")
    assert said.endswith("; streamhooks settles every delivery by one (EVAL)")
    assert (ran.code, ran.err) == (1, f"{said}\n")
