"""A worker in a pod: its name as a consumer, and what it does from SIGTERM to its end, as Kubernetes sees it."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from streamhooks.app import consumer_name
from tests.doors.command import GROUP, KEYS, added
from tests.servers import Answer, Endpoint
from tests.waiting import eventually

CONFIG = """
admin: {{listen: "127.0.0.1:0"}}
worker: {{lease: 600, drain_timeout: 20s}}
reload: false
handlers:
  - id: slow
    on: ["*"]
    target_path: {url}/hooks
    allow_cidrs: [127.0.0.1/32]
    concurrency: 1
"""


@asynccontextmanager
async def pod(name: str, config: Path, redis_url: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A worker in a process of its own, and its admin address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "serve", "--config", str(config), "--redis-url", redis_url,
        env=os.environ | {"POD_NAME": name}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        address = ""
        async with asyncio.timeout(20):
            while not address:
                line = (await process.stderr.readline()).decode()
                found = re.search(r'"address": ?"([^"]+)"', line)
                address = found[1] if found else ""
        yield process, address
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def status_of(address: str, path: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as answer:
        return answer.status


def test_a_consumer_is_named_for_its_pod_and_for_this_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that starts anew in the same pod has the same POD_NAME and the same process id."""
    monkeypatch.setenv("POD_NAME", "hooks-6d5f-abcde")
    names = {consumer_name() for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(rf"hooks-6d5f-abcde-{os.getpid()}-[0-9a-f]{{8}}", name) for name in names)


async def test_from_sigterm_to_its_end_a_pod_is_alive_and_not_ready_and_hands_back_what_it_has_not_sent(
    redis: Redis, redis_url: str, endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.script(Answer(then="hang"))
    config = tmp_path / "streamhooks.yaml"
    config.write_text(CONFIG.format(url=endpoint.url))
    async with pod("old", config, redis_url) as (old, address):
        for number in range(4):
            await added(redis, type="AuthFailure", key=str(number))
        await endpoint.wait_for(1)
        assert await status_of(address, "/readyz") == 200

        old.send_signal(signal.SIGTERM)

        async def is_not_ready() -> bool:
            return await status_of(address, "/readyz") == 503

        await eventually(is_not_ready)
        assert await status_of(address, "/livez") == 200
        assert await status_of(address, "/metrics") == 200

        async with pod("new", config, redis_url) as (_, peer):
            # What was handed back is the new pod's at once, though the lease is ten minutes; one is still being sent.
            await endpoint.wait_for(2)
            assert await status_of(peer, "/readyz") == 200
            endpoint.release()
            assert await asyncio.wait_for(old.wait(), 20) == 0
            await endpoint.wait_for(4)
            await eventually(lambda: _nothing_is_pending(redis))
    assert len(endpoint.received) == 4, "each once"


async def _nothing_is_pending(redis: Redis) -> bool:
    pending = await redis.xpending(KEYS.stream, GROUP)
    return bool(pending["pending"] == 0)
