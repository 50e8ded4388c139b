"""Which tests the matrix runs, by the column that they count in. They are the suites of every day, not copies."""

from pathlib import Path
from typing import Final

from tests.faults.experiments import experiments

ROOT: Final = Path(__file__).parents[2]
FLOW: Final = "tests/flow"
EXPERIMENTS: Final = "tests/faults/test_experiments.py"
NAMED: Final = {
    "recovery": (f"{FLOW}/test_recovery.py", f"{FLOW}/test_redis_trouble.py", f"{FLOW}/test_stopping.py", EXPERIMENTS),
    "cool-down": (f"{FLOW}/test_cool_downs.py", "tests/store/test_claims.py", "tests/model/test_against_the_server.py"),
}
"""All other files of tests/flow are the flow suite."""
OWN: Final = {
    "redis7": ("tests/deployment/test_acl.py",),
    "cluster": ("tests/cluster",),
    "sentinel": ("tests/connecting/test_sentinels.py",),
    "tls": ("tests/connecting/test_tls.py", "tests/cluster/test_tls.py"),
}
"""What is about this kind of server alone: failovers, moved slots, certificates, users."""
COLUMNS: Final = ("flow", *NAMED, "own")
PART: Final = (f"{FLOW}/test_cool_downs.py",)
"""What the ordinary test run tries on some servers: everything that a worker does happens in it."""
IN_EVERY_RUN: Final = ("redis8", "cluster", "tls")
"""Redis 7.0 is the one by TLS; sentinels have a suite of their own in every run."""
_ONE_SERVER = ("failover to a replica that lags", "Redis killed with AOF, started again")
"""Experiments that are about what happens to one server."""
_SINGLE = ("valkey", "redis7", "redis8")


def targets(server: str) -> list[str]:
    """What pytest is to run on a server."""
    files = [FLOW, *(file for column in NAMED.values() for file in column if not file.startswith((FLOW, EXPERIMENTS)))]
    chosen = [
        one.name for one in experiments().values()
        if one.smoke and (one.anywhere or (server in _SINGLE and one.name in _ONE_SERVER))
    ]  # fmt: skip
    test = f"{EXPERIMENTS}::test_nothing_is_lost_and_nothing_invented_when"
    return [*files, *(f"{test}[{name.replace(' ', '-')}]" for name in chosen), *OWN.get(server, ())]


def column_of(file: str) -> str:
    """The column that a file's tests count in."""
    for column, files in NAMED.items():
        if file in files:
            return column
    return "flow" if file.startswith(FLOW) else "own"
