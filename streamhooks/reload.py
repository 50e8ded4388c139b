"""Reading the configuration again: on SIGHUP, or when one of its files changes.

A bad new configuration is refused, said, and the old one stays in force; what is being delivered ends by the old one.
Settings outside of handlers and templates need a restart, and are said to.
"""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import structlog

from streamhooks.errors import ConfigError
from streamhooks.files import Loaded
from streamhooks.flow.patience import within
from streamhooks.flow.worker import Worker
from streamhooks.handlers.catalogue import Catalogue

log = structlog.get_logger("streamhooks")
LOOK_EVERY = 2.0
"""Seconds. Looking at a few files is cheaper than any notifier, and works on every mounted volume."""


class Reload:
    """Keeps a worker's handlers equal to the files. Does nothing without `load_again`."""

    def __init__(self, loaded: Loaded, load_again: Callable[[], Loaded] | None, worker: Worker) -> None:
        self._loaded = loaded
        self._load_again = load_again
        self._worker = worker
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Reload":
        if self._load_again is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
            self._task = asyncio.create_task(self._watch(self._load_again))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self, load_again: Callable[[], Loaded]) -> None:
        seen = stamps(self._loaded.sources)
        while True:
            asked = await within(self._asked.wait(), LOOK_EVERY)
            self._asked.clear()
            now = stamps(self._loaded.sources)
            if asked or now != seen:
                seen = now
                self._reload(load_again)

    def _reload(self, load_again: Callable[[], Loaded]) -> None:
        try:
            fresh = load_again()
        except ConfigError as error:
            for fault in error.faults:
                log.error(  # noqa: TRY400  somebody's typing, not a bug: no traceback
                    "reload_refused", file=fault.file, path=fault.path, message=fault.message, effect="old one stays"
                )
            return
        if fresh.settings != self._loaded.settings:
            log.warning("restart_needed", message="only handlers and templates are reloaded; the rest needs a restart")
        self._loaded = fresh
        self._worker.lanes.replace(Catalogue(fresh.handlers))
        log.info("reloaded", handlers=len(fresh.handlers))


def stamps(paths: tuple[Path, ...]) -> dict[Path, tuple[int, int] | None]:
    """What tells that a file has changed: its time and its number, for a mounted volume swaps whole files."""
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
