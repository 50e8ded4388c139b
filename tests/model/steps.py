"""Every step that the world can make from a state: what workers do, what time does, and what goes wrong.

A step is one script, or one thing that a worker does by itself. What a worker does may come at any moment and in any
order, so that a stalled one is one whose next step comes late. Steps that need a bound (faults, failures, operators)
are taken out of `left`; the others are *free*: they alone must be enough to bring everything to its end.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.model.rules import Rules
from tests.model.scripts import BrokenError, Scripts
from tests.model.state import (
    ABSENT,
    ANSWERED,
    BLIND,
    BREAKS,
    CLAIMED,
    COSTS,
    COVERED,
    CRASHES,
    DEAD,
    DEFERRALS,
    EVICTIONS,
    FAILED,
    FAILURES,
    FINAL,
    FINALS,
    FOUND,
    GONE,
    MOVED_TO,
    NOBODY,
    NOTHING,
    OLD_D,
    OLD_X,
    OPEN,
    PASSED,
    PURGES,
    READ,
    REPLAYS,
    RERUNS,
    SEATS,
    SILENCES,
    STALLS,
    STEALS,
    STOPS,
    TRIMS,
    UNREAD,
    UNSENT,
    WAKING,
    C,
    D,
    R,
    Shape,
    World,
    X,
)


class Step(NamedTuple):
    """What happens: a verb, the worker that does it (0: nobody's), the entry, job or place that it is done to."""

    verb: str
    seat: int = 0
    thing: int = 0
    how: str = ""
    free: bool = True


Moves = Iterator[tuple[Step, World]]


class Steps:
    """The steps of worlds of one shape, by some rules."""

    def __init__(self, shape: Shape, rules: Rules) -> None:
        self.shape = shape
        self.rules = rules
        self.scripts = Scripts(shape, rules)
        self._owners = shape.owners
        self._jobs = shape.jobs

    def of(self, world: World) -> Moves:
        """Every step and the state after it."""
        for seat in SEATS:
            yield from self._reading(world, seat)
            yield from self._keeping(world, seat)
            if world.left[STOPS]:
                yield from self._stopping(world, seat)
            hands = world.hands(seat)
            for place, held in enumerate(hands):
                if held:
                    yield from self._working(world, seat, place, held)
            if world.left[CRASHES] and (any(hands) or seat in world.holders or seat in world.carriers):
                yield Step("crash", seat, free=False), self._crashed(world, seat)
        yield from self._time(world)
        yield from self._accidents(world)
        yield from self._operators(world)

    # What a worker has in hand.

    def _working(self, world: World, seat: int, place: int, held: int) -> Moves:
        phase = held & 15
        if phase == READ:
            yield from self._claiming(world, seat, place, held)
        elif phase == CLAIMED:
            yield from self._sending(world, seat, place, held)
        elif phase == WAKING:
            new = world.copy()
            new.hands(seat)[place] = NOTHING
            self._end_of_waking(new, place % self._jobs)
            yield Step("wake, second half", seat, place), new
        else:
            yield from self._settling(world, seat, place)
        if phase in UNSENT and not self._keeps(world, seat, place):
            new = world.copy()
            new.hands(seat)[place] = NOTHING
            yield Step("let go", seat, place), new

    def _claiming(self, world: World, seat: int, place: int, held: int) -> Moves:
        retried, job = divmod(place, self._jobs)
        handler = job // self._owners
        new = world.copy()
        verdict = self.scripts.claim(new, job)
        if verdict != "park" or new.wrong:
            by = world.cool[handler] & 15
            new.hands(seat)[place] = (held & PASSED) | _VERDICTS[verdict] | (by << 4 if verdict == "covered" else 0)
            yield Step("claim", seat, place, verdict), new
        if world.left[SILENCES] and new.cool != world.cool:
            deaf = new.copy()
            deaf.hands(seat)[place] = held
            yield Step("claim, unheard", seat, place, free=False), spent(deaf, SILENCES)
        if world.left[BLIND] and not retried:
            blind = world.copy()
            blind.hands(seat)[place] = held - READ + CLAIMED
            yield Step("claim, blind", seat, place, free=False), spent(blind, BLIND)
        if world.left[DEFERRALS]:
            yield self._deferred(world, seat, place, held)

    def _sending(self, world: World, seat: int, place: int, held: int) -> Moves:
        """The request and its reply in one: nobody else sees what is between."""
        job = place % self._jobs
        new = world.copy()
        if new.answered[job] and not new.upset[0]:
            new.wrong = "again"
        new.answered[job] = 1
        self._count(new, job)
        new.hands(seat)[place] = held - CLAIMED + ANSWERED
        yield Step("send", seat, place, "answered 200"), new
        if world.left[FAILURES]:
            new = world.copy()
            new.hands(seat)[place] = held - CLAIMED + FAILED
            yield Step("send", seat, place, "answered 503", free=False), spent(new, FAILURES)
        if world.left[FINALS]:
            new = world.copy()
            self._count(new, job)
            new.hands(seat)[place] = held - CLAIMED + FINAL
            yield Step("send", seat, place, "failed for good", free=False), spent(new, FINALS)
        if world.left[DEFERRALS]:
            yield self._deferred(world, seat, place, held)

    def _deferred(self, world: World, seat: int, place: int, held: int) -> tuple[Step, World]:
        """The breaker is open, the handler is paused or full, too many wait: stored without an attempt."""
        new = world.copy()
        new.hands(seat)[place] = held & PASSED | FAILED
        return Step("defer", seat, place, free=False), spent(new, DEFERRALS)

    def _count(self, world: World, job: int) -> None:
        handler = job // self._owners
        world.sent[handler] += 1

    def _settling(self, world: World, seat: int, place: int) -> Moves:
        new = world.copy()
        counted = self.scripts.settle(new, seat, place)
        heard = new.copy()
        heard.wrong = new.wrong
        heard.hands(seat)[place] = NOTHING
        yield Step("settle", seat, place, "" if counted else "late"), heard
        if world.left[SILENCES] and counted:
            yield Step("settle, unheard", seat, place, free=False), spent(new, SILENCES)
        if world.left[BREAKS]:
            new = world.copy()
            try:
                self.scripts.settle(new, seat, place, breaks=True)
            except BrokenError as broken:
                if broken.args[0]:
                    yield Step("settle, broken off", seat, place, free=False), spent(new, BREAKS)

    # What a worker takes up.

    def _reading(self, world: World, seat: int) -> Moves:
        """XREADGROUP hands out the oldest entry; its reply may be lost."""
        for entry, holder in enumerate(world.holders):
            if holder != UNREAD:
                continue
            new = world.copy()
            new.holders[entry] = seat
            if world.left[SILENCES]:
                yield Step("read, unheard", seat, entry, free=False), spent(new.copy(), SILENCES)
            for job in self.scripts.jobs_of(entry):
                new.hands(seat)[job] = READ
            yield Step("read", seat, entry), new
            break
        for job, holder in enumerate(world.carriers):
            place = self._jobs + job
            if holder == UNREAD and not world.hands(seat)[place]:
                new = world.copy()
                new.carriers[job] = seat
                if world.left[SILENCES]:
                    yield Step("read retry, unheard", seat, job, free=False), spent(new.copy(), SILENCES)
                new.hands(seat)[place] = READ
                yield Step("read retry", seat, job), new

    def _keeping(self, world: World, seat: int) -> Moves:
        """The sweep, the look at what is pending at ourselves and not in hand, and the heartbeat."""
        for entry, holder in enumerate(world.holders):
            if holder not in {UNREAD, GONE}:
                places = list(self.scripts.jobs_of(entry))
                yield from self._taking(world, seat, holder, entry, places, retried=False)
                if holder == seat and world.trimmed[entry] and any(world.hands(seat)[place] for place in places):
                    new = world.copy()
                    self.scripts.keep(new, seat, entry)
                    yield Step("keep", seat, entry), new
        for job, holder in enumerate(world.carriers):
            if holder not in {UNREAD, GONE}:
                yield from self._taking(world, seat, holder, job, [self._jobs + job], retried=True)

    def _taking(self, world: World, seat: int, holder: int, thing: int, places: list[int], *, retried: bool) -> Moves:
        own = any(_live(world.hands(seat)[place]) for place in places)
        alive = holder in SEATS and any(_live(world.hands(holder)[place]) for place in places)
        trimmed = not retried and world.trimmed[thing]
        if (holder == seat and own) or (alive and not trimmed and not world.left[STEALS]):
            return
        if any(world.hands(seat)[place] & PASSED for place in places):
            return  # its memory has one place for both; the other worker may take it
        new = world.copy()
        if retried:
            new.carriers[thing] = seat
            jobs = [thing]
        else:
            script = self.scripts.take if holder == seat else self.scripts.sweep
            jobs = script(new, seat, thing)
        if not own:
            for job in jobs:
                new.hands(seat)[self._jobs + job if retried else job] = READ
        verb = "take retry" if retried else "take"
        if holder == seat:
            yield Step(verb, seat, thing, "own"), new
        elif alive and not trimmed:
            new.upset[0] = 1
            yield Step(verb, seat, thing, "from a living worker", free=False), spent(new, STEALS)
        else:
            yield Step(verb, seat, thing), new

    def _stopping(self, world: World, seat: int) -> Moves:
        """What was not sent is handed back, so that a peer has it at once."""
        for retried, holders in ((False, world.holders), (True, world.carriers)):
            for thing, holder in enumerate(holders):
                places = [self._jobs + thing] if retried else self.scripts.jobs_of(thing)
                held = [world.hands(seat)[place] for place in places if _live(world.hands(seat)[place])]
                if holder == seat and held and (self.rules.hands_back_sent or {one & 15 for one in held} <= {*UNSENT}):
                    new = world.copy()
                    self.scripts.hand_back(new, seat, thing, retried=retried)
                    yield (
                        Step("hand back retry" if retried else "hand back", seat, thing, free=False),
                        spent(new, STOPS),
                    )

    def _keeps(self, world: World, seat: int, place: int) -> bool:
        """Whether a heartbeat would find the carrier still pending here."""
        retried, job = divmod(place, self._jobs)
        if world.hands(seat)[place] & PASSED:
            return False
        return (world.carriers[job] if retried else world.holders[job % self._owners]) == seat

    # What nobody does.

    def _time(self, world: World) -> Moves:
        for job, stored in enumerate(world.parked):
            if stored:
                yield from self._waking(world, job)
        for handler, value in enumerate(world.cool):
            if value == ABSENT:
                continue
            state, owner = value >> 4, value & 15
            job = handler * self._owners + owner
            new = world.copy()
            if state in {D, X}:
                new.cool[handler] = (OLD_D if state == D else OLD_X) << 4 | owner
                new.sent[handler] = 0
                yield Step("cool-down over", 0, handler), new
                continue
            new.cool[handler] = ABSENT
            if state == C and self._renewed(world, handler, job):
                if world.left[STALLS]:
                    yield (
                        Step("claim runs out", 0, handler, "under a living worker", free=False),
                        spent(new, STALLS),
                    )
            elif not (state == R and world.parked[job]):  # `r` outlives its record's time by a lease
                yield Step("claim runs out" if state in {C, R} else "mark runs out", 0, handler), new

    def _renewed(self, world: World, handler: int, job: int) -> bool:
        """Whether a worker keeps this claim alive: it has the job in hand and has claimed for it."""
        for seat in SEATS:
            hands = world.hands(seat)
            if any(CLAIMED <= hands[place] & 15 < WAKING for place in (job, self._jobs + job)):
                return True
        if not self.rules.parked_renews:
            return False
        return any(
            held & 15 == READ and place % self._jobs // self._owners == handler
            for seat in SEATS
            for place, held in enumerate(world.hands(seat))
        )

    def _waking(self, world: World, job: int) -> Moves:
        if self.rules.wake == "one step":
            new = world.copy()
            self.scripts.wake(new, job)
            yield Step("wake", 0, job), new
            return
        for seat in SEATS:
            place = self._jobs + job
            if not world.hands(seat)[place]:
                new = world.copy()
                new.hands(seat)[place] = WAKING
                if self.rules.wake == "add, then remove":
                    self.scripts.add_carrier(new, job)
                else:
                    new.parked[job] = 0
                yield Step("wake, first half", seat, job), new

    def _end_of_waking(self, world: World, job: int) -> None:
        if self.rules.wake == "add, then remove":
            world.parked[job] = 0
        else:
            self.scripts.add_carrier(world, job)

    # What goes wrong, and what people do.

    def _crashed(self, world: World, seat: int) -> World:
        """A process dies; another one takes its seat, with a name of its own and nothing in hand."""
        new = spent(world.copy(), CRASHES)
        new.holders = [NOBODY if holder == seat else holder for holder in new.holders]
        new.carriers = [NOBODY if holder == seat else holder for holder in new.carriers]
        new.hands(seat)[:] = [NOTHING] * len(new.hands(seat))
        new.upset[0] = 1
        return new

    def _accidents(self, world: World) -> Moves:
        if world.left[EVICTIONS]:
            for handler, value in enumerate(world.cool):
                if value:
                    new = world.copy()
                    new.cool[handler] = ABSENT
                    yield Step("evict", 0, handler, free=False), spent(new, EVICTIONS)
        if world.left[TRIMS]:
            for entry, holder in enumerate(world.holders):
                if holder not in {UNREAD, GONE} and not world.trimmed[entry]:
                    new = world.copy()
                    new.trimmed[entry] = 1
                    yield Step("trim", 0, entry, free=False), spent(new, TRIMS)

    def _operators(self, world: World) -> Moves:
        if world.left[REPLAYS]:
            for job, fate in enumerate(world.fates):
                seen = fate == DEAD or (not self.rules.replay_takes_letter and fate >= MOVED_TO)
                run = self._free_run(world, job)
                if seen and run:
                    new = world.copy()
                    self.scripts.replay_letter(new, job, run)
                    yield Step("replay letter", 0, job, free=False), spent(new, REPLAYS)
        if world.left[PURGES]:
            for job, letter in enumerate(world.letters):
                if letter:
                    new = world.copy()
                    self.scripts.purge_letter(new, job)
                    yield Step("purge letter", 0, job, free=False), spent(new, PURGES)
        if world.left[RERUNS]:
            for job, fate in enumerate(world.fates):
                run = self._free_run(world, job)
                if job % self._owners < self.shape.entries and fate != OPEN and run:
                    new = world.copy()
                    self.scripts.rerun(new, job, run)
                    yield Step("replay of history", 0, job, free=False), spent(new, RERUNS)

    def _free_run(self, world: World, job: int) -> int:
        """An owner that no replay is yet; 0: there is none left."""
        first = job // self._owners * self._owners
        for owner in range(self.shape.entries, self._owners):
            if world.fates[first + owner] == OPEN:
                return owner
        return 0


_VERDICTS = {"send": CLAIMED, "done": FOUND, "covered": COVERED, "park": READ}


def _live(held: int) -> bool:
    return held != NOTHING and not held & PASSED


def spent(world: World, bound: int) -> World:
    """Something of a bounded number has happened."""
    world.left[bound] -= 1
    world.allowed[0] += COSTS[bound]
    return world
