"""What we store of an event on its way: one record serves retries, deferrals and dead letters.

A record is a flat list of fields, so that `redis-cli XRANGE` shows it to a person as it stands. `v` is the version of
this form; a release reads the records of the release before. The times `first` and `last` are written by the script
that stores the record, from the clock of Redis.
"""

from msgspec import Struct

from streamhooks.errors import WireError
from streamhooks.store.connection import Word

VERSION = 1
ANSWER_BYTES = 2048
NEVER = -1
WHY_CHARACTERS = 1024
"""A template may fail with a text as long as an event."""


class Record(Struct, frozen=True, gc=False):
    """One event for one handler, stored."""

    origin: str
    """The id of the entry that first carried the event."""
    handler: str = ""
    owner: str = ""
    attempt: int = 1
    """The number of the attempt that comes next; of a dead letter, the number of attempts made."""
    fingerprint: str = ""
    type: str = ""
    event: bytes = b""
    """As wire.pack_event wrote it; empty where the entry could not be decoded."""
    run: str = ""
    """Names a replay; part of its owner."""
    id_run: str = ""
    """The replay of history that gave the event its webhook-id; a dead letter that is replayed keeps it."""
    force: bool = False
    """No cool-down is claimed."""
    why: str = ""
    reason: str = ""
    status: int = 0
    """Of the last answer; 0: there was none."""
    answer: bytes = b""
    raw: bytes = b""
    """What could not be decoded: the first 64 KiB."""
    raw_length: int = 0
    raw_sha256: str = ""
    paused: int = 0
    """Milliseconds that it was held because its handler was paused: they do not count for max_age."""
    first: int = 0
    """Of the first attempt, milliseconds since 1970 by the clock of Redis; 0: none was made. In a record that is to be
    stored 0 stands for now, and NEVER for none."""
    last: int = 0

    def words(self) -> list[Word]:
        """The fields as a script adds them to a stream, without the times."""
        words: list[Word] = ["v", VERSION, "origin", self.origin, "handler", self.handler, "owner", self.owner]
        words += ["type", self.type, "attempt", self.attempt, "fp", self.fingerprint]
        words += ["why", self.why[:WHY_CHARACTERS]]
        if self.event:
            words += ["event", self.event]
        for name, value in (("run", self.run), ("id_run", self.id_run), ("reason", self.reason)):
            if value:
                words += [name, value]
        if self.paused:
            words += ["paused", self.paused]
        if self.force:
            words += ["force", 1]
        if self.status:
            words += ["status", self.status, "answer", self.answer[:ANSWER_BYTES]]
        if self.raw_sha256:
            words += ["raw", self.raw, "raw_length", self.raw_length, "raw_sha256", self.raw_sha256]
        return words

    @classmethod
    def read(cls, fields: dict[bytes, bytes]) -> "Record":
        """Reads what `words` wrote. Raises WireError (`record`) on anything else."""
        try:
            version = int(fields[b"v"])
            if version != VERSION:
                raise WireError("record", f"a record of version {version} is not known to this release", "v")
            return cls(
                origin=fields[b"origin"].decode(),
                handler=_text(fields, b"handler"),
                owner=_text(fields, b"owner"),
                attempt=_number(fields, b"attempt"),
                fingerprint=_text(fields, b"fp"),
                type=_text(fields, b"type"),
                event=fields.get(b"event", b""),
                run=_text(fields, b"run"),
                id_run=_text(fields, b"id_run"),
                force=b"force" in fields,
                why=_text(fields, b"why"),
                reason=_text(fields, b"reason"),
                status=_number(fields, b"status"),
                answer=fields.get(b"answer", b""),
                raw=fields.get(b"raw", b""),
                raw_length=_number(fields, b"raw_length"),
                raw_sha256=_text(fields, b"raw_sha256"),
                paused=_number(fields, b"paused"),
                first=_number(fields, b"first"),
                last=_number(fields, b"last"),
            )
        except (KeyError, ValueError) as error:
            raise WireError("record", f"this is no record of ours: {error!r}") from error


def _text(fields: dict[bytes, bytes], name: bytes) -> str:
    return fields.get(name, b"").decode()


def _number(fields: dict[bytes, bytes], name: bytes) -> int:
    return int(fields.get(name, b"0"))
