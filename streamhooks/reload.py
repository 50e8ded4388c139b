"""Reading the configuration again: on SIGHUP, and when one of its files changes.

A bad new configuration is refused, said, and the old one stays in force; what is being delivered ends by the old one.
Settings outside of handlers and templates need a restart, and are said to.

Secrets go their own way: when a file behind a reference changes, it alone is read again, into the configuration that
is in force. So a secret is exchanged also while a newer configuration is faulty, or waits for a restart because
`reload` is off. One that cannot be used is said once, and the old ones stay.
"""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import structlog

from streamhooks.errors import ConfigError
from streamhooks.files import Held, Loaded, stamp
from streamhooks.flow.patience import within
from streamhooks.flow.worker import Worker
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.settings import Settings

log = structlog.get_logger("streamhooks")
FILES_EVERY = 2.0
"""Seconds. Looking at a few files is cheaper than any notifier, and works on every mounted volume."""
AT_START = ("redis", "stream", "worker", "dead", "cool", "admin", "ingest", "log", "reload")
"""Sections that a running worker does not take over."""

LoadAgain: TypeAlias = Callable[[Held | None], Loaded]
"""Reads the configuration anew; of what is held, the files behind references only. Raises ConfigError."""


class Reload:
    """Keeps a worker's handlers equal to the files, at which it looks every `files_every` seconds.

    Does nothing without `load_again`.
    """

    def __init__(
        self, loaded: Loaded, load_again: LoadAgain | None, worker: Worker, files_every: float = FILES_EVERY
    ) -> None:
        self._loaded = loaded
        self._load_again = load_again
        self._worker = worker
        self._files_every = files_every
        self._seen = dict(loaded.held.stamps)
        """The files as they were last looked at, so that each change is told once."""
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

    async def _watch(self, load_again: LoadAgain) -> None:
        while True:
            asked = await within(self._asked.wait(), self._files_every)
            self._asked.clear()
            self._look(load_again, asked)

    def _look(self, load_again: LoadAgain, asked: bool) -> None:
        now = {path: stamp(path) for path in (*self._loaded.sources, *self._loaded.secrets)}
        changed = [path for path, found in now.items() if found != self._seen.get(path)]
        self._seen |= now
        written = [path for path in changed if path in self._loaded.sources]
        exchanged = [path for path in changed if path in self._loaded.secrets]
        if asked or (written and self._loaded.settings.reload):
            if self._reload(load_again):
                return
        elif written:
            message = "reload is off: what changed waits for a restart, or for SIGHUP"
            log.warning("restart_needed", files=_named(written), message=message)
        if exchanged:
            self._renew(load_again, exchanged)

    def _reload(self, load_again: LoadAgain) -> bool:
        """Everything anew; False where it is refused."""
        try:
            fresh = load_again(None)
        except ConfigError as error:
            log.error("reload_refused", faults=_listed(error), effect="old one stays")  # noqa: TRY400  no bug
            return False
        self._seen = dict(fresh.held.stamps)
        self._take(fresh)
        log.info("reloaded", handlers=len(fresh.handlers))
        return True

    def _renew(self, load_again: LoadAgain, exchanged: list[Path]) -> None:
        """What is in force, with the secrets as they are now."""
        try:
            fresh = load_again(self._loaded.held)
        except ConfigError as error:
            log.error("secrets_refused", faults=_listed(error), effect="old ones stay")  # noqa: TRY400  no bug
            return
        if fresh.held.secrets == self._loaded.held.secrets:  # touched, not changed
            return
        self._seen |= {path: fresh.held.stamps[path] for path in fresh.secrets}
        self._take(fresh)
        log.info("secrets_renewed", files=_named(exchanged))

    def _take(self, fresh: Loaded) -> None:
        if left := _differing(fresh.settings, self._loaded.settings):
            message = "only handlers and templates are reloaded; the rest needs a restart"
            log.warning("restart_needed", settings=left, message=message)
        self._loaded = fresh
        self._worker.lanes.replace(Catalogue(fresh.handlers))


def _listed(error: ConfigError) -> list[str]:
    """Every fault with its file and key path: one record tells all that there is to be mended."""
    return [str(fault) for fault in error.faults]


def _differing(one: Settings, other: Settings) -> list[str]:
    return [name for name in AT_START if getattr(one, name) != getattr(other, name)]


def _named(paths: list[Path]) -> list[str]:
    return [str(path) for path in paths]
