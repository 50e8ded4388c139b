"""A handler's lane: its queue, its slots and its breaker, so that no endpoint holds up another.

A job comes with its claim made. It is sent at once while a slot is free, else queued. When the queue is full it
waits for a place where that is a matter of milliseconds; where the handler is slow, has finished nothing for a second,
or has a rate limit, it is deferred to Redis. So a burst to a quick endpoint never takes the long way, and neither a
dead endpoint nor a slow one holds the others up.

A slot is no task: on a connection that stands a request is written at once, and its answer calls. Only what has to wait
before it can be written, for a connection or for its turn, is a task meanwhile.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Literal, assert_never

import structlog

from streamhooks.delivery.breaker import Breaker
from streamhooks.delivery.judge import judge, status_words
from streamhooks.delivery.request import RequestMaker
from streamhooks.flow.carrier import Job
from streamhooks.flow.failpoints import reached
from streamhooks.flow.pace import STALLED, Pace
from streamhooks.flow.patience import within
from streamhooks.flow.pausing import Standing
from streamhooks.flow.telling import Telling
from streamhooks.flow.turns import Turns
from streamhooks.handlers.handler import Handler
from streamhooks.model import HELD, Dead, Delivered, Failure, Outcome, Reply, Request, Retry
from streamhooks.observe.figures import HandlerFigures
from streamhooks.sender import Sender

log = structlog.get_logger("streamhooks")
FULL_DELAY = 5.0
"""Seconds until a job that found its lane full is tried again, at the soonest."""
SLOW = 200.0
"""Answers a second. A quicker lane frees a place within 5 ms, which the reader may wait; for a slower one it must not,
for behind this event stand those of others."""
QUEUED_TURNS = 10.0
"""Seconds of turns that may wait in memory, in slots and in the queue, where there is a rate limit."""

Spawn = Callable[[Coroutine[None, None, None]], object]
Said = Callable[[str, Delivered | Dead], None]
"""Is told of a handler whose endpoint says that it is gone, or whose probe was delivered."""


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
        standing: Standing,
        turns: Turns | None,
        said: Said,
        telling: Telling,
    ) -> None:
        self.handler = handler
        self.makers = makers
        """One for each partition, whose number is part of the `webhook-id`."""
        self.figures = figures
        self.breaker = Breaker(handler.breaker)
        self.standing = standing
        self._sender = sender
        self._spawn = spawn
        self._turns = turns
        self._said = said
        self._telling = telling
        self._queue: deque[Job] = deque()
        waiting = max(1, int(turns.rate * QUEUED_TURNS)) if turns else max(queue, handler.concurrency)
        self._slots = min(handler.concurrency, waiting)
        self._queue_room = min(queue, waiting)
        self._running = 0
        self._pace = Pace()
        self._tail = 0.0
        """When the last job that was deferred for want of room may come back."""
        self._place = asyncio.Event()
        self._rng = rng
        self._closed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Lane {self.handler.id} {self._running} sending, {len(self._queue)} queued>"

    @property
    def in_flight(self) -> int:
        return self._running

    @property
    def breaker_state(self) -> int:
        """0 closed, 1 half-open, 2 open."""
        return ("closed", "half_open", "open").index(self.breaker.state(time.monotonic()))

    def offer(self, job: Job) -> bool:
        """Whether the job is sent at once, or not to be sent; else it is to be queued."""
        if self._running < self._slots and not self._closed.is_set():
            if not self._running:
                self._pace.begin(time.monotonic())
            self._running += 1
            if not self._starts(job):
                self._go_on()
            return True
        if self.standing.holds(job.owner, time.monotonic()):
            job.end(_held(job))
            return True
        return False

    async def queue(self, job: Job) -> None:
        """Sends the job when its turn comes; waits only while the queue is full and moving."""
        while len(self._queue) >= self._queue_room and not self._closed.is_set():
            now = time.monotonic()
            if (later := self._put_off(now)) > 0:
                job.end(Retry(later, job.attempt, "handler full"))
                return
            self._place.clear()
            await within(self._place.wait(), STALLED - self._pace.idle(now))
            if self.offer(job):  # meanwhile all that was queued may have gone, and every slot be free
                return
        self._queue.append(job)

    def _put_off(self, now: float) -> float:
        """Seconds until a job that finds the queue full may come back; 0: waiting for a place is as good."""
        if self._pace.idle(now) >= STALLED and self._turns is None:
            return self._spread(FULL_DELAY)
        pace = self._turns.rate if self._turns else self._pace.per_second(now)
        if pace and (self._turns or pace < SLOW):
            # Each comes back when this lane may be done with those before it, not all of them together.
            self._tail = max(self._tail, now + FULL_DELAY) + 1 / pace
            return self._tail - now
        return 0.0

    def close(self) -> None:
        """Starts nothing more; what is queued stays unsent, and is handed back with its carrier."""
        self._closed.set()
        self._queue.clear()
        self._place.set()

    def _go_on(self) -> None:
        """A slot takes what is queued; where nothing is, it is free."""
        while self._queue:
            job = self._queue.popleft()
            self._place.set()
            if self._starts(job):
                return
        self._running -= 1

    def _starts(self, job: Job) -> bool:
        """A slot has it to send; False where that is all: it was lost to another worker meanwhile, or put off."""
        if self._turns is None:
            return self._is_under_way(job)
        self._spawn(self._sent_in_turn(job, self._turns))
        return True

    def _is_under_way(self, job: Job) -> bool:
        """Begins to send it; False as `_starts` has it."""
        try:
            if job.state != "queued" or not self._begins(job):
                return False
            if not self._sender.ask(_request(job), self.handler, partial(self._answered, job)):
                self._spawn(self._sent(job))
        except Exception as error:  # noqa: BLE001  which _bug tells
            self._judged(job, self._bug(job, error))
            return False
        return True

    async def _sent(self, job: Job) -> None:
        answer: Reply | Failure | Exception
        try:
            answer = await self._sender.send(_request(job), self.handler)
        except asyncio.CancelledError:  # the worker stops, and the job stays pending
            self._running -= 1
            raise
        except Exception as error:  # noqa: BLE001  as above
            answer = error
        self._answered(job, answer)

    async def _sent_in_turn(self, job: Job, turns: Turns) -> None:
        try:
            came = await self._turn(turns)
        except BaseException:
            self._running -= 1
            raise
        if not came:  # the lane was closed, and the job is handed back
            self._running -= 1
        elif not self._is_under_way(job):
            self._go_on()

    def _answered(self, job: Job, answer: Reply | Failure | Exception) -> None:
        self._judged(job, self._bug(job, answer) if isinstance(answer, Exception) else answer)
        self._go_on()

    def _bug(self, job: Job, error: Exception) -> Failure:
        """It must not lose this job nor hold the ones behind it: it counts as our own trouble."""
        log.error("sending_failed", handler=self.handler.id, entry=job.event.id, exc_info=error)
        return Failure("local", "internal error, see the log", time.monotonic() - job.started)

    def _judged(self, job: Job, answer: Reply | Failure) -> None:
        try:
            self._ended(job, answer)
        except Exception:  # a bug; kept as if it were being sent, the job would stay ours for ever
            log.exception("sending_failed", handler=self.handler.id, entry=job.event.id)
            job.end(Retry(FULL_DELAY, job.attempt, "internal error, see the log"))

    async def _turn(self, turns: Turns) -> bool:
        """Waits for the next turn; False where the lane was closed before it came."""
        wait = await turns.next()
        return not (wait > 0 and await within(self._closed.wait(), wait)) and not self._closed.is_set()

    def _begins(self, job: Job) -> bool:
        """Whether the job may be sent now; else it is on its way to be stored."""
        now = time.monotonic()
        if self.standing.holds(job.owner, now):
            job.end(_held(job))
            return False
        if not self.breaker.permit(now):
            job.end(Retry(self._spread(self.breaker.wait(now)), job.attempt, "breaker open"))
            return False
        job.state = "sending"
        job.started = now
        reached("sending", job.owner)
        return True

    def _ended(self, job: Job, answer: Reply | Failure) -> None:
        job.replied = time.monotonic()
        job.answer = answer
        if job.span is not None:
            job.span.attempted(job.attempt, answer)
        if isinstance(answer, Reply):  # a time-out is no sign that the endpoint moves
            self._pace.moved(job.replied)
        reached("replied")
        change = self.breaker.record(answer, job.replied)
        if change:
            self._tell_of_breaker(change, answer, job)
        self.figures.attempted(answer)
        age = _age(job) if job.first else 0.0
        outcome = judge(job.attempt, answer, self.handler.retry, age=age, now=time.time(), rng=self._rng)
        if self.standing.paused or isinstance(outcome, Dead):
            self._tell(job, outcome)
        job.end(outcome)

    def _tell_of_breaker(self, change: Literal["opened", "closed"], answer: Reply | Failure, job: Job) -> None:
        match change:
            case "opened":
                log.warning("breaker_opened", handler=self.handler.id, why=_words(answer), entry=job.event.id,
                            seconds=round(self.breaker.wait(job.replied), 1),
                            effect="its events are stored; then one is tried")  # fmt: skip
                self._telling.tell("StreamhooksBreakerOpened", self.handler.id, about=job.event)
            case "closed":
                log.warning("breaker_closed", handler=self.handler.id, entry=job.event.id,
                            effect="what was stored follows")  # fmt: skip
                self._telling.tell("StreamhooksBreakerClosed", self.handler.id, about=job.event)
            case unknown:
                assert_never(unknown)

    def _tell(self, job: Job, outcome: Outcome) -> None:
        if isinstance(outcome, Dead) and outcome.reason == "gone":
            self.standing.gone(job.replied)
            self._said(self.handler.id, outcome)
        elif isinstance(outcome, Delivered) and self.standing.is_probe(job.owner):
            self._said(self.handler.id, outcome)

    def _spread(self, seconds: float) -> float:
        """What waits for the same moment comes back over a third of the time more, not all at once."""
        return seconds * (1 + self._rng.random() / 3)


def _request(job: Job) -> Request:
    if job.request is None:  # a job without a request has ended before it could be offered
        raise AssertionError(job)
    return job.request if job.span is None else job.span.carried(job.request)


def _words(answer: Reply | Failure) -> str:
    return status_words(answer.status) if isinstance(answer, Reply) else f"{answer.kind}: {answer.message}"


def _held(job: Job) -> Retry:
    return Retry(HELD, job.attempt, "handler paused")


def _age(job: Job) -> float:
    """Seconds since the first attempt, by the clock of Redis: its id says when the carrier was made."""
    made = int(job.carrier.entry.id.partition("-")[0])
    return max(0.0, (made - job.first - job.paused) / 1000)
