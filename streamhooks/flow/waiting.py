"""Duplicates that wait for somebody else's request.

They hold no slot and renew no claim; they are looked at again a few times a second, oldest first. When there are too
many of a handler the rest is stored like a retry, with the cool-down untouched, so that the process does not fill up.
"""

from collections import Counter

from streamhooks.flow.carrier import Job
from streamhooks.flow.intake import Intake
from streamhooks.model import Retry

LOOK_EVERY = 0.2
"""Seconds."""
LOOKED_AT = 512
"""Jobs in one look."""
MOST = 1000
"""Jobs of one handler; beyond, they are stored."""


class Waiting:
    """The waiting jobs of one partition."""

    def __init__(self, intake: Intake, lease: float) -> None:
        self._intake = intake
        self._lease = lease

    async def look(self) -> None:
        """Asks again for the oldest; stores what is too much."""
        if not self._intake.waiting:
            return
        waiting = [job for job in self._intake.waiting if job.state == "waiting"]
        self._intake.waiting = []
        kept = self._spill(waiting)
        await self._intake.launch(kept[:LOOKED_AT])
        self._intake.waiting = kept[LOOKED_AT:] + self._intake.waiting

    def _spill(self, waiting: list[Job]) -> list[Job]:
        counts: Counter[str] = Counter()
        kept: list[Job] = []
        for job in waiting:
            counts[job.handler] += 1
            if counts[job.handler] <= MOST:
                kept.append(job)
            else:
                job.end(Retry(self._lease, job.attempt, "waits for another delivery"))
        return kept
