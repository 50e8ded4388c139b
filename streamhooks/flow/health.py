"""Whether Redis answers and takes writes, said once when it changes.

Every loop reports here, so that an outage is one line in the log and not a storm, and so that readiness and the
readers know of it.
"""

import time
from collections.abc import Callable

import structlog

from streamhooks.errors import StoreError

log = structlog.get_logger("streamhooks")
AGAIN_AFTER = 60.0
"""Seconds until the same error is told again, while it lasts."""


class Health:
    """The state of the connection to Redis as the loops of this process see it."""

    def __init__(self, recovered: Callable[[str], None] = lambda _why: None) -> None:
        """`recovered` is told why Redis had refused writes, once it takes them again."""
        self.away = False
        self.refusing = False
        self._since = 0.0
        self._refusing_since = 0.0
        self._why = ""
        self._recovered = recovered
        self._told: dict[str, tuple[float, int]] = {}
        """When each error of the last minute was told, and how often it has come since."""

    @property
    def well(self) -> bool:
        return not self.away and not self.refusing

    def failed(self, error: StoreError) -> None:
        """A call failed. What is not known as an outage is a permission or a bug, and is told once a minute at most.

        A password that is refused is both: nothing goes on until somebody acts.
        """
        if error.kind == "refusing":
            if not self.refusing:
                self.refusing = True
                self._refusing_since = time.monotonic()
                self._why = error.message
                log.error("redis_refuses_writes", error=error.message, effect="reading stops until it takes them again")
        elif error.kind == "away":
            if not self.away:
                self.away = True
                self._since = time.monotonic()
                log.warning("redis_away", error=error.message, effect="waiting; nothing is acknowledged")
        else:
            if error.kind == "denied" and not self.away:
                self.away = True
                self._since = time.monotonic()
            self._tell(error)

    def answered(self, *, writes: bool = False) -> None:
        """A call succeeded; `writes` when it needed memory, which a full server refuses."""
        if self.away:
            self.away = False
            log.warning("redis_back", away_seconds=round(time.monotonic() - self._since, 1))
        if writes and self.refusing:
            self.refusing = False
            log.warning("redis_takes_writes_again", refused_seconds=round(time.monotonic() - self._refusing_since, 1))
            self._recovered(self._why)

    def _tell(self, error: StoreError) -> None:
        now = time.monotonic()
        at, times = self._told.get(error.message, (-AGAIN_AFTER, 0))
        if now - at < AGAIN_AFTER:
            self._told[error.message] = at, times + 1
            return
        self._told = {text: told for text, told in self._told.items() if now - told[0] < AGAIN_AFTER}
        self._told[error.message] = now, 0
        log.error("redis_error", kind=error.kind, error=error.message, not_told=times)
