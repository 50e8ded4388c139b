"""What the scripts of streamhooks/store/lua do, one method for each, on the state of the model.

    claim           lua/claim.lua
    settle          lua/settle.lua: `settle.delivered`, `.suppressed`, `.retry`, `.dead`, and its `finish`
    wake            lua/wake.lua
    sweep, take     lua/take.lua, with the receipts that flow/intake.py asks for
    keep            lua/renew.lua
    replay_letter   lua/replay_letters.lua
    purge_letter    lua/purge_letters.lua
    hand_back       lua/hand_back.lua

Whoever changes one of those changes it here too; test_against_the_server.py fails where the two do different things.
Each runs as one step. A *break* ends a script at a write that the server refuses: Redis does not take back what was
written before it.
"""

from tests.model.rules import Kind, Rules, Verdict, Whose, Write
from tests.model.state import (
    ABSENT,
    ANSWERED,
    COVERED,
    DEAD,
    DELIVERED,
    ENDED_BY,
    FAILED,
    FINAL,
    FOUND,
    GONE,
    LOST,
    MOVED_TO,
    NOTHING,
    OLD_D,
    OLD_X,
    OPEN,
    PASSED,
    PURGED,
    SEATS,
    STORED,
    UNREAD,
    C,
    D,
    R,
    Shape,
    World,
    X,
)

KINDS: dict[int, Kind] = {
    ANSWERED: "delivered",
    FOUND: "delivered",
    COVERED: "suppressed",
    FAILED: "retry",
    FINAL: "dead",
}
"""How an outcome in a worker's memory is settled."""

FIRST: dict[Kind, Write] = {"delivered": "mark", "suppressed": "finish", "retry": "store", "dead": "store"}
"""The write that comes first by the design. Where it is refused nothing else may have been written."""


class BrokenError(Exception):
    """A write was refused. Its argument: whether something was written before it."""


