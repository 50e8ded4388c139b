"""What the door says where it takes nothing: a status, a stable word, and a message that names the way out."""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from streamhooks.errors import StreamhooksError, WireError


class Bad(Struct, frozen=True, omit_defaults=True):
    """One event of a request that is none."""

    index: int
    """Its place among the events of the request, from 0."""
    kind: str
    """As WireError has it."""
    place: str
    """The member, such as `meta.Headers[3]`; empty: the event itself."""
    reason: str
    line: int | UnsetType = UNSET
    """Of NDJSON, from 1."""


class IngestError(StreamhooksError):
    """A request of which nothing, or not all, was taken; `more` are further members of the answer."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(kind, message)
        self.status = status
        self.headers = headers or {}
        self.more = more or {}


def unreadable(kind: str, message: str) -> IngestError:
    """The body as a whole is nothing that could hold events."""
    return IngestError(400, kind, f"the body {message}")


def bad(index: int, line: int, error: WireError) -> Bad:
    """Without the `d` of the wire contract, which the sender has never written."""
    place = "" if error.place == "d" else error.place.removeprefix("d.")
    return Bad(index, error.kind, place, error.message, line or UNSET)
