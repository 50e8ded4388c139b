"""What the model does where, as data: the table of the cool-down, the order of writes, and what is asked before them.

The defaults are design and code; a mutation (mutations.py) is the same with one thing changed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct

from tests.model.state import ABSENT, OLD_D, OLD_X, C, D, R, X

Verdict: TypeAlias = Literal["send", "done", "park", "covered"]
"""Write `c` and send; finish without sending; wait for the other one's end; another's request stands for this one."""
Whose: TypeAlias = Literal["nobody", "own", "another"]
Claims: TypeAlias = Mapping[tuple[int, Whose], Verdict]

CLAIMS: Claims = MappingProxyType({
    (ABSENT, "nobody"): "send",
    (C, "own"): "send",
    (R, "own"): "send",
    (D, "own"): "done",
    (X, "own"): "send",
    (OLD_D, "own"): "done",
    (OLD_X, "own"): "send",
    (C, "another"): "park",
    (R, "another"): "covered",
    (D, "another"): "covered",
    (X, "another"): "covered",
    (OLD_D, "another"): "send",
    (OLD_X, "another"): "send",
})  # fmt: skip
"""store/lua/claim.lua: what a cool-down says to whom. `own`: the very owner that asks."""
REPLAYS: Claims = MappingProxyType({**CLAIMS, (X, "another"): "send"})
"""The same for a replay."""

Write: TypeAlias = Literal["store", "finish", "mark"]
"""The record into the stored retries or the dead letters; receipt, acknowledgement and account; the cool-down."""
Kind: TypeAlias = Literal["delivered", "suppressed", "retry", "dead"]


class Rules(Struct, frozen=True):
    """Everything that a mutation may change."""

    claims: Claims = CLAIMS
    replays: Claims = REPLAYS
    taken: int = C
    """What a claim writes; ABSENT: nothing."""
    delivered: tuple[Write, ...] = ("mark", "finish")
    retry: tuple[Write, ...] = ("store", "finish", "mark")
    dead: tuple[Write, ...] = ("store", "finish", "mark")
    fenced: frozenset[Kind] = frozenset({"delivered", "retry", "dead"})
    """Outcomes that count only while the carrier is pending at the worker that has them."""
    needs_claim: frozenset[Kind] = frozenset()
    """Outcomes that count only while the cool-down is still `c` of this owner."""
    asks_receipt: frozenset[Kind] = frozenset({"delivered", "suppressed", "retry", "dead"})
    """Outcomes that are dropped where the entry has a receipt of this handler."""
    receipts: Literal["by name", "by count", "none"] = "by name"
    """How it is found out whether an entry's last handler has finished; none: the first that ends acknowledges."""
    wake: Literal["one step", "add, then remove", "remove, then add"] = "one step"
    replay_takes_letter: bool = True
    """A letter is replayed only by whoever has taken it away."""
    replay_unmarks: bool = True
    """A replay takes the `x` of its letter away."""
    purge_unmarks: bool = True
    """So does whoever throws the letter away."""
    rerun_is_new: bool = True
    """A replay of history is an owner of its own."""
    hands_back_sent: bool = False
    """A worker that stops hands back what it is sending, too."""
    parked_renews: bool = False
    """A duplicate that waits keeps the claim alive that it waits for."""


DESIGN = Rules()
