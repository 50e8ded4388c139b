"""Worker processes as a person runs them, started, watched and ended by a test."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from streamhooks.store.keys import Keys
from tests.faults.sink import SECRET, Sink
from tests.waiting import eventually

STREAM = "gateway:events"
GROUP = "streamhooks"
KEYS = Keys.of(STREAM)
DRAIN = 25.0
"""Seconds that a clean stop may take: Kubernetes kills after 30."""
BODY = '{"seq": {{.Meta.seq}}, "end": "{{.Meta.end}}"}'


def configuration(
    redis_url: str, sink: Sink, folder: Path, *, tls: Mapping[str, str] | None = None, **worker: object
) -> dict[str, Any]:
    """One signed handler with a cool-down for `Load`, two for `Pair`, one for `Hang`; a lease of a second, so that
    recovery is quick."""
    (folder / "body.json").write_text(BODY)
    sign = {"secrets": [SECRET]}
    handler = {"template_path": "body.json", "event_timeout": 60, "concurrency": 16, "sign": sign}
    return {
        "redis": {"url": redis_url, "tls": dict(tls or {})},
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
        self.folder = folder
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
        self,
        *options: str,
        failpoint: str = "",
        prefix: Sequence[str] = (),
        folder: Path | None = None,
        **environment: str,
    ) -> asyncio.subprocess.Process:
        """`prefix`: another program that runs it, such as faketime or prlimit. `folder`: where another version lies."""
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *prefix, sys.executable, "-m", "streamhooks", "serve", "--config", str(self._config), *options,
                stdout=log, stderr=log, cwd=folder,
                env={**os.environ, **_first(folder), "STREAMHOOKS_FAILPOINT": failpoint, **environment},
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

    async def ready(self, count: int = 1) -> None:
        """Returns when so many workers have said that they are ready."""
        await eventually(lambda: len(self.records("ready")) >= count, 20, f"{count} workers are ready")

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def records(self, *events: str) -> list[dict[str, Any]]:
        """What the workers have logged; all of it where no event is named."""
        return [record for record in _decoded(self.log) if not events or record["event"] in events]


def _decoded(log: str) -> Iterator[dict[str, Any]]:
    """The JSON records of a log. Several processes write to it, so that two may stand on one line."""
    decoder, at = json.JSONDecoder(), 0
    while (at := log.find("{", at)) >= 0:
        try:
            record, at = decoder.raw_decode(log, at)
        except json.JSONDecodeError:  # a traceback, or what is being written right now
            at += 1
        else:
            if "event" in record:
                yield record


def _first(folder: Path | None) -> dict[str, str]:
    """Python looks into this folder before any other."""
    return {"PYTHONPATH": str(folder)} if folder is not None else {}


async def stopped(crew: Crew, *workers: asyncio.subprocess.Process) -> float:
    """Ends workers that must still be there, cleanly and in time; the seconds that it took."""
    assert all(worker.returncode is None for worker in workers), crew.log
    asked = time.monotonic()
    for worker in workers:
        terminate(worker)
    for worker in workers:
        assert await ended(worker, DRAIN) == 0, crew.log
    return time.monotonic() - asked


def cpu_seconds(process: asyncio.subprocess.Process) -> float:
    """CPU time of a process so far, its own and the kernel's for it (proc_pid_stat(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


def terminate(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGTERM)
