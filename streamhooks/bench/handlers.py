"""What one more handler costs: the same events with one handler, with two, and with a second one that signs.

Every handler has a breaker. An entry that fires several has receipts, which are in the cost of the second.
"""

import base64
import statistics

from streamhooks.bench.cpu import Slope, micros, slope
from streamhooks.bench.ground import Ground, handler
from streamhooks.bench.plan import Plan
from streamhooks.bench.report import Handler

_KEY = "whsec_" + base64.b64encode(b"a measurement's key, not a secret").decode()


async def measure(here: Ground, plan: Plan) -> Handler:
    kinds = {
        "alone": [handler()],
        "plain": [handler(), handler("more", "/more")],
        "signed": [handler(), handler("more", "/more", sign={"secrets": [_KEY]})],
    }
    found: dict[str, list[Slope]] = {name: [] for name in kinds}
    for _ in range(plan.rounds):  # in turns, so that a drift of the machine's speed falls on all
        for name, handlers in kinds.items():
            found[name].append(await slope(here, plan, handlers))
    return Handler(
        us_alone=micros(one.cpu for one in found["alone"]),
        us_more_plain=_more(found["plain"], found["alone"]),
        us_more_signed=_more(found["signed"], found["alone"]),
        us_signing=_more(found["signed"], found["plain"]),
    )


def _more(these: list[Slope], than: list[Slope]) -> float:
    """The median of what each round's cost more than the other's, in millionths of a second."""
    return round(statistics.median(one.cpu - other.cpu for one, other in zip(these, than, strict=True)) * 1e6, 1)
