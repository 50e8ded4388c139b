"""Sample gateway events, and the handlers that show what becomes of them.

The first ones show a delivery, a suppressed duplicate, a retry after a 503 and a dead letter; then a new one every
few seconds. Keys and paths differ in every run, so that the cool-downs of an earlier run suppress nothing.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

LOOPBACK = ("127.0.0.0/8", "::1/128")


def configuration(redis_url: str, group: str, receiver: str) -> dict[str, Any]:
    """The configuration that `dev` runs when it is given none."""
    return {
        "redis": {"url": redis_url},
        "stream": {"group": group},
        "worker": {"lease": 5, "journal": "all"},
        "log": {"level": "warning"},
        "reload": False,
        "defaults": {"allow_cidrs": list(LOOPBACK), "retry": {"delays": [1, 2, 4]}},
        "handlers": [
            {"id": "alerts", "on": ["AuthFailure", "Key*", "Version*"], "target_path": f"{receiver}/ok/alerts",
             "header_map": {"X-Team": "security"}, "event_timeout": 30},
            {"id": "operations", "on": ["Host*", "Breaker*"], "target_path": f"{receiver}/flaky/operations"},
            {"id": "billing", "on": ["Quota*"], "target_path": f"{receiver}/broken/billing",
             "retry": {"delays": [1]}},
        ],
    }  # fmt: skip


def events(run: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Types and metas, without end; `run` makes them differ from those of other runs."""
    origin, widgets = "10.0.0.1", f"/widgets/{run}"
    failure = {"Message": "Auth Failure", "Path": widgets, "Origin": origin, "Key": f"key-{run}"}
    yield "AuthFailure", failure
    yield "AuthFailure", failure
    yield "KeyExpired", failure | {"Message": "Attempted access from expired key."}
    yield "HostDown", {"Message": "Uptime test failed", "HostInfo": {"CheckURL": f"http://orders-{run}.internal/ping"}}
    yield "QuotaExceeded", failure | {"Message": "Key Quota Limit Exceeded"}
    yield "VersionFailure", failure | {"Message": "Attempted access to disallowed version.", "Reason": "v0 is retired"}
    for number in count(1):
        path = f"{widgets}/{number}"
        yield "AuthFailure", failure | {"Path": path}
        yield "KeyExpired", failure | {"Path": path, "Message": "Attempted access from expired key."}
        yield "BreakerTripped", {"Message": "Breaker Tripped", "Path": path, "APIID": "orders", "CircuitEvent": 0}
