"""The real side of the model: two workers, made of the objects of the store, that do one step after another.

What a worker has in memory are the entries it has read, by place as in the model; a crash forgets them, and another
process with another name takes the seat. Time is moved, never waited for: a lease by an idle time that is set, a
record's time by its score, a cool-down by its stamp.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from redis.asyncio import Redis

from streamhooks.model import Entry
from streamhooks.store.claims import Claim, Claims, Covered, Done, Park, Send, Verdict
from streamhooks.store.connection import ask
from streamhooks.store.dead import DeadLetters
from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked
from streamhooks.store.pauses import HELD, Pauses
from streamhooks.store.purge import purge
from streamhooks.store.record import Record
from streamhooks.store.settle import Settlement
from tests.model.scripts import KINDS
from tests.model.state import FINAL, FOUND, NOBODY, SEATS, Shape, World
from tests.model.steps import Step
from tests.store.given import GROUP, LEASE, PRINT, WINDOW, Worker, add, owner_of, worker

SILENT = 1_000_000_000
"""Milliseconds: longer than every lease."""
DELAY = 40.0
"""Seconds until a retry is due; longer than a run."""
WORDS: dict[type[Verdict], str] = {Send: "send", Done: "done", Park: "park", Covered: "covered"}


class Crew:
    """Both workers at one stream."""

    def __init__(self, redis: Redis, shape: Shape) -> None:
        self.redis = redis
        self.shape = shape
        self.keys = Keys.of("gateway:events")
        self.entries: list[str] = []
        """The ids of the events."""
        self.owners: dict[int, str] = {}
        """By job, the owner's name."""
        self.carriers: dict[int, str] = {}
        """By job, the id of its last carrier in the retry stream."""
        self.received: list[int] = []
        """The jobs whose requests were answered 2xx, in order."""
        self.given_up: dict[int, str] = {}
        """Jobs that have ended as suppressed, and whose request stands for each."""
        self.replayed: set[int] = set()
        """Jobs whose dead letters went on as replays."""
        self.purged: set[int] = set()
        """Jobs whose dead letters were thrown away."""
        self.paused: set[int] = set()
        """Handlers whose events are held."""
        self.workers: dict[int, Worker] = {}
        self._before: World
        self._names = 0
        self._origins: dict[int, str] = {}
        """By job, the id of the event that it is of."""
        self._hands: dict[tuple[int, int], str] = {}
        """By worker and place: the id of the carrier."""
        self._covered: dict[tuple[int, int], str] = {}
        """By worker and place: the owner whose request stands for it, as the claim was answered."""
        self._parked = Parked(redis, self.keys)
        self._dead = DeadLetters(redis, self.keys)
        self._pauses = Pauses(redis, self.keys)
        self._claims = Claims(redis, self.keys, LEASE)

    async def begin(self) -> None:
        """An emptied server with the events that are to come."""
        await self.redis.flushall()
        for seat in SEATS:
            self._seat(seat)
        await self.workers[1].entries.ensure_group("0")
        await self.workers[1].retries.ensure_group("0")
        self.entries = await add(self.redis, self.keys, self.shape.entries)
        for job in range(self.shape.jobs):
            entry = job % self.shape.owners
            if entry < self.shape.entries:
                self._origins[job] = self.entries[entry]
                self.owners[job] = owner_of(self.entries[entry], self.handler(job))

    def handler(self, job: int) -> str:
        return f"handler-{job // self.shape.owners}"

    async def do(self, step: Step, before: World) -> None:
        """The step that the model has made from the state `before`."""
        self._before = before
        await _ACTS[step.verb](self, step)

    def _seat(self, seat: int) -> None:
        self._names += 1
        self.workers[seat] = worker(self.redis, self.keys, f"worker-{seat}-{self._names}")
        self._hands = {where: id for where, id in self._hands.items() if where[0] != seat}

    def _job(self, step: Step) -> int:
        return step.thing % self.shape.jobs

    # Reading, taking over, keeping.

    async def _read(self, step: Step) -> None:
        (entry,) = await self.workers[step.seat].entries.read(1, 0.001)
        assert entry.id == self.entries[step.thing]
        if step.free:
            self._hold(step.seat, step.thing, entry)

    async def _read_retry(self, step: Step) -> None:
        (entry,) = await self.workers[step.seat].retries.read(1, 0.001)
        assert Record.read(entry.fields).owner == self.owners[step.thing]
        self.carriers[step.thing] = entry.id
        if step.free:
            self._hands[step.seat, self.shape.jobs + step.thing] = entry.id

    def _places(self, entry: int) -> range:
        return range(entry, self.shape.jobs, self.shape.owners)

    def _hold(self, seat: int, entry: int, read: Entry) -> None:
        for job in self._places(entry):
            self._hands.setdefault((seat, job), read.id)

    async def _take(self, step: Step) -> None:
        id = self.entries[step.thing]
        stream = self.workers[step.seat].entries
        trimmed = bool(self._before.trimmed[step.thing])
        if not trimmed:
            await self._silence(self.keys.stream, id, self._before.holders[step.thing])
        own = step.how == "own"
        idle = 0.0 if own and trimmed else LEASE
        taken = await (stream.recover_own(idle, 100) if own else stream.take("0-0", idle, 100))
        if trimmed:
            assert taken.deleted
            return
        (entry,) = taken.entries
        assert entry.id == id
        if entry.deliveries > 2:
            assert await stream.begin(id) == entry.deliveries
        self._hold(step.seat, step.thing, entry)

    async def _take_retry(self, step: Step) -> None:
        id = self.carriers[step.thing]
        stream = self.workers[step.seat].retries
        await self._silence(self.keys.retry, id, self._before.carriers[step.thing])
        taken = await (stream.recover_own(LEASE, 100) if step.how == "own" else stream.take("0-0", LEASE, 100))
        (entry,) = taken.entries
        assert entry.id == id
        self._hands[step.seat, self.shape.jobs + step.thing] = id

    async def _silence(self, key: str, id: str, holder: int) -> None:
        """Lets the lease of one entry run out, at whoever has it."""
        (found,) = await self._pending(key, id)
        consumer = found["consumer"].decode()
        assert (holder == NOBODY) == (consumer not in {one.name for one in self.workers.values()})
        await self.redis.xclaim(key, GROUP, consumer, 0, [id], idle=SILENT, justid=True)

    async def _pending(self, key: str, id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.redis.xpending_range(key, GROUP, id, id, 1)
        return found

    async def _keep(self, step: Step) -> None:
        """A heartbeat of what was trimmed."""
        id = self.entries[step.thing]
        assert await self.workers[step.seat].entries.keep([id]) == [id]

    async def _let_go(self, step: Step) -> None:
        retried = step.thing >= self.shape.jobs
        id = self._hands.pop((step.seat, step.thing))
        at = self.workers[step.seat]
        assert await (at.retries if retried else at.entries).keep([id]) == [id]

    async def _hand_back(self, step: Step) -> None:
        retried = step.verb == "hand back retry"
        places = [self.shape.jobs + step.thing] if retried else self._places(step.thing)
        (id,) = {self._hands.pop((step.seat, place)) for place in places if (step.seat, place) in self._hands}
        at = self.workers[step.seat]
        back = await (at.retries if retried else at.entries).hand_back([id])
        assert back == (0 if not retried and self._before.trimmed[step.thing] else 1)
        if back:
            await self._keep_for_later(self.keys.retry if retried else self.keys.stream, id)

    async def _keep_for_later(self, key: str, id: str) -> None:
        """What any sweep would take now is kept until the walk comes to its taking."""
        (found,) = await self._pending(key, id)
        assert found["time_since_delivered"] > LEASE * 1000
        await self.redis.xclaim(key, GROUP, found["consumer"].decode(), 0, [id], idle=0, justid=True)

    # One job on its way.

    async def _claim(self, step: Step) -> None:
        job = self._job(step)
        replay = job % self.shape.owners >= self.shape.entries
        asked = Claim(self.handler(job), PRINT, self.owners[job], WINDOW, replay)
        (verdict,) = await self._claims.claim([asked])
        if step.free:
            assert WORDS[type(verdict)] == step.how
        if isinstance(verdict, Covered):
            self._covered[step.seat, step.thing] = verdict.by

    async def _send(self, step: Step) -> None:
        if step.how == "answered 200":
            self.received.append(self._job(step))

    async def _settle(self, step: Step) -> None:
        job = self._job(step)
        held = self._before.hands(step.seat)[step.thing]
        kind = KINDS[held & 15]
        retried = step.thing >= self.shape.jobs
        record = None if kind not in {"retry", "dead"} else self._record(job, "exhausted" if held & 15 == FINAL else "")
        pause = kind == "retry" and job // self.shape.owners in self.paused
        several = self.shape.handlers > 1 and not retried
        answer = await self.workers[step.seat].settle(Settlement(
            kind, "retry" if retried else "stream", self._hands[step.seat, step.thing],
            handler=self.handler(job),
            handlers="\n".join(f"handler-{number}" for number in range(self.shape.handlers)) if several else "",
            fingerprint=PRINT,
            owner=self.owners[job],
            window=WINDOW,
            amount=(-1.0 if pause else DELAY) if kind == "retry" else 0.0,
            record=record,
        ))  # fmt: skip
        assert (answer == "late") == (step.how == "late")
        if answer != "late" and kind == "suppressed":
            self.given_up[job] = self._covered[step.seat, step.thing]
        if step.free:
            del self._hands[step.seat, step.thing]
        assert held & 15 != FOUND or job in self.received

    def _record(self, job: int, reason: str) -> Record:
        run = self.owners[job].partition("|")[0].partition("~")[2]
        return Record(
            origin=self._origins[job], handler=self.handler(job), owner=self.owners[job], fingerprint=PRINT,
            type="AuthFailure", event=b"packed", run=run, why="answered 503", reason=reason,
        )  # fmt: skip

    async def _nothing(self, _step: Step) -> None:
        """What a worker does in its own memory only."""

    # Time, faults, operators.

    async def _wake(self, step: Step) -> None:
        owner, handler = self.owners[step.thing], self.handler(step.thing)
        if (await self.redis.zscore(self.keys.parked, owner) or 0) >= HELD:
            self.paused.discard(step.thing // self.shape.owners)
            await self._pauses.resume(handler, rate=1e6)
            while (await self.redis.zscore(self.keys.parked, owner) or 0) >= HELD:
                await self._pauses.attend()
        await self.redis.zadd(self.keys.parked, {owner: 1}, xx=True)
        assert (await self._parked.wake(1)).moved == 1

    async def pause(self, handler: int) -> None:
        """From now on what is stored for this handler is held."""
        self.paused.add(handler)
        await self._pauses.pause(f"handler-{handler}", "operator", "maintenance")

    async def _over(self, step: Step) -> None:
        """The cool-down is over: its stamp is made as old."""
        key = self.keys.cool(f"handler-{step.thing}", PRINT)
        value, _, stamp = (await ask(self.redis, "GET", key)).decode().rpartition("|")
        await self.redis.set(key, f"{value}|{int(stamp) - int(2000 * WINDOW)}", keepttl=True)

    async def _gone(self, step: Step) -> None:
        """A cool-down runs out, or is evicted."""
        assert await self.redis.delete(self.keys.cool(f"handler-{step.thing}", PRINT)) == 1

    async def _trim(self, step: Step) -> None:
        assert await self.redis.xdel(self.keys.stream, self.entries[step.thing]) == 1

    async def _crash(self, step: Step) -> None:
        self._seat(step.seat)

    async def _replay(self, step: Step) -> None:
        job = step.thing
        letter = await self._letter(job)
        first = job - job % self.shape.owners
        runs = range(first + self.shape.entries, first + self.shape.owners)
        new = next(run for run in runs if run not in self.owners)
        assert await self._dead.replay([letter]) == [letter.id]
        self.replayed.add(job)
        self._origins[new] = self._origins[job]
        self.owners[new] = f"{self._origins[job]}~{letter.id}|{self.handler(job)}"

    async def _purge(self, step: Step) -> None:
        letter = await self._letter(step.thing)
        assert await purge(self.redis, self.keys, [letter]) == [letter.id]
        self.purged.add(step.thing)

    async def _letter(self, job: int) -> Any:
        async for letter in self._dead.letters():
            if letter.record.owner == self.owners[job]:
                return letter
        raise AssertionError(f"no dead letter of {self.owners[job]}")


_ACTS: dict[str, Callable[[Crew, Step], Coroutine[Any, Any, None]]] = {
    "read": Crew._read,
    "read, unheard": Crew._read,
    "read retry": Crew._read_retry,
    "read retry, unheard": Crew._read_retry,
    "take": Crew._take,
    "take retry": Crew._take_retry,
    "keep": Crew._keep,
    "let go": Crew._let_go,
    "hand back": Crew._hand_back,
    "hand back retry": Crew._hand_back,
    "claim": Crew._claim,
    "claim, unheard": Crew._claim,
    "claim, blind": Crew._nothing,
    "send": Crew._send,
    "defer": Crew._nothing,
    "settle": Crew._settle,
    "settle, unheard": Crew._settle,
    "wake": Crew._wake,
    "cool-down over": Crew._over,
    "claim runs out": Crew._gone,
    "mark runs out": Crew._gone,
    "evict": Crew._gone,
    "trim": Crew._trim,
    "crash": Crew._crash,
    "replay letter": Crew._replay,
    "purge letter": Crew._purge,
}
