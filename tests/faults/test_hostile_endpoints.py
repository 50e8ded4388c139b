"""A worker among hostile endpoints, all at once: every event has its end, and the worker stays as small as it was."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from streamhooks.store.connection import ask
from tests.backlog import peak_memory, resident_memory
from tests.faults.crew import KEYS, Crew, configuration, publish
from tests.faults.sink import Sink
from tests.figures import Figures
from tests.sender.certificates import Authority
from tests.sender.endpoints import ENDPOINTS, HostileEndpoint
from tests.sender.hostile import answering, hostile
from tests.waiting import eventually

EVENTS = 16
"""For each endpoint, all of them at once."""
IN_FLIGHT = 512
"""More than all of them together."""
WARM = 600
"""So many that the worker has been as busy among friends as it will be among enemies."""
BOUND = 32_000_000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


CERTIFIED = [(timedelta(days=-9), "127.0.0.1"), (timedelta(days=-1), "other.example")]
"""Certificates that are not accepted, by their start and host: one has expired, one is another's."""


async def all_hostile(stack: AsyncExitStack, authority: Authority) -> list[dict[str, Any]]:
    """Every endpoint, running; the handlers that call them."""
    handlers: list[dict[str, Any]] = []
    for number, endpoint in enumerate(ENDPOINTS):
        server = await stack.enter_async_context(hostile(endpoint.behaviour))
        handlers.append({"id": f"hostile-{number}", "target_path": f"http://127.0.0.1:{server.port}/in"})
    for number, (start, host) in enumerate(CERTIFIED):
        certificate = authority.issue(host, start=start)
        server = await stack.enter_async_context(hostile(answering(OK), certificate.serving()))
        target = {"target_path": f"https://127.0.0.1:{server.port}/in", "tls": {"ca_file": authority.ca_file}}
        handlers.append({"id": f"certified-{number}", **target})
    # Several attempts: one that goes out on a kept connection just before the endpoint resets it is lost to that.
    retry = {"delays": [0.1, 0.1, 0.1, 0.1]}
    ours = {"on": ["Load"], "template_path": "body.json", "timeout": 2, "retry": retry}
    return [handler | ours for handler in handlers]


async def ends(redis: Redis, delivered: int, dead: int) -> None:
    async def all_have_ended() -> bool:
        found = await ask(redis, "HMGET", KEYS.totals, "delivered", "dead")
        return [int(count or 0) for count in found] == [delivered, dead]

    await eventually(all_have_ended, within=60, saying=f"{delivered} delivered and {dead} dead")


def delivers(endpoint: HostileEndpoint) -> bool:
    return not endpoint.why


@pytest.mark.timeout(120)
async def test_a_worker_goes_through_all_hostile_endpoints_and_does_not_grow(
    redis: Redis, redis_url: str, tmp_path: Path, figures: Figures
) -> None:
    good = sum(map(delivers, ENDPOINTS)) * EVENTS
    bad = (len(ENDPOINTS) + len(CERTIFIED)) * EVENTS - good
    async with Sink() as sink, AsyncExitStack() as stack:
        config = configuration(redis_url, sink, tmp_path, in_flight=IN_FLIGHT)
        warm: dict[str, Any] = {"id": "warm", "on": ["Warm"], "target_path": f"{sink.url}/warm"}
        warm |= {"template_path": "body.json", "concurrency": IN_FLIGHT}
        sink.slow_path = "/warm"
        config["handlers"] = [warm, *await all_hostile(stack, Authority(tmp_path, "authority"))]
        async with Crew(tmp_path, config) as crew:
            worker = await crew.start()
            await publish(redis, range(WARM), type_="Warm")
            await eventually(lambda: sink.arrivals.total() >= IN_FLIGHT, within=20)
            sink.released.set()
            await ends(redis, WARM, 0)
            before = resident_memory(worker.pid)
            await publish(redis, range(EVENTS))
            await ends(redis, WARM + good, bad)
            grown = peak_memory(worker.pid) - before
            await publish(redis, range(WARM), type_="Warm")
            await ends(redis, 2 * WARM + good, bad)
            assert worker.returncode is None
    figures(
        f"{len(config['handlers']) - 1} hostile endpoints, {EVENTS} events each at once: {good} delivered, {bad} dead, "
        f"the worker grew by {grown / 1e6:.1f} MB at its peak, from {before / 1e6:.1f} MB"
    )
    assert grown <= BOUND
