"""The search: every state that can be reached, breadth first, so that the first trace to a broken law is a shortest.

States that differ only in which worker is which count as one. Where the search ends before it has seen every state,
those at its edge are taken to drain; `complete` says whether there were any.
"""

from array import array

from msgspec import Struct

from tests.model.laws import broken
from tests.model.rules import DESIGN, Rules
from tests.model.state import Law, Shape, World, beginning, canonical, cuts, thawed
from tests.model.steps import Step, Steps


class Scene(Struct, frozen=True):
    """Where a search begins, and what may happen on the way."""

    name: str
    shape: Shape
    bounds: dict[str, int]
    """How often, by the names of state.BOUNDS; what is not named does not happen."""


class Found(Struct):
    """What a search came to."""

    scene: Scene
    rules: Rules
    states: int
    steps: int
    complete: bool
    law: Law | None = None
    """The law that was broken first."""
    path: list[tuple[Step, World]] = []
    """The steps that led there, each with the state after it."""


class Search:
    """One search under way."""

    def __init__(self, scene: Scene, rules: Rules) -> None:
        self._scene = scene
        self._rules = rules
        self._steps = Steps(scene.shape, rules)
        self._cuts = cuts(scene.shape)
        self._states: list[bytes] = []
        self._known: dict[bytes, int] = {}
        self._parents = array("l")
        self._from = array("l")
        self._to = array("l")
        """The free steps, from which state to which."""
        self._expanded = 0

    def run(self, most: int, law: Law | None = None) -> Found:
        """Looks at up to `most` states; stops at the first that breaks a law, or only at one that breaks `law`."""
        taken = 0
        self._add(canonical(beginning(self._scene.shape, self._scene.bounds)).frozen(), -1)
        while self._expanded < len(self._states) < most:
            at = self._expanded
            for step, world in self._steps.of(thawed(self._states[at], self._cuts)):
                taken += 1
                wrong = world.wrong
                to = self._add(canonical(world).frozen(), at)
                if to == len(self._states) - 1:  # new, most likely
                    wrong = wrong or broken(world, self._scene.shape)
                if wrong and law in {None, wrong}:
                    return self._found(taken, wrong, self._path(at, world))
                if step.free:
                    self._from.append(at)
                    self._to.append(to)
            self._expanded += 1
        stuck = self._stuck() if law in {None, "stuck"} else -1
        if stuck >= 0:
            return self._found(taken, "stuck", self._path(stuck))
        return self._found(taken, None, [])

    def _found(self, taken: int, law: Law | None, path: list[tuple[Step, World]]) -> Found:
        complete = self._expanded == len(self._states)
        return Found(self._scene, self._rules, len(self._states), taken, complete, law, path)

    def _add(self, state: bytes, parent: int) -> int:
        at = self._known.setdefault(state, len(self._states))
        if at == len(self._states):
            self._states.append(state)
            self._parents.append(parent)
        return at

    def _stuck(self) -> int:
        """The first state that no free steps bring to its end; -1: there is none."""
        count = len(self._states)
        latest = array("l", [-1]) * count
        """The last free step that leads to a state, and for each such step the one before it."""
        earlier = array("l")
        for edge, to in enumerate(self._to):
            earlier.append(latest[to])
            latest[to] = edge
        drains = bytearray(count)
        waiting = [at for at in range(count) if at >= self._expanded or thawed(self._states[at], self._cuts).ended]
        while waiting:
            at = waiting.pop()
            if not drains[at]:
                drains[at] = 1
                edge = latest[at]
                while edge >= 0:
                    waiting.append(self._from[edge])
                    edge = earlier[edge]
        return drains.find(0)

    def _path(self, at: int, last: World | None = None) -> list[tuple[Step, World]]:
        """The steps from the beginning to a state and on to the `last`: found again, for only the states are kept."""
        chain = [] if last is None else [canonical(last).frozen()]
        while at >= 0:
            chain.append(self._states[at])
            at = self._parents[at]
        chain.reverse()
        path: list[tuple[Step, World]] = []
        world = thawed(chain[0], self._cuts)
        for to in chain[1:]:
            path.append(next(
                (step, after)
                for step, after in self._steps.of(world)
                if canonical(after.copy()).frozen() == to
            ))  # fmt: skip
            world = path[-1][1]
        return path


def search(scene: Scene, rules: Rules = DESIGN, *, most: int, law: Law | None = None) -> Found:
    """See `Search.run`."""
    return Search(scene, rules).run(most, law)
