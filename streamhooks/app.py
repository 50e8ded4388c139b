"""The application: all rooms as one `async with`, and what signals mean to it.

SIGTERM and SIGINT stop it cleanly; a second one ends the process at once, which loses nothing: what was not settled
stays pending. SIGHUP, or a changed file, reads the configuration again; a bad one is refused and the old stays.
"""

import asyncio
import gc
import os
import random
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
import uvloop

from streamhooks.admin.site import AdminSite, Opened
from streamhooks.errors import ConfigError, StoreError
from streamhooks.files import Loaded
from streamhooks.flow.patience import within
from streamhooks.flow.worker import Worker
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.ingest.door import IngestDoor
from streamhooks.observe import logs
from streamhooks.observe.figures import Tell
from streamhooks.observe.problems import write_log
from streamhooks.observe.traces import PATIENCE, tracing
from streamhooks.reload import FILES_EVERY, LoadAgain, Reload
from streamhooks.sender import GuardError, Sender, TlsNews

log = structlog.get_logger("streamhooks")
LOOK_EVERY = 0.05
"""Seconds between two looks whether everything is delivered, for `--until-idle`."""
YOUNG_OBJECTS = 25_000
"""Objects made and not freed after which the collector looks for cycles: more than `in_flight` events hold."""


def write_tls_log(news: TlsNews) -> None:
    if news.fault:
        log.error("tls_files_refused", files=news.files, message=news.fault, effect="what was read before stays")
    else:
        log.info("tls_files_read", files=news.files)


def write_nothing(_address: str) -> None:
    """The log has the admin address already."""


def open_sender() -> Sender:
    return Sender(tell=write_tls_log)


def serve(
    loaded: Loaded,
    *,
    until_idle: bool = False,
    load_again: LoadAgain | None = None,
    sender: Callable[[], Sender] = open_sender,
) -> int:
    """Runs a worker until it is told to stop, or until nothing is left to deliver.

    `load_again` reads the configuration anew, for a reload; of what is held, its secrets only. `sender` makes what
    sends. Gives the exit code: 0, 2 for a configuration or an installation that cannot be used, 3 for a Redis that
    cannot be.
    """
    settings = loaded.settings
    logs.set_up(settings.log.level, settings.log.format)
    for warning in loaded.warnings:
        log.warning("configuration", file=warning.file, path=warning.path, message=warning.message)
    _spare_the_collector()
    try:
        uvloop.run(_serve(loaded, until_idle, load_again, sender))
    except StoreError as error:
        log.error("redis_unusable", error=error.message)  # noqa: TRY400  an outage, not a bug: no traceback
        return 3
    except ConfigError as error:
        for fault in error.faults:
            log.error("configuration", file=fault.file, path=fault.path, message=fault.message)  # noqa: TRY400  as above
        return 2
    except GuardError as error:
        log.error("guard_does_not_hold", error=error.message)  # noqa: TRY400  the message says it all
        return 2
    return 0


def _spare_the_collector() -> None:
    """What is loaded by now lives as long as the process, so no collection looks at it again. What an event leaves is
    freed by counting references; but hundreds under way at once make the collector believe that something piles up,
    and its looking in vain cost a sixth of a delivery.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


async def _serve(loaded: Loaded, until_idle: bool, load_again: LoadAgain | None, sender: Callable[[], Sender]) -> None:
    async with application(loaded, load_again, sender=sender) as worker:
        while not worker.stopping.is_set():
            if until_idle and await worker.idle():
                return
            await within(worker.stopping.wait(), LOOK_EVERY if until_idle else 3600.0)


@asynccontextmanager
async def application(
    loaded: Loaded,
    load_again: LoadAgain | None = None,
    tell: Tell = write_log,
    sender: Callable[[], Sender] = open_sender,
    opened: Opened = write_nothing,
    files_every: float = FILES_EVERY,
) -> AsyncIterator[Worker]:
    """A worker with its doors, ready when entered. `opened` is told the admin address before the worker starts.

    `files_every`: seconds between two looks whether a file has changed, for `load_again`.
    Raises GuardError before anything else is done, StoreError, and ConfigError for a door that cannot open.
    """
    consumer = consumer_name()
    patience = min(PATIENCE, loaded.settings.worker.drain_timeout / 4)
    async with (
        tracing(os.environ, consumer=consumer, group=loaded.settings.stream.group, patience=patience) as traces,
        sender() as sending,
    ):
        await sending.self_test()
        worker = Worker(
            loaded.settings,
            Catalogue(loaded.handlers),
            sender=sending,
            consumer=consumer,
            rng=random.Random(),  # noqa: S311  spreads retries, guards nothing  # nosec B311
            tell=tell,
            traces=traces,
        )
        _stop_on_signals(worker.stopping)
        door = IngestDoor(loaded.settings, worker.figures, worker.stopping)
        reload = Reload(loaded, load_again, worker, files_every)
        async with AdminSite(loaded, worker, sending, opened), door, worker, reload:
            yield worker


def consumer_name() -> str:
    """Unique for every start: two workers of one name would hand each other's entries out twice.

    The pod's or host's name, the process id and four random bytes.
    """
    host = os.environ.get("POD_NAME") or socket.gethostname() or "worker"
    return f"{host}-{os.getpid()}-{secrets.token_hex(4)}"


def _stop_on_signals(stopping: asyncio.Event) -> None:
    def stop(number: signal.Signals) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        log.info("stopping", signal=number.name)
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
