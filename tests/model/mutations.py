"""Changes of the rules that must not be made, each with the law that it breaks and the scene that shows it.

A mutation that no search can tell from the design would mean that the model does not look at what it changes.
"""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tests.model.rules import CLAIMS, DESIGN, REPLAYS, Rules
from tests.model.search import Scene
from tests.model.state import ABSENT, C, Law, R, Shape, X


class Mutation(Struct, frozen=True):
    """One change, and what comes of it."""

    name: str
    breaks: Law
    rules: Rules
    scene: Scene


def _mutation(name: str, breaks: Law, shape: Shape, bounds: dict[str, int], **changed: Any) -> Mutation:
    return Mutation(name, breaks, replace(DESIGN, **changed), Scene(name, shape, bounds))


_ACK_ON_A_CLAIM = {**CLAIMS, (C, "another"): "covered"}
_CLAIM_COUNTS = {**CLAIMS, (C, "own"): "done"}
_SHUT_OUT = {**CLAIMS, (C, "own"): "park"}
_OWN_RETRY_COVERS = {**CLAIMS, (R, "own"): "covered"}
_SENT_BESIDE = {**CLAIMS, (C, "another"): "send"}
_REPLAY_AS_OTHERS = {**REPLAYS, (X, "another"): "covered"}

MUTATIONS = (
    _mutation(
        "x is marked before the dead letter is written", "unproven",
        Shape(2), {"finals": 1, "breaks": 1},
        dead=("mark", "store", "finish"),
    ),
    _mutation(
        "r is marked before the record is stored", "unproven",
        Shape(2), {"failures": 1, "breaks": 1},
        retry=("mark", "store", "finish"),
    ),
    _mutation(
        "r is marked before the record is stored, and the entry is trimmed", "lost",
        Shape(2), {"failures": 1, "breaks": 1, "trims": 1},
        retry=("mark", "store", "finish"),
    ),
    _mutation(
        "a retry is acknowledged before it is stored", "lost",
        Shape(1), {"failures": 1, "breaks": 1},
        retry=("finish", "store", "mark"),
    ),
    _mutation(
        "a dead letter's entry is acknowledged before it is written", "lost",
        Shape(1), {"finals": 1, "breaks": 1},
        dead=("finish", "store", "mark"),
    ),
    _mutation(
        "an entry is acknowledged before d is marked", "flood",
        Shape(2), {"breaks": 1},
        delivered=("finish", "mark"),
    ),
    _mutation(
        "a duplicate is acknowledged on somebody's claim", "lost",
        Shape(2), {"crashes": 1, "trims": 1},
        claims=_ACK_ON_A_CLAIM,
    ),
    _mutation(
        "duplicates are acknowledged on each other's claims", "lost",
        Shape(2), {"crashes": 1, "steals": 1},
        claims=_ACK_ON_A_CLAIM,
    ),
    _mutation("a claim made before counts as sent", "lost", Shape(1), {"crashes": 1}, claims=_CLAIM_COUNTS),
    _mutation("a claim shuts its own owner out", "shut out", Shape(1), {"crashes": 1}, claims=_SHUT_OUT),
    _mutation("a retry is covered by its own record", "lost", Shape(1), {"failures": 1}, claims=_OWN_RETRY_COVERS),
    _mutation("nothing is claimed before sending, as in Tyk", "flood", Shape(2), {}, taken=ABSENT),
    _mutation("a duplicate is sent beside a claim", "flood", Shape(2), {}, claims=_SENT_BESIDE),
    _mutation("a dead letter leaves no mark", "flood", Shape(2), {"finals": 1}, dead=("store", "finish")),
    _mutation(
        "a delivery is fenced on the cool-down itself", "again",
        Shape(1), {"evictions": 1},
        needs_claim=frozenset({"delivered"}),
    ),
    _mutation(
        "a stop hands back what is being sent", "again",
        Shape(1), {"stops": 1},
        hands_back_sent=True,
    ),
    _mutation(
        "a suppression does not ask for the receipt", "twice",
        Shape(2, 2), {"silences": 1},
        asks_receipt=frozenset({"delivered", "retry", "dead"}),
    ),
    _mutation(
        "receipts are counted instead of asked by name", "lost",
        Shape(1, 2), {"silences": 1},
        receipts="by count",
    ),
    _mutation("the first handler that ends acknowledges the entry", "lost", Shape(1, 2), {}, receipts="none"),
    _mutation(
        "a wake removes before it adds", "lost",
        Shape(1), {"failures": 1, "crashes": 1},
        wake="remove, then add",
    ),
    _mutation("a wake adds before it removes", "twice", Shape(1), {"failures": 1}, wake="add, then remove"),
    _mutation(
        "a replay does not take its letter away first", "twice",
        Shape(1, 1, 2), {"finals": 1, "replays": 2},
        replay_takes_letter=False,
    ),
    _mutation(
        "a replay leaves its x, and is covered by it", "lost",
        Shape(1, 1, 1), {"finals": 1, "replays": 1},
        replay_unmarks=False, replays=_REPLAY_AS_OTHERS,
    ),
    _mutation(
        "a purge leaves the x of its letter", "unproven",
        Shape(2), {"finals": 1, "purges": 1},
        purge_unmarks=False,
    ),
    _mutation(
        "a replay of history keeps the old owner", "twice",
        Shape(1, 1, 1), {"failures": 1, "reruns": 1},
        rerun_is_new=False,
    ),
    _mutation(
        "a duplicate that waits renews the claim that it waits for", "stuck",
        Shape(2), {"crashes": 1, "trims": 1},
        parked_renews=True,
    ),
)  # fmt: skip
