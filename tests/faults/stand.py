"""Where most experiments on endpoints, poison and means are made: one server, one worker's configuration, a handler
`one` whose endpoint behaves (events of type Load) and a handler `hang` whose endpoint does not (type Hang)."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiohttp
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.connection import ask
from streamhooks.store.record import Record
from tests.faults.checker import KEYS, Verdict
from tests.faults.crew import Crew, configuration, ended
from tests.faults.hostile import PATH, Act, HostileEndpoint
from tests.faults.lab import Lab
from tests.faults.load import Load
from tests.faults.server import Server
from tests.faults.sink import Sink
from tests.ports import free_port
from tests.waiting import eventually


class Stand(Struct, frozen=True):
    """What `stand` has put up."""

    lab: Lab
    server: Server
    client: Redis
    sink: Sink
    endpoint: HostileEndpoint
    load: Load
    crew: Crew
    config: dict[str, Any]
    """What the workers read, see `configure`."""
    admin: str
    """The address of the worker's admin site."""

    def configure(self, handler: str, **over: object) -> None:
        """Lays something over the configuration of a handler."""
        next(each for each in self.config["handlers"] if each["id"] == handler).update(over)
        self.crew.rewrite(self.config)

    async def worker(self, **how: Any) -> asyncio.subprocess.Process:
        """A worker that is ready. `how` is Crew.start's."""
        ready = self.crew.log.count("ready")
        process = await self.crew.start(**how)
        await eventually(lambda: self.crew.log.count("ready") > ready, 20, "the worker is ready")
        return process

    async def have_ended(self, count: int, seconds: float = 60.0) -> None:
        """Returns once so many events have come to their end; what is stored for a retry has not."""

        async def enough() -> bool:
            return sum([await self.total(term) for term in ("delivered", "suppressed", "dead", "unmatched")]) >= count

        await eventually(
            enough,
            seconds * max(1.0, self.lab.scale),
            f"{count} events have ended; the worker said {self.crew.log[-2000:]}",
        )

    async def total(self, term: str) -> int:
        """A term of the account."""
        return int(await ask(self.client, "HGET", KEYS.totals, term) or 0)

    async def metric(self, series: str) -> float:
        """A series of the worker's /metrics; 0.0 where it is not told."""

        async def page() -> str:
            with suppress(aiohttp.ClientError):  # a worker without descriptors takes no connection
                async with aiohttp.ClientSession() as session, session.get(f"{self.admin}/metrics") as response:
                    return await response.text()
            return ""

        lines = (await eventually(page, 20, "/metrics answers")).splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{series} "))

    async def letters(self) -> list[Record]:
        """The dead letters."""
        return [Record.read(fields) for _, fields in await ask(self.client, "XRANGE", KEYS.dead, "-", "+")]

    async def drain(self) -> None:
        """Runs a worker until nothing is left."""
        await self.crew.drain(60 * max(1.0, self.lab.scale))

    async def stop(self, process: asyncio.subprocess.Process) -> None:
        """Ends a worker that must still be there, cleanly."""
        assert process.returncode is None, self.crew.log
        process.terminate()
        assert await ended(process, 20) == 0, self.crew.log

    async def verdict(self, **known: Any) -> Verdict:
        return await self.lab.verdict(self.server, self.sink, self.load, **known)


async def stand(
    lab: Lab,
    acts: Mapping[str, Act] | None = None,
    *,
    one: Mapping[str, object] | None = None,
    hang: Mapping[str, object] | None = None,
    aof: bool = False,
    **worker: Any,
) -> Stand:
    """Puts all of it up. `aof`: the server keeps what it has over a restart. `one`, `hang` and `worker` are laid over
    those sections of the configuration."""
    server, sink = await lab.server(aof=aof), await lab.sink()
    endpoint = await lab.enter(HostileEndpoint(sink, acts or {}))
    crew = await lab.crew(server.url, sink)
    admin = f"127.0.0.1:{free_port()}"
    config = configuration(server.url, sink, lab.folder / "workers", **worker) | {"admin": {"listen": admin}}
    (lab.folder / "workers" / "workers.log").touch()
    client = await lab.client(server)
    at = Stand(lab, server, client, sink, endpoint, lab.load(server), crew, config, f"http://{admin}")
    at.configure("one", **(one or {}))
    at.configure("hang", **{"target_path": f"{endpoint.url}{PATH}", "timeout": 0.5} | dict(hang or {}))
    return at
