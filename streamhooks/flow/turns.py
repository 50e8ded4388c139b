"""A handler's turns where it has a `rate_limit`: no request is sent without one.

Turns are reserved in Redis, a tenth of a second's worth at once, so that all workers together keep the limit without a
round trip for each request. While Redis is away each worker keeps the rate by itself.
"""

import time
from collections import deque

from streamhooks.errors import StoreError
from streamhooks.flow.health import Health
from streamhooks.store.rate import Rates

AT_ONCE = 0.1
"""Seconds of turns in one reservation: what a worker that dies takes with it."""
STALE = 1.0
"""Seconds after which a turn that nobody took is forgotten."""


class Turns:
    """The turns of one handler in this process."""

    def __init__(self, handler: str, rate: float, rates: Rates, health: Health) -> None:
        self.rate = rate
        self._handler = handler
        self._rates = rates
        self._health = health
        self._reserved: deque[float] = deque()

    async def next(self) -> float:
        """Takes the next turn; seconds to wait until it has come."""
        now = time.monotonic()
        while self._reserved and self._reserved[0] < now - STALE:
            self._reserved.popleft()
        if not self._reserved:
            await self._reserve()
        return self._reserved.popleft() - time.monotonic()

    async def _reserve(self) -> None:
        turns = max(1, int(self.rate * AT_ONCE))
        try:
            wait = await self._rates.reserve(self._handler, self.rate, turns)
        except StoreError as error:
            self._health.failed(error)
            wait, turns = 1 / self.rate, 1
        first = time.monotonic() + wait
        self._reserved.extend(first + number / self.rate for number in range(turns))
