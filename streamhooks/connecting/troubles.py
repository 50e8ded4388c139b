"""What an error of redis-py means, as a word and a line: in one place, for whoever talks to Redis.

away       no answer: connection refused or lost, time-out, still loading
denied     it does not know us: wrong user or password, or none given
forbidden  it knows us, and we may not do this
refusing   it answers but takes no writes: out of memory, MISCONF, READONLY, a script that runs too long, a slot that no
           node of the cluster serves now
no_group   the stream or its consumer group is gone (FLUSHALL, DEL, a fail-over)
no_script  the server does not know a script's SHA-1
redis      anything else that it refuses; a bug, or a server that lacks something
"""

from typing import Final, NamedTuple

from redis import exceptions

FAULTS: Final = (exceptions.RedisError, OSError, RuntimeError)
"""What a connection of redis-py raises; RuntimeError is uvloop's word for one that was reset under a write."""
DOUBTFUL: Final = (
    exceptions.ReadOnlyError,
    exceptions.MasterDownError,
    exceptions.ConnectionError,
    exceptions.TimeoutError,
)
"""What may mean that another server is the primary now."""
_DENIALS = (exceptions.AuthenticationError, exceptions.AuthenticationWrongNumberOfArgsError)
_DENIED = ("WRONGPASS", "NOAUTH")
_REFUSING = ("OOM", "MISCONF", "READONLY", "NOREPLICAS", "BUSY ")
_RESET = "the handler is closed"


class Trouble(NamedTuple):
    kind: str
    said: str
    """One line."""


def trouble_of(error: Exception) -> Trouble:
    """Raises the error itself where it is none of Redis: a RuntimeError that is a bug."""
    # What goes wrong while it connects, a wrong password too, redis-py may wrap in a ConnectionError.
    if isinstance(error.__cause__, exceptions.RedisError) and isinstance(error, exceptions.ConnectionError):
        error = error.__cause__
    said = str(error).split("\n", 1)[0] or type(error).__name__
    if isinstance(error, _DENIALS) or said.startswith(_DENIED):
        return Trouble("denied", said)
    if isinstance(error, exceptions.NoPermissionError) or said.startswith("NOPERM"):
        return Trouble("forbidden", said)
    if isinstance(error, exceptions.ReadOnlyError | exceptions.OutOfMemoryError | exceptions.MasterDownError):
        return Trouble("refusing", said)
    if isinstance(error, exceptions.ClusterDownError | exceptions.TryAgainError):
        return Trouble("refusing", f"the cluster does not serve it now: {said}")
    if isinstance(error, exceptions.AskError):  # MOVED is one, too
        return Trouble("redis", f"this is one node of a cluster, write redis+cluster:// ({said})")
    if isinstance(error, exceptions.NoScriptError):
        return Trouble("no_script", said)
    if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError):
        return Trouble("away", said)
    if isinstance(error, exceptions.ResponseError):
        return Trouble(_refused(said), said)
    if isinstance(error, RuntimeError):
        if _RESET not in str(error):
            raise error
        return Trouble("away", "the connection was reset")
    return Trouble("away" if isinstance(error, OSError) else "redis", said)


def _refused(said: str) -> str:
    if "NOGROUP" in said or "UNBLOCKED" in said or "no such key" in said:
        return "no_group"
    if any(word in said for word in _REFUSING):
        return "refusing"
    return "away" if "LOADING" in said else "redis"
