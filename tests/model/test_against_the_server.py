"""The real code does what the model does: random walks of both, step by step, on a real server.

A walk draws one of the steps that the model can make, has the crew make it with the objects of the store and their
scripts, and compares what Redis then holds, the account with it, with what the model holds. So a script that is changed
without the model fails here, and the laws that were searched in the model are laws of the scripts. At the end of a walk
all that is left is brought to its end, and what was received is checked against what Redis says, without the model.
"""

import asyncio

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from redis.asyncio import Redis

from tests.figures import Figures
from tests.model.crew import Crew
from tests.model.laws import broken
from tests.model.mirror import of_model, of_redis
from tests.model.rules import DESIGN
from tests.model.state import BOUNDS, BREAKS, LOST, RERUNS, Shape, World, beginning
from tests.model.steps import Step, Steps
from tests.model.telling import sentence
from tests.served import Served

PLENTY = 100
EXAMPLES = 120
"""Walks of each kind in the suite."""
LENGTH = 50
"""Steps of a walk, at most."""
NUMBERS = st.integers(0, 2**16)
ENDING = (
    "settle", "send", "let go", "claim", "keep", "take", "take retry", "read", "read retry", "wake", "claim runs out",
)  # fmt: skip
"""What brings everything to its end, in this order."""
KINDS_OF_STEPS = ("work", "fail", "time", "trouble", "silence", "operator")


def _kind(step: Step) -> str:
    if step.free:
        return "work" if step.seat else "time"
    if step.verb in {"send", "defer"}:
        return "fail"
    if step.verb.endswith(("unheard", "blind")):
        return "silence"
    return "operator" if step.verb.endswith("letter") else "trouble"


