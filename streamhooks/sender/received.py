"""The headers of an answer, as a mapping that is made when somebody asks: of most answers nobody does."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from httptools import HttpParserError, HttpParserUpgrade

from streamhooks.sender.answers import is_interim, parser_for


class Received(Mapping[str, str]):
    """Names in lower case; the last one wins where a name came twice. `raw` is what came, as an Answer has it."""

    __slots__ = ("_raw", "_read")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._read: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._headers()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers())

    def __len__(self) -> int:
        return len(self._headers())

    def _headers(self) -> dict[str, str]:
        if self._read is None:
            self._read = _Reading(self._raw).headers
        return self._read


class _Reading:
    """Reads the headers of the first answer that is not interim."""

    def __init__(self, raw: bytes) -> None:
        self.headers: dict[str, str] = {}
        self._complete = False
        self._parser = parser_for(self)
        with suppress(HttpParserError, HttpParserUpgrade):  # what comes after the headers may be anything
            self._parser.feed_data(raw)
        del self._parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """Also called for trailers, and for an answer that follows."""
        if not self._complete:
            # Bytes that are no UTF-8 could not be stored by whoever comes after us.
            self.headers[name.decode("latin-1").lower()] = value.strip().decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        if self._complete:
            return
        if is_interim(self._parser.get_status_code()):
            self.headers.clear()
        else:
            self._complete = True
