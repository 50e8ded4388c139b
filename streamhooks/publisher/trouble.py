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

from streamhooks.connecting.troubles import trouble_of


class Trouble(Struct, frozen=True):
    """Why an event was not taken."""

    kind: str
    message: str
    lasting: bool = False
    """Trying again does not help: somebody must do something."""

    @classmethod
    def of(cls, error: Exception) -> "Trouble":
        """Of what a connection raised."""
        kind, said = trouble_of(error)
        match kind:
            case "denied" | "forbidden":
                why = f"lets us not publish ({said}): look at user and password, and allow them XADD"
                return cls("denied", why, True)
            case "refusing":
                return cls("refusing", f"takes no writes ({said}): give it memory, disk or its primary back")
            case "away":
                return cls("away", f"cannot be reached ({said}): start it, or name another server")
            case _:
                return cls("redis", f"refused a command ({said})", True)
