"""Where a worker spends its time: one run under pyinstrument, a package for developers that need not be there.

It samples every millisecond. Its own work is in the times, so they are shares, not costs.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from streamhooks.bench.ground import Ground, handler
from streamhooks.bench.plan import Plan
from streamhooks.errors import BenchError

ENDINGS: Final = (".html", ".json")


def check(file: Path) -> None:
    """Raises BenchError where it cannot be written."""
    if file.suffix not in ENDINGS:
        raise BenchError("profile", "is named neither .html nor .json (for speedscope.app)", str(file))
    if find_spec("pyinstrument") is None:
        raise BenchError("profile", "a profile needs pyinstrument: pip install 'pyinstrument>=5.1,<6'")


async def write(here: Ground, plan: Plan, file: Path) -> None:
    """Profiles one worker that delivers the events of a long run."""
    async with here.field([handler()]) as field:
        await field.fill(plan.count)
        words = [sys.executable, "-m", "streamhooks.bench.profiled", str(file), str(field.configs[0])]
        async with field.process(words) as worker:
            await worker.ended()
        await field.lost_nothing(plan.count)
