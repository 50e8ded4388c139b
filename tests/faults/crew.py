"""Worker processes as a person runs them, started and ended by a test, and what must be true when they are done."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.keys import Keys
from tests.faults.sink import SECRET, Key, Sink
from tests.waiting import eventually

STREAM = "gateway:events"
GROUP = "streamhooks"
KEYS = Keys.of(STREAM)
BODY = '{"seq": {{.Meta.seq}}, "end": "{{.Meta.end}}"}'


def configuration(redis_url: str, sink: Sink, folder: Path, **worker: object) -> dict[str, Any]:
    """One signed handler with a cool-down for `Load`, two for `Pair`, one for `Hang`; a lease of a second, so that
    recovery is quick."""
    (folder / "body.json").write_text(BODY)
    sign = {"secrets": [SECRET]}
    handler = {"template_path": "body.json", "event_timeout": 60, "concurrency": 16, "sign": sign}
    return {
        "redis": {"url": redis_url},
        "stream": {"key": STREAM, "group": GROUP},
        "worker": {"lease": 1, "in_flight": 32, "drain_timeout": 5} | worker,
        "defaults": {
            "allow_cidrs": ["127.0.0.0/8"],
            "retry": {"delays": [0.2, 0.2, 0.2, 0.2], "jitter": 0, "permanent_statuses": [410, 422]},
            "breaker": {"consecutive": 1_000_000, "min_calls": 1_000_000},
        },
        "handlers": [
            {"id": "one", "on": ["Load", "Pair"], "target_path": f"{sink.url}/one"} | handler,
            {"id": "two", "on": ["Pair"], "target_path": f"{sink.url}/two"} | handler,
            {"id": "hang", "on": ["Hang"], "target_path": f"{sink.url}/hang"} | handler,
        ],
        "reload": False,
    }


class Crew:
    """The worker processes of one configuration; all that still run are killed when it is left."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self._config = folder / "streamhooks.json"
        self._config.write_text(json.dumps(config))
        self._log = folder / "workers.log"
        self._started: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> "Crew":
        return self

    async def __aexit__(self, *_ended: object) -> None:
        for process in self._started:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def start(
        self, *options: str, failpoint: str = "", prefix: Sequence[str] = (), **environment: str
    ) -> asyncio.subprocess.Process:
        """`prefix`: another program that runs it, such as faketime or prlimit."""
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *prefix, sys.executable, "-m", "streamhooks", "serve", "--config", str(self._config), *options,
                stdout=log, stderr=log, env={**os.environ, "STREAMHOOKS_FAILPOINT": failpoint, **environment},
            )  # fmt: skip
        self._started.append(process)
        return process

    async def run(self, command: str, *words: str) -> asyncio.subprocess.Process:
        """Any other command of streamhooks, with the workers' configuration."""
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "streamhooks", command, *words, "--config", str(self._config),
                stdout=log, stderr=log,
            )  # fmt: skip
        self._started.append(process)
        return process

    def rewrite(self, config: Mapping[str, Any]) -> None:
        """Puts another configuration in the place of the one that the workers read."""
        self._config.write_text(json.dumps(config))

    async def drain(self, seconds: float = 30.0) -> None:
        """Runs a fresh worker until nothing is left; it must end well."""
        process = await self.start("--until-idle")
        assert await ended(process, seconds) == 0, self.log

    @property
    def log(self) -> str:
        return self._log.read_text()


async def ended(process: asyncio.subprocess.Process, seconds: float) -> int:
    """The exit code of a process that must end within so many seconds."""
    async with asyncio.timeout(seconds):
        return await process.wait()


async def publish(redis: Redis, seqs: Iterable[int], *, type_: str = "Load", end: str = "ok") -> None:
    """Adds one event for each number; returns when Redis has acknowledged them all."""
    pipe = redis.pipeline(transaction=False)
    for seq in seqs:
        pipe.xadd(STREAM, {"d": json.dumps({"type": type_, "meta": {"seq": seq, "end": end}})})
    await pipe.execute()


class Found(Struct, frozen=True):
    """What a run came to."""

    lost: frozenset[Key]
    """Acknowledged by XADD, and neither delivered nor dead-lettered."""
    unexpected: frozenset[Key]
    """Delivered though nobody published it."""
    extra: int
    """Deliveries beyond the first."""
    dead: int
    account: Mapping[str, int]


async def check(redis: Redis, sink: Sink, expected: Iterable[Key], refused: Iterable[Key] = ()) -> Found:
    """Counts, and asserts what holds after every drain: nothing pending, the account balances, ids are stable."""
    wanted, dead = set(expected), set(refused)
    assert (await redis.xpending(STREAM, GROUP))["pending"] == 0
    assert await redis.xlen(KEYS.retry) == 0
    assert await redis.zcard(KEYS.parked) == 0
    found = {name.decode(): int(value) for name, value in (await redis.hgetall(KEYS.totals)).items()}  # type: ignore[union-attr]  # bytes, as the fixture's client has them
    terms = {term: found.get(term, 0) for term in ("delivered", "suppressed", "dead", "stored", "unmatched")}
    assert found["accepted"] == sum(terms.values()), found
    assert terms["stored"] == 0, found
    assert all(len(ids) == 1 for ids in sink.webhook_ids.values()), "a webhook-id changed between attempts"
    return Found(
        lost=frozenset(wanted - set(sink.delivered)),
        unexpected=frozenset(set(sink.arrivals) - wanted - dead),
        extra=sum(sink.delivered.values()) - len(sink.delivered),
        dead=await redis.xlen(KEYS.dead),
        account=found,
    )


async def wait_for_lines(crew: Crew, text: str, count: int = 1) -> None:
    """Waits until the workers have logged something so often."""
    await eventually(lambda: crew.log.count(text) >= count, within=10.0, saying=f"{count} x {text!r} in the log")


def terminate(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGTERM)
