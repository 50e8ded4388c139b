"""Whether Redis answers and takes writes, said once when it changes.

Every loop reports here, so that an outage is one line in the log and not a storm, and so that readiness and the
readers know of it.

On a cluster each partition has a part of it: one node that is away holds up its own partitions, and no others.
"""

import time
from collections.abc import Callable

import structlog

from streamhooks.errors import StoreError

log = structlog.get_logger("streamhooks")
AGAIN_AFTER = 60.0
"""Seconds until the same error is told again, while it lasts."""


class Health:
    """The connection to one server, as the loops of this process see it."""

    def __init__(self, outages: "Outages") -> None:
        self.away = False
        self.refusing = False
        self._outages = outages

    def failed(self, error: StoreError) -> None:
        """A call failed. What is not known as an outage is a permission or a bug, and is told once a minute at most.

        A password that is refused is both: nothing goes on until somebody acts.
        """
        if error.kind == "refusing":
            if not self.refusing:
                self._outages.begins_to_refuse(error)
                self.refusing = True
        elif error.kind == "away":
            if not self.away:
                self._outages.goes(error)
                self.away = True
        else:
            if error.kind == "denied" and not self.away:
                self._outages.goes(error)
                self.away = True
            self._outages.tell(error)

    def answered(self, *, writes: bool = False) -> None:
        """A call succeeded; `writes` when it needed memory, which a full server refuses."""
        if self.away:
            self.away = False
            self._outages.returns()
        if writes and self.refusing:
            self.refusing = False
            self._outages.ends_to_refuse()


class Outages:
    """All of them. An outage of several servers is one: it begins with the first, and ends with the last."""

    def __init__(self, recovered: Callable[[str], None] = lambda _why: None) -> None:
        """`recovered` is told why Redis had refused writes, once it takes them again."""
        self._servers: list[Health] = []
        self._since = 0.0
        self._refusing_since = 0.0
        self._why = ""
        self._recovered = recovered
        self._told: dict[str, tuple[float, int]] = {}
        """When each error of the last minute was told, and how often it has come since."""

    def server(self) -> Health:
        """The health of one more server."""
        self._servers.append(Health(self))
        return self._servers[-1]

    @property
    def away(self) -> bool:
        return any(server.away for server in self._servers)

    @property
    def refusing(self) -> bool:
        return any(server.refusing for server in self._servers)

    # What their servers tell them, before a change for the worse and after one for the better.

    def goes(self, error: StoreError) -> None:
        if not self.away:
            self._since = time.monotonic()
            if error.kind == "denied":
                return
            log.warning("redis_away", error=error.message, effect="waiting; nothing is acknowledged")

    def returns(self) -> None:
        if not self.away:
            log.warning("redis_back", away_seconds=round(time.monotonic() - self._since, 1))

    def begins_to_refuse(self, error: StoreError) -> None:
        if not self.refusing:
            self._refusing_since = time.monotonic()
            self._why = error.message
            log.error("redis_refuses_writes", error=error.message, effect="reading stops until it takes them again")

    def ends_to_refuse(self) -> None:
        if not self.refusing:
            log.warning("redis_takes_writes_again", refused_seconds=round(time.monotonic() - self._refusing_since, 1))
            self._recovered(self._why)

    def tell(self, error: StoreError) -> None:
        now = time.monotonic()
        at, times = self._told.get(error.message, (-AGAIN_AFTER, 0))
        if now - at < AGAIN_AFTER:
            self._told[error.message] = at, times + 1
            return
        self._told = {text: told for text, told in self._told.items() if now - told[0] < AGAIN_AFTER}
        self._told[error.message] = now, 0
        log.error("redis_error", kind=error.kind, error=error.message, not_told=times)
