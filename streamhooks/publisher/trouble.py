"""What keeps Redis from taking events, as a value: whether it is worth trying again, and what to do about it.

Kinds of PublishError:

    away       no answer: connection refused or lost, time-out, still loading
    refusing   it answers but takes no writes: out of memory, MISCONF, READONLY, too few replicas for it
    denied     wrong user or password, or no permission
    redis      anything else that it refuses, say a key that is no stream
    full       the buffer has no room
    replicas   the events are in the stream, but fewer replicas have them than were asked for
    closed     the publisher is not open, or not any more
    options    a publisher that cannot be made like this

and those of WireError (wire.py) for what is no event.
"""

from msgspec import Struct
from redis import exceptions

_DENIED = ("WRONGPASS", "NOAUTH", "NOPERM")
_REFUSING = ("OOM", "MISCONF", "READONLY", "NOREPLICAS", "BUSY ", "MASTERDOWN")
_DENIALS = (
    exceptions.AuthenticationError,
    exceptions.AuthenticationWrongNumberOfArgsError,
    exceptions.NoPermissionError,
)
FAULTS = (exceptions.RedisError, OSError, RuntimeError)
"""What a connection of redis-py raises; RuntimeError is uvloop's word for one that was reset under a write."""


class Trouble(Struct, frozen=True):
    """Why an event was not taken."""

    kind: str
    message: str
    lasting: bool = False
    """Trying again does not help: somebody must do something."""

    @classmethod
    def of(cls, error: Exception) -> "Trouble":
        """Of what a connection raised."""
        # What goes wrong while it connects, a wrong password too, redis-py wraps in a ConnectionError. That goes first.
        if isinstance(error.__cause__, _DENIALS):
            error = error.__cause__
        said = str(error).split("\n", 1)[0] or type(error).__name__
        if isinstance(error, _DENIALS) or said.startswith(_DENIED):
            return cls("denied", f"lets us not publish ({said}): look at user and password, and allow them XADD", True)
        if isinstance(error, exceptions.ReadOnlyError | exceptions.OutOfMemoryError) or said.startswith(_REFUSING):
            return cls("refusing", f"takes no writes ({said}): give it memory, disk or its primary back")
        if isinstance(error, exceptions.ClusterDownError | exceptions.TryAgainError):
            return cls("refusing", f"takes no writes (the cluster does not serve the stream: {said})")
        if isinstance(error, exceptions.MovedError):
            return cls("redis", f"is one node of a cluster ({said}): write redis+cluster://HOST:PORT", True)
        if isinstance(error, exceptions.ResponseError):
            return cls("redis", f"refused a command ({said})", True)
        return cls("away", f"cannot be reached ({said}): start it, or name another server")
