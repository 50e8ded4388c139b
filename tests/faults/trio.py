"""Three sentinels, and the primary and replica that they watch; a failover of their own takes about two seconds."""

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.faults.engines import Engine
from tests.faults.server import READY, Server
from tests.ports import free_port
from tests.waiting import eventually

SERVICE = "gateway"
DOWN_AFTER = 1000
"""Milliseconds without an answer after which a sentinel takes the primary for dead."""
ORDERS, ORDERED = 3, 6.0
"""How often a failover is ordered, and the seconds that it may take: a sentinel gives it up after three."""
QUICK = 200
"""Milliseconds between two looks around."""


class Sentinel:
    """One of the three; it writes what it learns into its own configuration."""

    def __init__(self, engine: Engine, folder: Path, watched: int, *settings: str) -> None:
        self.port = free_port()
        self._engine = engine
        self._file = folder / f"sentinel-{self.port}.conf"
        self._settings = (
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {folder}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {watched} 2",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER}",
            f"sentinel failover-timeout {SERVICE} 3000",
            *settings,
        )
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Sentinel":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    async def ask(self, *words: str, password: str = "") -> Any:
        async with Redis(port=self.port, protocol=2, password=password or None) as client:
            return await client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped

    async def start(self) -> None:
        if not self._file.exists():
            self._file.write_text("\n".join(self._settings) + "\n")
        with self._file.with_suffix(".log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                self._engine.binary, str(self._file), "--sentinel", stdout=log, stderr=log
            )

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def names_a_primary(self) -> bool:
        try:
            return bool(await self.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE))
        except Exception:  # noqa: BLE001  not yet listening
            return False

    async def knows(self, replica: int) -> bool:
        """The other two, and the replica at this port: only then can they agree to promote it. They also remember
        whoever followed the primary for a moment and is gone.
        """
        try:
            found = _named(await self.ask("SENTINEL", "MASTER", SERVICE))
            followers = [_named(one) for one in await self.ask("SENTINEL", "REPLICAS", SERVICE)]
        except Exception:  # noqa: BLE001  not yet listening
            return False
        flags = {int(one[b"port"]): one[b"flags"] for one in followers}
        return (found[b"num-other-sentinels"], found[b"flags"], flags.get(replica)) == (b"2", b"master", b"slave")


def _named(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


class Trio:
    """`async with Trio(engine, folder) as trio:`; ready when entered for the first failover."""

    def __init__(self, engine: Engine, folder: Path, *, settings: tuple[str, ...] = (), **options: str) -> None:
        """`settings` are of the sentinels, `options` of the servers."""
        self.servers = [Server(engine, folder / name, aof=False, **options) for name in ("one", "two")]
        self.sentinels = [Sentinel(engine, folder, self.servers[0].port, *settings) for _ in range(3)]
        self.folder = folder
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(f'127.0.0.1:{one.port}' for one in self.sentinels)}/{SERVICE}/0"

    async def __aenter__(self) -> "Trio":
        async with AsyncExitStack() as stack:
            for server in self.servers:
                await stack.enter_async_context(server)
            await self.servers[1].follow(self.servers[0].port)
            for sentinel in self.sentinels:
                await stack.enter_async_context(sentinel)
            await self.hurry()
            await self.ready()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def hurry(self, publish_every: int = QUICK) -> None:
        """Has them look around more often than in earnest. A primary that was replaced by order is demoted after four
        times `publish_every`, in milliseconds; in earnest that is 2000.
        """
        for sentinel in self.sentinels:
            await eventually(sentinel.names_a_primary, READY, "the sentinel listens")
            await sentinel.ask("SENTINEL", "DEBUG", "INFO-PERIOD", str(QUICK), "PUBLISH-PERIOD", str(publish_every))

    async def ready(self) -> None:
        """Returns once the sentinels could agree on a failover. Who follows whom is asked in each look anew: it changes
        when one was under way that the first sentinel had not heard of.
        """
        await eventually(self._could_fail_over, READY, "the replica is in step, and all sentinels know it")

    async def _could_fail_over(self) -> bool:
        try:
            replica = await self.replica()
            in_step = await replica.is_in_step()
        except (RedisError, OSError):  # whoever is demoted hangs up
            return False
        return in_step and all([await sentinel.knows(replica.port) for sentinel in self.sentinels])

    async def primary(self) -> Server:
        """As the first sentinel has it."""
        _, port = await self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(server for server in self.servers if server.port == int(port))

    async def replica(self) -> Server:
        primary = await self.primary()
        return next(server for server in self.servers if server is not primary)

    async def fail_over(self) -> Server:
        """By order, both servers alive; the new primary, once all sentinels name it. One that comes to nothing, because
        the replica did not answer in that moment, is ordered again.
        """
        old = await self.primary()
        (new,) = (server for server in self.servers if server is not old)
        for _ in range(ORDERS):
            await eventually(self._ordered, READY, "a sentinel takes the order")
            with suppress(AssertionError):
                await eventually(lambda: self._all_name(new), ORDERED)
                return new
        return await self.new_primary(old)

    async def _ordered(self) -> bool:
        try:
            await self.sentinels[0].ask("SENTINEL", "FAILOVER", SERVICE)
        except Exception:  # noqa: BLE001  the one before is not over yet, or the replica is not good enough
            return False
        return True

    async def new_primary(self, old: Server) -> Server:
        """Returns once every sentinel names another one than `old`, and that one takes writes."""
        (new,) = (server for server in self.servers if server is not old)

        await eventually(lambda: self._all_name(new), READY, "the sentinels name the new primary")
        return new

    async def _all_name(self, server: Server) -> bool:
        told = [await one.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE) for one in self.sentinels]
        return all(int(port) == server.port for _, port in told)
