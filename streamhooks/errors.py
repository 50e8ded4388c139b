"""One error class per room. Each says what kind of fault it is and at which place it was found.

Expected endings (a refused connection, a 503, a duplicate) are values, see model.py. What is raised here is either a
fault in something a person wrote (an event, a template, a configuration) or an outage. A `kind` is a stable word
that programs may compare; the message is for people and names the way out.
"""

from collections.abc import Sequence


class StreamhooksError(Exception):
    """What every error of ours is; never raised itself.

    `kind` is a stable word of the room, `place` says where the fault is (a file and key path, a line and column, a
    field of an entry), or is empty where the message says it all.
    """

    def __init__(self, kind: str, message: str, place: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class WireError(StreamhooksError):
    """An entry that is no event: not a map, bad UTF-8, too large, too deep, no type."""


class TemplateError(StreamhooksError):
    """A template that cannot be parsed, or failed on an event. The first line is Go's own text where Go has one."""


class RequestError(StreamhooksError):
    """An event and a handler that make no request that may be sent: say, a header value with a line break."""


class ConfigError(StreamhooksError):
    """A configuration that cannot be used. Carries every fault that was found, not just the first."""

    def __init__(self, faults: "list[Fault]") -> None:
        super().__init__("config", "\n".join(str(fault) for fault in faults))
        self.faults = faults


class StoreError(StreamhooksError):
    """Redis cannot be used as it is: too old, no permission, wrong type of key."""


class BenchError(StreamhooksError):
    """A measurement that means nothing: a worker that failed, an event that did not arrive, a tool that is missing."""


class PublishError(StreamhooksError):
    """Events that were not published, or not as it was asked; `kind`, and what each means, is in publisher/trouble.py.

    `place` is the server, without credentials, or the member of an event (`events[3].meta.Key`).
    """

    def __init__(
        self,
        kind: str,
        message: str,
        place: str = "",
        *,
        ids: Sequence[str | None] = (),
        unpublished: Sequence[bytes] = (),
        why: str = "",
    ) -> None:
        super().__init__(kind, message, place)
        self.why = why or message
        """What keeps Redis from it, without what became of which event: `cannot be reached (...): start it, ...`."""
        self.ids = tuple(ids)
        """One for each event of the call, in order: the id of its entry, or None where Redis gave none."""
        self.unpublished = tuple(unpublished)
        """The events that Redis gave no id for, each in the packed form: lines for `streamhooks publish --ndjson`."""


class Fault:
    """One fault of a configuration: file, key path, and what is wrong with which way out."""

    __slots__ = ("file", "message", "path")

    def __init__(self, file: str, path: str, message: str) -> None:
        self.file = file
        self.path = path
        self.message = message

    def __str__(self) -> str:
        where = f"{self.file}: {self.path}" if self.path else self.file
        return f"{where}: {self.message}"

    def __repr__(self) -> str:
        return f"Fault({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
