"""Whether Redis answers and takes writes, said once when it changes.

Every loop reports here, so that an outage is one line in the log and not a storm, and so that readiness and the
readers know of it.
"""

import time
from collections.abc import Callable

import structlog

from streamhooks.errors import StoreError

log = structlog.get_logger("streamhooks")


class Health:
    """The state of the connection to Redis as the loops of this process see it."""

    def __init__(self, recovered: Callable[[str], None] = lambda _why: None) -> None:
        """`recovered` is told why Redis had refused writes, once it takes them again."""
        self.away = False
        self.refusing = False
        self._since = 0.0
        self._why = ""
        self._recovered = recovered

    @property
    def well(self) -> bool:
        return not self.away and not self.refusing

    def failed(self, error: StoreError) -> None:
        """A call failed. Anything that is not known as an outage is logged each time: it is a bug or a permission."""
        if error.kind == "refusing":
            if not self.refusing:
                self.refusing = True
                self._why = error.message
                log.error("redis_refuses_writes", error=error.message, effect="reading stops until it takes them again")
        elif error.kind == "away":
            if not self.away:
                self.away = True
                self._since = time.monotonic()
                log.warning("redis_away", error=error.message, effect="waiting; nothing is acknowledged")
        else:
            log.error("redis_error", kind=error.kind, error=error.message)

    def answered(self, *, writes: bool = False) -> None:
        """A call succeeded; `writes` when it needed memory, which a full server refuses."""
        if self.away:
            self.away = False
            log.warning("redis_back", away_seconds=round(time.monotonic() - self._since, 1))
        if writes and self.refusing:
            self.refusing = False
            log.warning("redis_takes_writes_again")
            self._recovered(self._why)
