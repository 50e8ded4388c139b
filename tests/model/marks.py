"""What each step makes of a cool-down's mark, and for how long a mark lives: the diagram of docs/internals.md as data.

A step is a script of streamhooks/store/lua that is told an owner. What it may find is nothing, a mark of this owner or
one of another; where the table has no row the mark stays as it was. test_marks.py asks the real scripts and the model
for every row, those that are not written included.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct

from tests.model.rules import CLAIMS, REPLAYS, Claims, Whose
from tests.model.state import ABSENT, OLD_D, OLD_X, C, D, R, X

Deed: TypeAlias = Literal["claim", "claim of a replay", "delivered", "retry", "dead", "wake", "replay", "purge"]
"""`replay` and `purge`: of the owner's dead letter."""
Found: TypeAlias = tuple[int, Whose]

NAMES = {ABSENT: "nothing", C: "c", R: "r", D: "d", X: "x", OLD_D: "d, over", OLD_X: "x, over"}
"""`over`: its cool-down is; the mark is still there, and its stamp says so."""
MEANINGS = {
    ABSENT: "no mark",
    C: "in flight",
    R: "stored for retry",
    D: "delivered",
    X: "dead-lettered",
    OLD_D: "delivered, cool-down over",
    OLD_X: "dead-lettered, cool-down over",
}
FOUND: tuple[Found, ...] = tuple(CLAIMS)
"""Everything that a step may find."""


def _claimed(claims: Claims) -> Mapping[Found, int]:
    return MappingProxyType({found: C for found, verdict in claims.items() if verdict == "send"})


_LETTER_GOES: Mapping[Found, int] = MappingProxyType({(state, "own"): ABSENT for state in (C, R, X, OLD_X)})

MARKS: Mapping[Deed, Mapping[Found, int]] = MappingProxyType({
    "claim": _claimed(CLAIMS),
    "claim of a replay": _claimed(REPLAYS),
    "delivered": MappingProxyType(dict.fromkeys(FOUND, D)),
    "retry": MappingProxyType({(C, "own"): R}),
    "dead": MappingProxyType({(C, "own"): X}),
    "wake": MappingProxyType({}),
    "replay": _LETTER_GOES,
    "purge": _LETTER_GOES,
})  # fmt: skip
"""What stands there afterwards, in the name of the owner that the step was told. Of claims it is lua/claim.lua's doing,
of delivered, retry and dead lua/settle.lua's; the others are wake.lua, replay_letters.lua and purge_letters.lua."""


class Life(Struct, frozen=True):
    """How long a mark lives when nothing touches it, and what it is then."""

    state: int
    then: int
    told: str
    """In words."""


LIVES = (
    Life(C, ABSENT, "lease over"),
    Life(R, ABSENT, "a lease after it was due"),
    Life(D, OLD_D, "cool-down over"),
    Life(X, OLD_X, "cool-down over"),
    Life(OLD_D, ABSENT, "two leases over, too"),
    Life(OLD_X, ABSENT, "two leases over, too"),
)
"""`c` is renewed while its request waits or is under way (lua/extend.lua)."""


def after(deed: Deed, found: Found) -> tuple[int, bool]:
    """The state after a step, and whether the mark is now that of the owner that the step was told."""
    state, whose = found
    made = MARKS[deed].get(found)
    return (state, whose == "own") if made is None else (made, True)