class Scripts:
    """The scripts over worlds of one shape."""

    def __init__(self, shape: Shape, rules: Rules) -> None:
        self.shape = shape
        self.rules = rules
        self._owners = shape.owners
        self._jobs = shape.jobs
        self._all = (1 << shape.handlers) - 1
        self._orders: dict[Kind, tuple[Write, ...]] = {
            "delivered": rules.delivered, "suppressed": ("finish",), "retry": rules.retry, "dead": rules.dead,
        }  # fmt: skip

    def verdict(self, world: World, job: int) -> Verdict:
        """What the cool-down says to this owner."""
        handler, owner = divmod(job, self._owners)
        value = world.cool[handler]
        state, by = value >> 4, value & 15
        whose: Whose = "nobody" if state == ABSENT else "own" if by == owner else "another"
        table = self.rules.claims if owner < self.shape.entries else self.rules.replays
        verdict = table[state, whose]
        if whose == "own" and verdict in {"park", "covered"}:
            world.wrong = "shut out"
        elif verdict == "covered" and world.fates[job - owner + by] in {OPEN, LOST, PURGED}:
            world.wrong = "unproven"
        return verdict

    def claim(self, world: World, job: int) -> Verdict:
        verdict = self.verdict(world, job)
        if verdict == "send" and self.rules.taken:
            handler, owner = divmod(job, self._owners)
            world.cool[handler] = self.rules.taken << 4 | owner
        return verdict

    def settle(self, world: World, seat: int, place: int, *, breaks: bool = False) -> bool:
        """Settles what this worker holds at a place of its memory; whether it counted.

        `breaks`: the server refuses the write that the design makes first. Raises BrokenError.
        """
        job = place % self._jobs
        held = world.hands(seat)[place]
        kind = KINDS[held & 15]
        handler, owner = divmod(job, self._owners)
        if not self._counts(world, seat, place, kind):
            return False
        value = world.cool[handler]
        if kind in {"retry", "dead"} and value & 15 == owner and value >> 4 in {D, OLD_D}:
            self._finish(world, place, DELIVERED)
            return True
        wrote = False
        for write in self._orders[kind]:
            if breaks and write == FIRST[kind]:
                raise BrokenError(wrote)
            if write == "finish":
                self._finish(world, place, _fate(held))
            elif write == "store":
                self._store(world, job, kind)
            elif kind == "delivered" or value == C << 4 | owner:
                world.cool[handler] = {"delivered": D, "retry": R, "dead": X}[kind] << 4 | owner
            wrote = True
        return True

    def _counts(self, world: World, seat: int, place: int, kind: Kind) -> bool:
        """Whether the carrier is still there and, where it is asked for, ours and without a receipt."""
        retried, job = divmod(place, self._jobs)
        handler, owner = divmod(job, self._owners)
        passed = world.hands(seat)[place] & PASSED
        holder = GONE if passed else world.carriers[job] if retried else world.holders[owner]
        rules = self.rules
        if (holder != seat) if kind in rules.fenced else (holder in {UNREAD, GONE}):
            return False
        if not retried and kind in rules.asks_receipt and rules.receipts == "by name" and self._finished(world, job):
            return False
        return not (kind in rules.needs_claim and world.cool[handler] != C << 4 | owner)

    def _finished(self, world: World, job: int) -> bool:
        handler, owner = divmod(job, self._owners)
        return bool(world.receipts[owner] >> handler & 1)

    def _store(self, world: World, job: int, kind: Kind) -> None:
        """`T:parked` and its data, or `T:dead`."""
        if kind == "dead":
            world.letters[job] = 1
            return
        if world.parked[job]:
            world.wrong = "twice"
        world.parked[job] = 1

    def _finish(self, world: World, place: int, fate: int) -> None:
        """The account, the receipt, and the acknowledgement once every handler has one."""
        retried, job = divmod(place, self._jobs)
        handler, owner = divmod(job, self._owners)
        if world.fates[job] != (STORED if retried else OPEN):
            world.wrong = "twice"
        world.fates[job] = fate
        if retried:
            world.carriers[job] = GONE
            self._pass(world, place)
            return
        if self.rules.receipts == "by name":
            world.receipts[owner] |= 1 << handler
            done = world.receipts[owner] == self._all
        else:
            world.receipts[owner] += 1
            done = self.rules.receipts == "none" or world.receipts[owner] >= self.shape.handlers
        if done:
            world.receipts[owner] = 0
            world.holders[owner] = GONE

    def _pass(self, world: World, place: int) -> None:
        """The next carrier of this owner is another one: what anybody still holds of this one is of the past."""
        for seat in SEATS:
            if world.hands(seat)[place]:
                world.hands(seat)[place] |= PASSED

    def wake(self, world: World, job: int) -> None:
        self.add_carrier(world, job)
        world.parked[job] = 0

    def add_carrier(self, world: World, job: int) -> None:
        if world.carriers[job] != GONE:
            world.wrong = "twice"
        world.carriers[job] = UNREAD

    def sweep(self, world: World, seat: int, entry: int) -> list[int]:
        """Takes a silent worker's entry. XAUTOCLAIM drops what was trimmed on its way, however alive its worker is."""
        for other, holder in enumerate(world.holders):
            if world.trimmed[other] and holder not in {UNREAD, GONE}:
                self.lose(world, other)
        return self.take(world, seat, entry) if world.holders[entry] != GONE else []

    def take(self, world: World, seat: int, entry: int) -> list[int]:
        """A pending entry is this worker's now; gives its jobs that are left. What was trimmed is dropped."""
        if world.trimmed[entry]:
            self.lose(world, entry)
            return []
        world.holders[entry] = seat
        by_name = self.rules.receipts == "by name"
        return [job for job in self.jobs_of(entry) if not (by_name and self._finished(world, job))]

    def jobs_of(self, entry: int) -> range:
        return range(entry, self._jobs, self._owners)

    def lose(self, world: World, entry: int) -> None:
        """Drops an entry that somebody trimmed: what of it had not ended is lost, and counted."""
        world.holders[entry] = GONE
        for job in self.jobs_of(entry):
            if world.fates[job] == OPEN:
                world.fates[job] = LOST

    def keep(self, world: World, seat: int, entry: int) -> bool:
        """A heartbeat; False where the entry is not this worker's any more, or was trimmed."""
        if world.holders[entry] != seat:
            return False
        if world.trimmed[entry]:
            self.lose(world, entry)
            return False
        return True

    def hand_back(self, world: World, seat: int, thing: int, *, retried: bool) -> None:
        """The claims of its cool-downs stay; any peer may take it now, for nobody has it in hand."""
        for place in [self._jobs + thing] if retried else self.jobs_of(thing):
            world.hands(seat)[place] = NOTHING
        if not retried and world.trimmed[thing]:
            self.lose(world, thing)

    def replay_letter(self, world: World, job: int, run: int) -> None:
        """`run`: the owner that the replay is."""
        handler, owner = divmod(job, self._owners)
        new = handler * self._owners + run
        if world.fates[job] != DEAD:
            world.wrong = "twice"
        world.letters[job] = 0
        world.fates[job] = MOVED_TO | run
        world.carriers[new] = UNREAD
        world.fates[new] = STORED
        if self.rules.replay_unmarks:
            self._unmark(world, handler, owner)

    def purge_letter(self, world: World, job: int) -> None:
        world.letters[job] = 0
        world.fates[job] = PURGED
        if self.rules.purge_unmarks:
            self._unmark(world, *divmod(job, self._owners))

    def _unmark(self, world: World, handler: int, owner: int) -> None:
        if world.cool[handler] in {state << 4 | owner for state in (C, R, X, OLD_X)}:
            world.cool[handler] = ABSENT

    def rerun(self, world: World, job: int, run: int) -> None:
        """A replay of history: a carrier of a new owner, counted as one more that was accepted."""
        if not self.rules.rerun_is_new:
            self.add_carrier(world, job)
            world.fates[job] = STORED
            return
        new = job // self._owners * self._owners + run
        world.carriers[new] = UNREAD
        world.fates[new] = STORED


def _fate(held: int) -> int:
    """What becomes of a job that is settled so."""
    phase = held & 15
    if phase == COVERED:
        return ENDED_BY | (held >> 4 & 7)
    return {ANSWERED: DELIVERED, FOUND: DELIVERED, FAILED: STORED, FINAL: DEAD}[phase]
