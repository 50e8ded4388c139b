"""From the bytes of a connection to the answer to a request: no I/O, and no clock.

The parser is httptools', which is llhttp, Node's own: it is given pieces and calls back. aiohttp has the same one, but
makes two objects with a dozen members each and a map of the headers for an answer of which the status is all that is
wanted; that cost more than all else that is done to read it.

Laws: the status line decides. Once it and the headers are read, a body that is cut, broken, slow or endless changes
nothing of the answer; it is only not whole, and nothing may be asked on the connection after it. Headers are bounded,
and so are the answers before the last one (1xx): an endpoint can make neither piles nor work of them.
"""

from typing import TypeAlias

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser
from msgspec import Struct

MAX_BODY = 64 * 1024
MAX_HEAD = 2 * 1024
"""Bytes of an answer's body that are read, and that are kept."""
MOST_LINES = 128
"""Headers of an answer."""
MOST_HEADERS = 64 * 1024
"""Bytes of status lines and headers, those of interim answers among them."""
MOST_BEGUN = 32
"""Answers to one request: the last one, and before it a few that are interim."""
PIECE = 4096
"""Bytes that are parsed at a time: who sends a megabyte at once is not read further than need be."""

_UNREAD = -1
"""No status: 0 is what an endpoint can say."""

RawLines: TypeAlias = list[tuple[bytes, bytes]]


class Unreadable(Exception):  # noqa: N818  it is the endpoint's fault, and a verdict on what it sent
    """What came is no answer, or too much of one. The message is for people and quotes nothing that came."""


class Answer(Struct, gc=False):
    """An answer whose status line and headers were read."""

    status: int
    lines: RawLines
    """Its headers, as they came."""
    head: bytes
    """The first bytes of its body."""


class Answers:
    """Reads the answers on one connection: `expect` before a request is written, then `feed` until it has `ended`."""

    __slots__ = (
        "_begun", "_bodiless", "_held", "_lines", "_parser", "_read", "_spent", "_status", "ended", "first", "whole",
    )  # fmt: skip

    def __init__(self) -> None:
        self._spent = True
        self._parser: HttpResponseParser | None = None

    def expect(self, *, bodiless: bool) -> None:
        """The next bytes are the answer to a request; `bodiless`: it has no body, whatever it says (HEAD)."""
        if self._spent or self._parser is None:
            self._parser = _parser(self)
            self._spent = False
        self._bodiless = bodiless
        self._lines: RawLines = []
        self._begun = self._held = self._read = 0
        self.first = b""
        self._status = _UNREAD
        self.ended = False
        """It was read as far as it is read."""
        self.whole = False
        """It was read to its end, nothing has come after it, and the endpoint will take another request."""

    @property
    def answer(self) -> Answer | None:
        """What was read of it; None as long as its headers were not."""
        return None if self._status == _UNREAD else Answer(self._status, self._lines, self.first)

    def feed(self, data: bytes) -> None:
        """Reads on. Raises Unreadable, as long as the headers are not read."""
        if len(data) <= PIECE:
            self._take(data)
            return
        for start in range(0, len(data), PIECE):
            if self.ended:
                self.whole = False
                return
            self._take(data[start : start + PIECE])

    def close(self) -> None:
        """Nothing more comes. It and its parser name each other: a circle, which only the collector would find."""
        self._parser = None

    def _take(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            return
        if self._status == _UNREAD:
            self._held += len(data)
            if self._held > MOST_HEADERS:
                raise Unreadable(f"the headers of the answer are longer than {MOST_HEADERS // 1024} KiB")
        try:
            parser.feed_data(data)
        except HttpParserUpgrade:  # 101: what follows is no HTTP
            self.whole = False
        except HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except HttpParserError as error:
            if self._status == _UNREAD:
                raise Unreadable(f"the answer is no HTTP that can be read ({error})") from None
            self.ended, self.whole = True, False

    # What the parser calls, by the names that httptools gives.

    def on_message_begin(self) -> None:
        if self.ended:  # nobody has asked for this one
            self.whole = False
            return
        self._begun += 1
        if self._begun > MOST_BEGUN:
            raise Unreadable("the endpoint sends more answers than were asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status == _UNREAD:  # else it is a trailer
            self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        if parser is None or self.ended:
            return
        status = parser.get_status_code()
        if 100 <= status < 200 and status != 101:  # interim (RFC 9110, section 15.2)
            self._lines.clear()
            return
        if len(self._lines) > MOST_LINES:
            raise Unreadable(f"the answer has more than {MOST_LINES} headers")
        self._status = status
        if self._bodiless:
            # The parser waits for the body that the headers speak of: it is not asked again.
            self._spent = self.ended = True
            self.whole = parser.should_keep_alive()

    def on_chunk_header(self) -> None:
        # It keeps the last trailer for the answer that comes next.
        self._spent = True
        if self.ended:
            self.whole = False

    def on_body(self, data: bytes) -> None:
        if self.ended:
            self.whole = False
            return
        self._read += len(data)
        if len(self.first) < MAX_HEAD:
            self.first += data[: MAX_HEAD - len(self.first)]
        if self._read > MAX_BODY:
            self.ended = True

    def on_message_complete(self) -> None:
        if self._status != _UNREAD and not self.ended and self._parser is not None:
            self.ended = True
            self.whole = self._parser.should_keep_alive()


def _parser(reader: Answers) -> HttpResponseParser:
    """As lenient as browsers and curl are, where nothing hangs on it: we read one answer, and no proxy reads along."""
    parser = HttpResponseParser(reader)
    parser.set_dangerous_leniencies(
        lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser
