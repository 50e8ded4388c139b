"""How it all stands, once a second while somebody looks: rates, latencies, what waits, and every handler.

What Redis keeps is true for all workers: the account, from whose growth the rates come, the backlog, the pauses. What
only a worker knows (latencies, breakers, what is under way) is live for this one; the others tell of themselves every
ten seconds, see flow/snapshots.py. Of several workers the table shows sums, and the slowest one's latencies.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from streamhooks.errors import StoreError
from streamhooks.flow.lane import Lane
from streamhooks.flow.worker import Worker
from streamhooks.observe.figures import Durations
from streamhooks.operations.standing import Standings
from streamhooks.store.backlog import Backlog, measure
from streamhooks.store.pauses import Note
from streamhooks.store.snapshots import HandlerSnapshot, Snapshot, load
from streamhooks.store.status import overview

PATIENCE = 2.0
"""Seconds that a sample waits for Redis."""
WINDOW = 10
"""Samples over which a worker's own rates and latencies are taken, as those of the others are."""
OTHERS_EVERY = 5.0
"""Seconds between two looks at the other workers, who tell of themselves every ten."""
SHORTEST = 0.5
"""Seconds: in less than that one event more is a rate that never was."""
OUTAGES = ("away", "refusing")
BREAKER_STATES = ("closed", "half_open", "open")
RATES = ("accepted", "delivered", "suppressed", "stored", "dead", "unmatched")


class HandlerSample(Struct, frozen=True):
    """One handler over all workers."""

    id: str
    state: str
    why: str
    """Of a pause."""
    since: int
    until: int
    per_second: float
    """Deliveries."""
    p50: float
    """Seconds of an attempt, the bound of its bucket; 0: there was none lately."""
    p99: float
    in_flight: int
    breaker: str
    delivered: int
    """Since each worker's start, like all that follow."""
    suppressed: int
    stored: int
    dead: int
    attempts: int
    failures: int


class Sample(Struct, frozen=True):
    """One look at everything."""

    at: int
    """Milliseconds since 1970."""
    redis: str
    """`ok`, `refusing` (writes), `away` or `failing`; with the last two what follows of Redis is empty."""
    per_second: Mapping[str, float]
    """The account's terms, over all workers, since the last sample."""
    p50: float
    """Seconds of this worker's attempts."""
    p99: float
    backlog: Mapping[str, float]
    account: Mapping[str, int]
    workers: int
    handlers: tuple[HandlerSample, ...]

    @property
    def point(self) -> tuple[int, float, float, float, float]:
        """What is drawn of it: time, deliveries a second, p50, p99, backlog."""
        delivered = self.per_second.get("delivered", 0.0)
        return self.at, delivered, self.p50, self.p99, self.backlog.get("total", 0)


class Sampler:
    """Takes samples of one worker and of what it shares with the others."""

    def __init__(self, worker: Worker, standings: Standings) -> None:
        self._worker = worker
        self._standings = standings
        self._own = _OwnFigures()
        self._others: list[Snapshot] = []
        self._workers = 1
        self._looked = -OTHERS_EVERY
        self._before: tuple[float, Mapping[str, int]] | None = None
        self._last: dict[str, float] = dict.fromkeys(RATES, 0.0)

    async def take(self) -> Sample:
        """Never raises StoreError: a sample says that Redis is away."""
        now = time.monotonic()
        own = self._own.take(self._worker.lanes, now)
        try:
            async with asyncio.timeout(PATIENCE):
                backlogs = [
                    await measure(self._worker.client, p.keys, p.entries, p.retries) for p in self._worker.partitions
                ]
                notes = await self._standings.notes()
                if now - self._looked >= OTHERS_EVERY:
                    await self._look_at_others()
                    self._looked = now
        except TimeoutError:
            return self._sample("away", {}, {}, {}, own, {})
        except StoreError as error:
            return self._sample(error.kind if error.kind in OUTAGES else "failing", {}, {}, {}, own, {})
        account = _account(backlogs)
        rates = self._rates(now, account)
        state = "refusing" if self._worker.health.refusing else "ok"
        return self._sample(state, rates, _backlog(backlogs), account, own, notes)

    def _sample(
        self,
        redis: str,
        rates: Mapping[str, float],
        backlog: Mapping[str, float],
        account: Mapping[str, int],
        own: Mapping[str, HandlerSnapshot],
        notes: Mapping[str, Note],
    ) -> Sample:
        handlers = [_handler(id, self._of(id, mine), notes.get(id)) for id, mine in own.items()]
        p50, p99 = self._own.latencies()
        return Sample(
            at=round(time.time() * 1000), redis=redis, per_second=rates, p50=p50, p99=p99, backlog=backlog,
            account=account, workers=self._workers, handlers=tuple(handlers),
        )  # fmt: skip

    def _of(self, id: str, mine: HandlerSnapshot) -> list[HandlerSnapshot]:
        return [mine, *(one.handlers[id] for one in self._others if id in one.handlers)]

    def _rates(self, now: float, account: Mapping[str, int]) -> dict[str, float]:
        if self._before is None:
            self._before = now, account
        since, before = self._before
        if now - since >= SHORTEST:
            grown = {term: account.get(term, 0) - before.get(term, 0) for term in RATES}
            # Below 0: somebody has emptied Redis.
            self._last = {term: round(max(0, count) / (now - since), 1) for term, count in grown.items()}
            self._before = now, account
        return self._last

    async def _look_at_others(self) -> None:
        names: dict[str, None] = {}
        for partition in self._worker.partitions:
            seen = await overview(self._worker.client, partition.keys, self._worker.settings.stream.group)
            names |= dict.fromkeys(one.name for one in seen.consumers)
        names.pop(self._worker.consumer, None)
        self._others = await load(self._worker.client, self._worker.partitions[0].keys, names)
        self._workers = len(self._others) + 1


class _OwnFigures:
    """This worker's figures over the last samples."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, dict[str, tuple[int, list[int]]]]] = deque(maxlen=WINDOW + 1)
        self._all = Durations()

    def take(self, lanes: Iterable[Lane], now: float) -> dict[str, HandlerSnapshot]:
        counted = {
            lane.handler.id: (lane.figures.outcomes["delivered"], list(lane.figures.attempt_seconds.counts))
            for lane in lanes
        }
        self._seen.append((now, counted))
        since, before = self._seen[0]
        passed = max(1.0, now - since)
        self._all = Durations()
        return {lane.handler.id: self._of(lane, before, passed) for lane in lanes}

    def _of(self, lane: Lane, before: Mapping[str, tuple[int, list[int]]], passed: float) -> HandlerSnapshot:
        own = lane.figures
        delivered, counts = own.outcomes["delivered"], own.attempt_seconds.counts
        old_delivered, old_counts = before.get(lane.handler.id, (delivered, counts))
        lately = Durations()
        lately.counts = [count - old for count, old in zip(counts, old_counts, strict=True)]
        self._all.counts = [one + other for one, other in zip(self._all.counts, lately.counts, strict=True)]
        return HandlerSnapshot(
            delivered=delivered,
            suppressed=own.outcomes["suppressed"],
            stored=own.outcomes["stored"],
            dead=own.outcomes["dead"],
            attempts=own.attempts.total(),
            failures=own.attempts.total() - own.attempts["2xx"],
            per_second=round((delivered - old_delivered) / passed, 1),
            p50=lately.quantile(0.5),
            p99=lately.quantile(0.99),
            in_flight=lane.in_flight,
            breaker=BREAKER_STATES[lane.breaker_state],
        )

    def latencies(self) -> tuple[float, float]:
        return self._all.quantile(0.5), self._all.quantile(0.99)


def _handler(id: str, every: Sequence[HandlerSnapshot], note: Note | None) -> HandlerSample:
    return HandlerSample(
        id=id,
        state=note.state if note else "active",
        why=note.why if note else "",
        since=note.since if note else 0,
        until=note.until if note else 0,
        per_second=round(sum(one.per_second for one in every), 1),
        p50=max(one.p50 for one in every),
        p99=max(one.p99 for one in every),
        in_flight=sum(one.in_flight for one in every),
        breaker=max((one.breaker for one in every), key=BREAKER_STATES.index),
        delivered=sum(one.delivered for one in every),
        suppressed=sum(one.suppressed for one in every),
        stored=sum(one.stored for one in every),
        dead=sum(one.dead for one in every),
        attempts=sum(one.attempts for one in every),
        failures=sum(one.failures for one in every),
    )


def _account(backlogs: Sequence[Backlog]) -> dict[str, int]:
    account: Counter[str] = Counter()
    for backlog in backlogs:
        account.update(backlog.account)
    return dict(account)


def _backlog(backlogs: Sequence[Backlog]) -> dict[str, float]:
    names = ("lag", "pending", "parked", "due", "held", "dead", "total")
    told: dict[str, float] = {name: sum(getattr(one, name) for one in backlogs) for name in names}
    return told | {"oldest_pending": round(max(one.oldest_pending for one in backlogs), 1)}
