"""The headers of an answer, as a mapping that is made readable when somebody asks: of most answers nobody does."""

from collections.abc import Iterator, Mapping

from streamhooks.sender.answers import RawLines


class Received(Mapping[str, str]):
    """Names in lower case; the last one wins where a name came twice."""

    __slots__ = ("_raw", "_read")

    def __init__(self, raw: RawLines) -> None:
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
            self._read = {
                name.decode("latin-1").lower(): value.strip().decode("utf-8", "replace") for name, value in self._raw
            }
        return self._read
