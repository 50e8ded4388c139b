"""Running it: the embedded server, a receiver, a worker and sample events, in one process.

The server is always our own, kept under the state folder, unless another is named; then the group is
`streamhooks-dev`, so that a real worker's entries are never taken.
"""

import asyncio
import os
import secrets
import shlex
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvloop
from msgspec import Struct
from msgspec.structs import replace

from streamhooks import files, wire
from streamhooks.app import application
from streamhooks.dev.receiver import Receiver
from streamhooks.dev.samples import LOOPBACK, configuration, events
from streamhooks.dev.screen import Screen
from streamhooks.embedded import EmbeddedServer
from streamhooks.errors import ConfigError, StoreError
from streamhooks.files import Loaded
from streamhooks.flow.patience import within
from streamhooks.flow.worker import Worker
from streamhooks.observe import logs
from streamhooks.secret import Secret, shown_url
from streamhooks.settings import Admin
from streamhooks.store.connection import ask

SAMPLE_EVERY = 2.0
"""Seconds between two samples, once the first ones are out."""
FIRST = 6
"""Samples that are published at once."""
LOOK_EVERY = 0.1
"""Seconds between two looks whether it is time to end."""
EXIT_AFTER_LIMIT = 60.0
"""Seconds that `--exit-after` waits for its deliveries."""


class Options(Struct, frozen=True):
    """What the command line says."""

    config: tuple[Path, ...] = ()
    redis_url: str = ""
    state: Path = Path(".streamhooks")
    exit_after: int = 0


def run(options: Options) -> int:
    """Runs until it is told to stop; the exit code. Raises BrokenPipeError when nobody reads what it shows."""
    logs.set_up("warning", "auto")
    try:
        return uvloop.run(_run(options))
    except StoreError as error:
        print(error, file=sys.stderr)
        return 2 if error.kind in ("no_server", "in_use") else 3
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return 2


async def _run(options: Options) -> int:
    screen = Screen()
    async with AsyncExitStack() as rooms:
        url, server = options.redis_url, shown_url(Secret(options.redis_url))
        if not url:
            embedded = await rooms.enter_async_context(EmbeddedServer(options.state))
            url, server = embedded.url, f"embedded server, kept in {options.state}/"
        receiver = await rooms.enter_async_context(Receiver(screen.arrival))
        group = "streamhooks-dev" if options.redis_url else "streamhooks"
        loaded = _loaded(options, url, group, receiver.url)
        worker = await rooms.enter_async_context(application(loaded, tell=screen.ended, opened=screen.console))
        _introduce(screen, server, url, receiver.url, loaded, own=bool(options.config))
        if not options.config:
            await rooms.enter_async_context(_samples(worker))
        return await _until_done(worker, screen, options.exit_after)


def _loaded(options: Options, url: str, group: str, receiver: str) -> Loaded:
    """Our samples' handlers, or the user's; loopback is open to both."""
    if not options.config:
        return files.load_mapping(configuration(url, group, receiver), Path.cwd())
    own = files.load(list(options.config), os.environ, opened=LOOPBACK)
    worker = own.settings.worker
    settings = replace(
        own.settings,
        worker=worker if "worker.journal" in own.given else replace(worker, journal="all"),
        redis=own.settings.redis.at(Secret(url)),
        stream=replace(own.settings.stream, group=group),
        admin=Admin(),
    )
    # The console is opened to this machine alone, without a token, at the first port that is free.
    return replace(own, settings=settings, given=own.given - {"admin.listen"})


def _introduce(screen: Screen, server: str, url: str, receiver: str, loaded: Loaded, *, own: bool) -> None:
    key = loaded.settings.stream.key
    screen.line(screen.paint("bold", "streamhooks dev") + f"   {server}")
    shown = shown_url(Secret(url))
    screen.line(f"  stream    {key}   at {shown}")
    screen.line(f"  receiver  {receiver}   (paths: /ok/... 200, /flaky/... 503 once, /broken/... 500)")
    screen.line(f"  handlers  {', '.join(handler.id for handler in loaded.handlers)}")
    screen.line("  publish   in another terminal:")
    example = [*_program(), "publish", "AuthFailure", "Path=/mine", "--redis-url", shown]
    screen.line(f"    {shlex.join(example)}")
    if own:  # what arrives at another receiver is not seen here
        screen.line("  watch     what is delivered to endpoints of yours, as the console does:")
        screen.line(f"    {shlex.join([*_program(), 'tail', '--since', '10m', '--redis-url', shown])}")
    screen.line("  stop      Ctrl-C")
    screen.line()


def _program() -> list[str]:
    """How another terminal calls this program: `scripts/dev` runs it out of an environment that no shell has active."""
    if shutil.which("streamhooks"):
        return ["streamhooks"]
    beside = Path(sys.executable).parent / "streamhooks"
    if not beside.is_file():
        return [sys.executable, "-m", "streamhooks"]
    here = Path.cwd()
    return [str(beside.relative_to(here) if beside.is_relative_to(here) else beside)]


@asynccontextmanager
async def _samples(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(_publish(worker))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _publish(worker: Worker) -> None:
    key = worker.partitions[0].keys.stream
    for number, (type_, meta) in enumerate(events(secrets.token_hex(3)), start=1):
        fields = wire.encode(type_, dict(meta), source="streamhooks dev")
        await ask(worker.client, "XADD", key, "*", *(word for pair in fields.items() for word in pair))
        if number >= FIRST:
            await asyncio.sleep(SAMPLE_EVERY)


async def _until_done(worker: Worker, screen: Screen, exit_after: int) -> int:
    """0 when told to stop, or after so many deliveries; 1 when these did not come in time. Raises BrokenPipeError."""
    clock = asyncio.get_running_loop().time
    until = clock() + EXIT_AFTER_LIMIT
    while not worker.stopping.is_set():
        if not screen.is_read():
            raise BrokenPipeError
        if exit_after and (delivered := worker.figures.deliveries) >= exit_after:
            screen.line(f"{delivered} deliveries answered 2xx: done")
            return 0
        if exit_after and clock() >= until:
            print(
                f"only {worker.figures.deliveries} of {exit_after} deliveries in {EXIT_AFTER_LIMIT:.0f} s",
                file=sys.stderr,
            )
            return 1
        await within(worker.stopping.wait(), LOOK_EVERY)
    return 0
