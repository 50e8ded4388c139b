"""Tasks with an owner: started here, logged when what they do fails, cancelled together."""

import asyncio
from collections.abc import Coroutine
from typing import TypeAlias

import structlog

log = structlog.get_logger("streamhooks")
ASK_AGAIN = 0.1
"""Seconds until a task that was cancelled and still runs is cancelled again."""

Work: TypeAlias = Coroutine[None, None, None]


class Runners:
    """A set of tasks. Unlike in a TaskGroup, work that fails does not end the others."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cancelled = False

    def __len__(self) -> int:
        """How much is being done."""
        return len(self._tasks)

    def spawn(self, work: Work) -> None:
        """Has it done, or forgets it where all was cancelled: nobody would wait for its end."""
        if self._cancelled:
            work.close()
            return
        if self._loop is None:  # asked for once: before Python 3.12 each asking is a call to the kernel (getpid)
            self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def cancel(self) -> None:
        """Cancels what still runs, and waits for it.

        More than once if need be: redis-py sends through asyncio.wait_for, which in Python 3.11 drops a cancellation
        that comes in the moment when what it waits for is done. A task asked only once would then run on.
        """
        self._cancelled = True
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=ASK_AGAIN)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("internal_error", exc_info=error)
