"""A circuit breaker: after too many failures an endpoint is left alone for a while, then asked once.

    closed --consecutive failures, or too many of the window--> open --its time is over--> half open
    half open --success--> closed        half open --failure--> open, for twice as long, up to a cap

Pure: `now` is any clock that does not go back, in seconds. One probe at a time may pass a half-open breaker; it ends
by `record`, also where nothing was sent after all. What says nothing about the endpoint, our own trouble and a
destination that may not be called, counts neither way. Answers that come while the breaker is open and no probe is
out move nothing: they are to requests sent before.
"""

from collections import deque
from typing import Literal, TypeAlias

from streamhooks.handlers.handler import BreakerPolicy
from streamhooks.model import Failure, Reply

State: TypeAlias = Literal["closed", "open", "half_open"]
Change: TypeAlias = Literal["", "opened", "closed"]
"""What an answer did to a breaker: mostly nothing. A probe that fails changes nothing that is to be told."""

_BUCKETS = 10
_SAYS_NOTHING = frozenset({"local", "blocked"})


class Breaker:
    """The breaker of one handler in one process."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._consecutive = 0
        self._buckets: deque[_Bucket] = deque()
        self._bucket_ends = 0.0
        """When the last bucket is full."""
        self._open_for = policy.open
        self._open_until: float | None = None
        self._probe_until: float | None = None

    def state(self, now: float) -> State:
        if self._open_until is None:
            return "closed"
        return "open" if now < self._open_until else "half_open"

    def permit(self, now: float) -> bool:
        """Whether a request may be sent. In the half-open state this takes the one probe: send, then `record`."""
        if self._open_until is None:
            return True
        if self.wait(now) > 0:
            return False
        # A probe whose sender was cancelled is never recorded: after a while another one may pass.
        self._probe_until = now + self._policy.open
        return True

    def wait(self, now: float) -> float:
        """Seconds until it is worth asking again; 0 where a request may be sent now."""
        if self._open_until is None:
            return 0.0
        return max(0.0, self._open_until - now, (self._probe_until or now) - now)

    def record(self, answer: Reply | Failure, now: float) -> Change:
        """What came of a request that `permit` let pass. Anything but 2xx is a failure, as it is to the judge."""
        if isinstance(answer, Failure) and answer.kind in _SAYS_NOTHING:
            self._probe_until = None
            return ""
        success = isinstance(answer, Reply) and 200 <= answer.status < 300
        if self._open_until is None:
            self._count(success, now)
            if success or not self._is_too_much(now):
                return ""
            self._open_until = now + self._open_for
            return "opened"
        if self._probe_until is None:
            return ""
        self._probe_until = None
        if success:
            self._close()
            return "closed"
        self._open_for = min(self._open_for * 2, self._policy.open_cap)
        self._open_until = now + self._open_for
        return ""

    def _count(self, success: bool, now: float) -> None:
        self._consecutive = 0 if success else self._consecutive + 1
        if now >= self._bucket_ends:
            self._buckets.append(_Bucket(now))
            self._bucket_ends = now + self._policy.window / _BUCKETS
            self._forget_before(now - self._policy.window)
        bucket = self._buckets[-1]
        bucket.calls += 1
        bucket.failures += not success

    def _is_too_much(self, now: float) -> bool:
        if self._consecutive >= self._policy.consecutive:
            return True
        self._forget_before(now - self._policy.window)
        calls = sum(bucket.calls for bucket in self._buckets)
        failures = sum(bucket.failures for bucket in self._buckets)
        return calls >= self._policy.min_calls and failures >= self._policy.ratio * calls

    def _forget_before(self, start: float) -> None:
        while self._buckets[0].start <= start:
            self._buckets.popleft()

    def _close(self) -> None:
        self._open_until = None
        self._open_for = self._policy.open
        self._consecutive = 0
        self._buckets.clear()
        self._bucket_ends = 0.0


class _Bucket:
    """Calls of a tenth of the window: a count for each call would grow with the traffic."""

    __slots__ = ("calls", "failures", "start")

    def __init__(self, start: float) -> None:
        self.start = start
        self.calls = 0
        self.failures = 0
