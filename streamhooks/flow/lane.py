"""A handler's lane: its queue, its slots and its breaker, so that no endpoint holds up another.

A job is offered with its claim made. It is sent at once while a slot is free, else queued; when the queue is full it
waits for a place, and only when the handler has finished nothing for a second is it deferred to Redis. So a burst to a
quick endpoint never takes the long way, and a dead endpoint never holds the others up.

A runner is a task that lives as long as there is something to send, not a task per event.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine

import structlog

from streamhooks.delivery.breaker import Breaker
from streamhooks.delivery.judge import judge
from streamhooks.delivery.request import RequestMaker
from streamhooks.flow.carrier import Job
from streamhooks.flow.failpoints import reached
from streamhooks.flow.patience import within
from streamhooks.handlers.handler import Handler
from streamhooks.model import Failure, Reply, Retry
from streamhooks.observe.figures import HandlerFigures
from streamhooks.sender import Sender

log = structlog.get_logger("streamhooks")
STALLED = 1.0
"""Seconds without a finished job after which a full lane defers what comes."""
FULL_DELAY = 5.0
"""Seconds until a job that found its lane full and stalled is tried again."""

Spawn = Callable[[Coroutine[None, None, None]], object]


class Lane:
    """One handler at work in this process."""

    def __init__(
        self,
        handler: Handler,
        *,
        makers: tuple[RequestMaker, ...],
        sender: Sender,
        spawn: Spawn,
        queue: int,
        figures: HandlerFigures,
        rng: random.Random,
    ) -> None:
        self.handler = handler
        self.makers = makers
        """One for each partition, whose number is part of the `webhook-id`."""
        self.figures = figures
        self.breaker = Breaker(handler.breaker)
        self._sender = sender
        self._spawn = spawn
        self._queue: deque[Job] = deque()
        self._queue_room = queue
        self._running = 0
        self._finished_at = 0.0
        self._place = asyncio.Event()
        self._rng = rng
        self._closed = False

    def __repr__(self) -> str:
        return f"<Lane {self.handler.id} {self._running} sending, {len(self._queue)} queued>"

    @property
    def in_flight(self) -> int:
        return self._running

    @property
    def breaker_state(self) -> int:
        """0 closed, 1 half-open, 2 open."""
        return ("closed", "half_open", "open").index(self.breaker.state(time.monotonic()))

    async def offer(self, job: Job) -> None:
        """Sends the job when its turn comes; waits only while the queue is full and moving."""
        if self._running < self.handler.concurrency and not self._closed:
            if not self._running:
                self._finished_at = time.monotonic()
            self._running += 1
            self._spawn(self._run(job))
            return
        while len(self._queue) >= self._queue_room and not self._closed:
            idle = time.monotonic() - self._finished_at
            if idle >= STALLED:
                job.end(Retry(self._spread(FULL_DELAY), job.attempt, "handler full"))
                return
            self._place.clear()
            await within(self._place.wait(), STALLED - idle)
        self._queue.append(job)

    def close(self) -> None:
        """Starts nothing more; what is queued stays unsent, and is handed back with its carrier."""
        self._closed = True
        self._queue.clear()
        self._place.set()

    async def _run(self, first: Job) -> None:
        """Sends the job and then whatever is queued."""
        job: Job | None = first
        try:
            while job is not None:
                if job.state == "queued":  # else lost to another worker meanwhile
                    await self._attempt(job)
                job = self._queue.popleft() if self._queue else None
                self._place.set()
        finally:
            self._running -= 1

    async def _attempt(self, job: Job) -> None:
        now = time.monotonic()
        if not self.breaker.permit(now):
            job.end(Retry(self._spread(self.breaker.wait(now)), job.attempt, "breaker open"))
            return
        job.state = "sending"
        job.started = now
        reached("sending")
        answer = await self._sent(job)
        job.replied = time.monotonic()
        job.answer = answer
        if isinstance(answer, Reply):  # a time-out is no sign that the endpoint moves
            self._finished_at = job.replied
        reached("replied")
        self.breaker.record(answer, job.replied)
        self.figures.attempted(answer)
        job.end(judge(job.attempt, answer, self.handler.retry, age=_age(job), now=time.time(), rng=self._rng))

    async def _sent(self, job: Job) -> Reply | Failure:
        if job.request is None:  # a job without a request has ended before it could be offered
            raise AssertionError(job)
        try:
            return await self._sender.send(job.request, self.handler)
        except Exception:
            # A bug must not lose this job nor hold the ones behind it: it counts as our own trouble.
            log.exception("sending_failed", handler=self.handler.id, entry=job.event.id)
            return Failure("local", "internal error, see the log", time.monotonic() - job.started)

    def _spread(self, seconds: float) -> float:
        """What waits for the same moment comes back over a third of the time more, not all at once."""
        return seconds * (1 + self._rng.random() / 3)


def _age(job: Job) -> float:
    """Seconds since the first attempt, by the clock of Redis: its id says when the carrier was made."""
    made = int(job.carrier.entry.id.partition("-")[0])
    return max(0.0, (made - job.first) / 1000) if job.first else 0.0
