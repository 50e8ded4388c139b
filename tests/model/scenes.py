"""What is searched: small worlds in which a few things go wrong together.

Every scene of the suite is searched to its end. Those that follow in `DEEP` go on for as long as they are let.
"""

from tests.model.search import Scene
from tests.model.state import BOUNDS, Shape

SUITE = (
    Scene("two crashes", Shape(2), {"crashes": 2, "stalls": 1, "failures": 1, "finals": 1}),
    Scene("a crash and a steal", Shape(2), {"crashes": 1, "steals": 1, "stalls": 1, "failures": 1}),
    Scene("a steal from a worker whose event fails for good", Shape(2), {"steals": 1, "stalls": 1, "finals": 1}),
    Scene("a trimmed entry", Shape(2), {"crashes": 1, "trims": 1, "steals": 1, "failures": 1}),
    Scene("an evicted cool-down", Shape(2), {"crashes": 1, "evictions": 1, "failures": 1, "deferrals": 1, "finals": 1}),
    Scene("answers that never came", Shape(2), {"crashes": 1, "silences": 1, "blind": 1, "failures": 1, "finals": 1}),
    Scene("writes that are refused", Shape(2), {"crashes": 1, "breaks": 1, "failures": 1, "finals": 1}),
    Scene("three duplicates and a crash", Shape(3), {"crashes": 1, "stalls": 1, "failures": 1}),
    Scene("three duplicates and no fault", Shape(3), {"failures": 1, "finals": 1, "deferrals": 1}),
    Scene("a replayed letter", Shape(2, 1, 1), {"crashes": 1, "stalls": 1, "failures": 1, "finals": 2, "replays": 1}),
    Scene("a letter replayed and replayed again", Shape(1, 1, 2), {"steals": 1, "finals": 2, "replays": 2}),
    Scene("a purged letter", Shape(3), {"failures": 1, "finals": 1, "purges": 1}),
    Scene("clean stops", Shape(2), {"stops": 2, "crashes": 1, "failures": 1, "finals": 1}),
    Scene("clean stops and no fault", Shape(2, 2), {"stops": 2}),
    Scene("a replay of history", Shape(2, 1, 1), {"crashes": 1, "failures": 1, "finals": 1, "reruns": 1}),
    Scene("two handlers, a crash", Shape(1, 2), {"crashes": 2, "failures": 1, "finals": 1, "trims": 1}),
    Scene("two handlers, a steal", Shape(1, 2), {"steals": 1, "silences": 1, "failures": 1}),
    Scene("two handlers, two duplicates", Shape(2, 2), {"crashes": 1, "failures": 1}),
)
"""Searched in the test suite."""

DEEP = (
    *SUITE,
    Scene("three duplicates, two crashes", Shape(3), {"crashes": 2, "stalls": 1, "failures": 1, "finals": 1}),
    Scene("three duplicates, a steal", Shape(3), {"crashes": 1, "steals": 1, "stalls": 1, "failures": 1}),
    Scene("two handlers, steals", Shape(2, 2), {"steals": 2, "stalls": 1, "failures": 1}),
    Scene("two handlers, trimmed", Shape(2, 2), {"crashes": 1, "trims": 1, "steals": 1, "finals": 1}),
    Scene("replays under faults", Shape(2, 1, 2),
          {"crashes": 2, "steals": 1, "stalls": 1, "evictions": 1, "failures": 1, "finals": 3, "replays": 2}),
    Scene("everything, twice", Shape(2, 1, 1), dict.fromkeys(BOUNDS, 2)),
    Scene("everything at two handlers", Shape(2, 2, 1), dict.fromkeys(BOUNDS, 1)),
)  # fmt: skip
"""Searched by scripts/model."""
