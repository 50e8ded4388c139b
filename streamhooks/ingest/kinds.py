"""Which form a body has: its Content-Type says so, exactly, and nothing is guessed from the body.

A type that is near to one of these is refused like any other: a body that is read in another form than it was written
in may be a wrong event, and nobody would be told.
"""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from streamhooks.ingest.refusals import IngestError

Kind: TypeAlias = Literal["json", "lines", "msgpack", "form", "cloud_event", "cloud_events", "binary"]

TYPES: dict[str, Kind] = {
    "application/json": "json",
    "application/x-ndjson": "lines",
    "application/ndjson": "lines",
    "application/msgpack": "msgpack",
    "application/vnd.msgpack": "msgpack",
    "application/x-msgpack": "msgpack",
    "application/x-www-form-urlencoded": "form",
    "application/cloudevents+json": "cloud_event",
    "application/cloudevents-batch+json": "cloud_events",
}

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rf"({_WORD}/{_WORD})((?:[ \t]*;[ \t]*(?:{_WORD}=(?:{_WORD}|\"[^\"\\]*\"))?)*)[ \t]*")
"""RFC 9110, section 8.3.1."""
_CHARSET = re.compile(rf";[ \t]*charset=(?:({_WORD})|\"([^\"\\]*)\")", re.IGNORECASE)
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


def kind_of(content_types: Sequence[str], encodings: Sequence[str], *, binary: bool) -> Kind:
    """The kind of a body by its header lines; `binary`: there is a ce-specversion.

    Raises IngestError (415).
    """
    if any(encoding.strip().lower() not in ("", "identity") for encoding in encodings):
        said = "the body is compressed (Content-Encoding): send it as it is"
        raise IngestError(415, "compressed", said, headers={"Accept-Encoding": "identity"})
    given = content_types[0].strip() if len(content_types) == 1 else ""
    match = _MEDIA_TYPE.fullmatch(given)
    if match is None:
        if binary and not content_types:  # an event without data has no type of data
            return "binary"
        raise _unsupported("it is given twice" if len(content_types) > 1 else "it is empty or none")
    charsets = [one or other for one, other in _CHARSET.findall(match[2])]
    if any(charset.lower() not in _UTF8 for charset in charsets):
        said = "the charset of Content-Type is not utf-8: write the body in UTF-8 and say so"
        raise IngestError(415, "wrong_charset", said)
    media_type = match[1].lower()
    kind = TYPES.get(media_type)
    if binary and kind not in ("cloud_event", "cloud_events"):
        if media_type == "application/json" or media_type.endswith("+json"):
            return "binary"
        said = "the data of a CloudEvent in binary mode is a JSON object: send Content-Type: application/json"
        raise IngestError(415, "wrong_content_type", said)
    if kind is None:
        raise _unsupported("it is another one")
    return kind


def _unsupported(why: str) -> IngestError:
    types = ", ".join(TYPES)
    said = f"no Content-Type that is read here, {why}: send one of {types}"
    return IngestError(415, "wrong_content_type", said, headers={"Accept": types})