class Walk(RuleBasedStateMachine):
    """One walk."""

    shape = Shape(4, 1, 2)
    served: Served
    steps_made = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis: Redis = self.runner.run(self.served.client())
        self.model = Steps(self.shape, DESIGN)
        self.told: list[str] = []
        self._begin()

    def _begin(self) -> None:
        """An emptied server, with events that nobody has read."""
        self.told.append("events are added")
        self.world = beginning(self.shape, dict.fromkeys(BOUNDS, PLENTY))
        self.world.left[RERUNS] = self.world.left[BREAKS] = 0
        self.unread: list[int] = []
        """Jobs whose carriers nobody has read, in the order in which they were added."""
        self.crew = Crew(self.redis, self.shape)
        self.runner.run(self.crew.begin())
        self._look()

    def _look(self) -> None:
        """What may come next, by kind."""
        self.moves: dict[str, list[tuple[Step, World]]] = {kind: [] for kind in KINDS_OF_STEPS}
        for step, world in self.model.of(self.world):
            if self._possible(step):
                self.moves[_kind(step)].append((step, world))

    def _possible(self, step: Step) -> bool:
        """Whether the server would do the same of several things that it might do."""
        if step.verb.startswith("read retry"):
            return step.thing == self.unread[0]
        if step.verb == "take" and step.how == "own" and self.world.trimmed[step.thing]:
            # It is found by its idle time, which cannot be set for what is not there any more: with it all are found.
            others = (at for at, holder in enumerate(self.world.holders) if holder == step.seat)
            return not any(self.world.trimmed[at] for at in others if at != step.thing)
        return True

    def _go(self, step: Step, world: World) -> None:
        self.told.append(sentence(step, self.shape))
        Walk.steps_made += 1
        self.runner.run(self.crew.do(step, self.world))
        wrong = broken(world, self.shape)
        assert wrong is None, self._trace(wrong)
        for job, was in enumerate(self.world.carriers):
            if world.carriers[job] == 0 and was != 0:
                self.unread.append(job)
            elif world.carriers[job] != 0 and job in self.unread:
                self.unread.remove(job)
        self.world = world
        expected, found = of_model(world, self.crew), self.runner.run(of_redis(self.crew))
        assert found == expected, self._trace("the server and the model do not agree")
        self._look()

    def _trace(self, why: str) -> str:
        return "\n".join([why, *self.told])

    def _draw(self, kind: str, number: int) -> None:
        moves = self.moves[kind]
        self._go(*moves[number % len(moves)])

    @precondition(lambda self: self.moves["work"])
    @rule(number=NUMBERS)
    def work(self, number: int) -> None:
        self._draw("work", number)

    @precondition(lambda self: self.moves["work"])
    @rule(number=NUMBERS)
    def more_work(self, number: int) -> None:
        """Faults are rarer than work, and rules are drawn with equal chances."""
        self._draw("work", number)

    @precondition(lambda self: self.moves["fail"])
    @rule(number=NUMBERS)
    def fail(self, number: int) -> None:
        self._draw("fail", number)

    @precondition(lambda self: self.moves["time"])
    @rule(number=NUMBERS)
    def pass_time(self, number: int) -> None:
        self._draw("time", number)

    @precondition(lambda self: self.moves["trouble"])
    @rule(number=NUMBERS)
    def go_wrong(self, number: int) -> None:
        self._draw("trouble", number)

    @precondition(lambda self: self.moves["silence"])
    @rule(number=NUMBERS)
    def say_nothing(self, number: int) -> None:
        self._draw("silence", number)

    @precondition(lambda self: self.moves["operator"])
    @rule(number=NUMBERS)
    def decide(self, number: int) -> None:
        self._draw("operator", number)

    @precondition(lambda self: len(self.crew.paused) < self.shape.handlers)
    @rule(number=NUMBERS)
    def pause(self, number: int) -> None:
        self.runner.run(self.crew.pause(number % self.shape.handlers))

    @precondition(lambda self: self.world.ended)
    @rule()
    def begin_again(self) -> None:
        self.runner.run(self._check())
        self._begin()

    def teardown(self) -> None:
        try:
            self._end()
            self.runner.run(self._check())
        finally:
            self.runner.run(self.redis.aclose())
            self.runner.close()

    def _end(self) -> None:
        """Brings everything to its end, as healthy workers would."""
        for _ in range(500):
            if self.world.ended:
                return
            moves = [move for kind in ("work", "time") for move in self.moves[kind] if move[0].verb in ENDING]
            assert moves, self._trace("stuck")
            self._go(*min(moves, key=lambda move: ENDING.index(move[0].verb)))
        raise AssertionError(self._trace("it never ends"))

    async def _check(self) -> None:
        """What was received, and what Redis says, must make sense without the model."""
        crew, found = self.crew, await of_redis(self.crew)
        jobs = {name: job for job, name in crew.owners.items()}
        totals = found.account
        assert totals["stored"] == 0
        assert totals["accepted"] == totals["delivered"] + totals["suppressed"] + totals["dead"] + totals["unmatched"]
        if not totals["lost_trimmed"]:  # receipts of what was trimmed go with their TTL
            assert not await self.redis.exists(*(crew.keys.done(entry) for entry in crew.entries))
        for first in crew.owners:
            job, seen = first, {first}
            while job in crew.given_up:
                job = jobs[crew.given_up[job]]
                assert job not in seen, self._trace(f"{crew.owners[job]} was given up for itself")
                seen.add(job)
            lost = self.world.fates[job] == LOST and job == first
            ended = job in crew.received or found.letters[job] or job in crew.replayed | crew.purged
            assert ended or lost, self._trace(f"nothing stands for {crew.owners[first]}")


class WalkOfTwoHandlers(Walk):
    """Entries that fire two handlers, with receipts."""

    shape = Shape(3, 2, 2)


WALKS = (Walk, WalkOfTwoHandlers)


def walk(kind: type[Walk], served: Served, walks: int, number: int | None = None) -> None:
    """So many walks on a server that is emptied for it; `number` gives others each time. Raises what went wrong."""
    kind.served = served
    Walk.steps_made = 0
    chosen = settings(
        max_examples=walks, stateful_step_count=LENGTH, deadline=None, derandomize=number is None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(kind if number is None else seed(number)(kind), settings=chosen)


@pytest.mark.parametrize("kind", WALKS)
def test_the_scripts_and_the_model_take_the_same_way(served: Served, kind: type[Walk], figures: Figures) -> None:
    walk(kind, served, EXAMPLES)
    figures(f"{EXAMPLES} walks, {Walk.steps_made:,} steps on the server, each compared with the model")
