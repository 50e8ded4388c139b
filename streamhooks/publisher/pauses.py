"""How long to wait before Redis is tried again."""

import random
from collections.abc import Iterator

FIRST = 0.05
LONGEST = 1.0


def pauses() -> Iterator[float]:
    """Seconds: doubled each time up to a second, a fifth more or less so that many do not come at once."""
    pause = FIRST
    while True:
        yield pause * random.uniform(0.8, 1.2)  # noqa: S311  nothing to guess  # nosec B311
        pause = min(LONGEST, 2 * pause)
