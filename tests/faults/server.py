"""A Redis-compatible server of an experiment: killed, frozen, started again on its files, made a replica, promoted."""

import asyncio
import signal
import subprocess
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any

from redis.asyncio import Redis

from tests.faults.engines import Engine
from tests.ports import free_port
from tests.waiting import eventually

READY = 20.0
"""Seconds that a start may take, the loading of its files included."""


class Server:
    """`async with Server(engine, folder, aof=True) as server:`; listens on 127.0.0.1 when entered."""

    def __init__(self, engine: Engine, folder: Path, *, aof: bool = False, **options: str) -> None:
        self.engine = engine
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = {
            "port": str(self.port), "bind": "127.0.0.1", "dir": str(folder), "save": "",
            "appendonly": "yes" if aof else "no", "appendfsync": "everysec", "maxmemory-policy": "noeviction",
            "repl-diskless-sync-delay": "0", "daemonize": "no", "enable-debug-command": "local",
        } | {name.replace("_", "-"): value for name, value in options.items()}  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        """Of no event loop: a server of a whole session outlives the loop of a test that starts it again."""
        self._prefix: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Server {self.engine.name} on {self.port} {'up' if self._process else 'down'}>"

    async def __aenter__(self) -> "Server":
        self._folder.mkdir(parents=True, exist_ok=True)
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    def client(self) -> Redis:
        """A client of its own; whoever asks for it closes it."""
        return Redis.from_url(self.url, protocol=2)

    async def ask(self, *words: str | int | float | bytes) -> Any:
        """One command on a connection of its own."""
        async with self.client() as client:
            return await client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped

    async def load_scripts(self) -> None:
        """Has it know every script, so that each is called by its name from the first time on."""
        for script in files("streamhooks.store").joinpath("lua").iterdir():
            await self.ask("SCRIPT", "LOAD", script.read_text("utf-8"))

    def under(self, *prefix: str) -> None:
        """The next start runs it under another program, such as faketime."""
        self._prefix = prefix

    async def start(self) -> None:
        """Starts it on the files that it left, and waits until it answers."""
        words = [word for name, value in self._options.items() for word in (f"--{name}", *value.split(" "))]
        await asyncio.to_thread(self._begin, [*self._prefix, self.engine.binary, *words])
        await eventually(self._answers, READY, f"the server answers; its log is {self._folder / 'server.log'}")

    def _begin(self, words: list[str]) -> None:
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    async def _answers(self) -> bool:
        try:
            return bool(await self.ask("PING"))
        except Exception:  # noqa: BLE001  refused, loading, or not yet listening
            return False

    @property
    def is_up(self) -> bool:
        return self._process is not None

    async def kill(self) -> None:
        """SIGKILL: nothing is said to anybody, and what was not written is gone."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        self._process = None

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    async def follow(self, port: int) -> None:
        """Makes it a replica of the server on this port, and waits until it is in step."""
        await self.ask("REPLICAOF", "127.0.0.1", port)
        await eventually(self.is_in_step, READY, "the replica is in step")

    async def is_in_step(self) -> bool:
        return bool((await self.ask("INFO", "replication")).get("master_link_status") == "up")

    async def promote(self) -> None:
        await self.ask("REPLICAOF", "NO", "ONE")
