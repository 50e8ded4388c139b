"""From the bytes of a connection to the answer to a request: no I/O, and no clock.

The parser is httptools', which is llhttp, Node's own: it is given pieces and calls back. aiohttp has the same one, but
makes two objects with a dozen members each and a map of the headers for an answer of which the status is all that is
wanted; that cost more than all else that is done to read it. Headers are kept as they came, and read by received.py
when somebody asks for one.

Laws: the status line decides. Once it and the headers are read, a body that is cut, broken, slow or endless changes
nothing of the answer; it is only not whole, and nothing may be asked on the connection after it. Headers are bounded,
and so are the answers before the last one (1xx): an endpoint can make neither piles nor work of them.
"""

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_BODY = 64 * 1024
MAX_HEAD = 2 * 1024
"""Bytes of an answer's body that are read, and that are kept."""
MOST_HEADERS = 32 * 1024
"""Bytes of status lines and headers, those of interim answers among them: twice what Node takes, four times what NGINX
passes on."""
MOST_BEGUN = 32
"""Answers to one request: the last one, and before it a few that are interim."""
PIECE = 4096
"""Bytes that are parsed at a time: who sends a megabyte at once is not read further than need be."""

_UNREAD = -1
"""No status: 0 is what an endpoint can say."""


class Answers:
    """Reads the answers on one connection: `expect` before a request is written, then `feed` until it has `ended`.

    What was read of an answer is here until the next one is expected.
    """

    __slots__ = ("_begun", "_bodiless", "_parser", "_read", "ended", "fault", "head", "raw", "status", "whole")

    def __init__(self) -> None:
        self._parser: HttpResponseParser | None = None

    def expect(self, *, bodiless: bool) -> None:
        """The next bytes are the answer to a request; `bodiless`: it has no body, whatever it says (HEAD)."""
        if self._parser is None:
            self._parser = parser_for(self)
        self._bodiless = bodiless
        self._begun = self._read = 0
        self.raw = b""
        """What came up to the end of its headers, and a little of what came with it."""
        self.head = b""
        """The first bytes of its body."""
        self.status = _UNREAD
        self.fault = ""
        """Why what came is no answer; for people, and quotes nothing that came."""
        self.ended = False
        """It was read as far as it is read, or is none."""
        self.whole = False
        """It was read to its end, nothing has come after it, and the endpoint will take another request."""

    @property
    def is_one(self) -> bool:
        """Whether its headers were read."""
        return self.status != _UNREAD

    def feed(self, data: bytes) -> None:
        """Reads on. What is no answer is no exception, which would hold all the bytes that it was met in."""
        if len(data) > PIECE:
            self._feed_in_pieces(data)
            return
        parser = self._parser
        if parser is None:  # nothing more is expected
            self.whole = False
            return
        if self.status == _UNREAD:
            self.raw += data
            if len(self.raw) > MOST_HEADERS:
                self._is_none(f"the headers of the answer are longer than {MOST_HEADERS // 1024} KiB")
                return
        try:
            parser.feed_data(data)
        except HttpParserUpgrade:  # 101: what follows is no HTTP
            self.whole = False
        except HttpParserCallbackError as error:
            raise error.__context__ or error from None  # a bug of ours
        except HttpParserError as error:
            if self.status == _UNREAD:
                self._is_none(f"the answer is no HTTP that can be read ({error})")
            self.ended, self.whole = True, False

    def close(self) -> None:
        """Nothing more comes. It and its parser name each other: a circle, which only the collector would find."""
        self._parser = None

    def _feed_in_pieces(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            if self.ended:
                self.whole = False
                return
            self.feed(data[start : start + PIECE])

    # What the parser calls, by the names that httptools gives.

    def on_message_begin(self) -> None:
        if self.ended:  # nobody has asked for this one
            self.whole = False
            return
        self._begun += 1
        if self._begun > MOST_BEGUN:
            self._is_none("the endpoint sends more answers than were asked for")

    def on_headers_complete(self) -> None:
        parser = self._parser
        if parser is None or self.ended:
            return
        status = parser.get_status_code()
        if status < 200 and is_interim(status):
            return
        self.status = status
        if self._bodiless:
            self.ended, self.whole = True, self._goes_on(parser)
            self._parser = None  # it waits for the body that the headers speak of

    def on_chunk_header(self) -> None:
        if self.ended:
            self.whole = False

    def on_body(self, data: bytes) -> None:
        if self.ended:
            self.whole = False
            return
        self._read += len(data)
        if len(self.head) < MAX_HEAD:
            self.head += data[: MAX_HEAD - len(self.head)]
        if self._read > MAX_BODY:
            self.ended = True

    def on_message_complete(self) -> None:
        if self.status != _UNREAD and not self.ended and self._parser is not None:
            self.ended, self.whole = True, self._goes_on(self._parser)

    def _is_none(self, fault: str) -> None:
        self.fault = self.fault or fault
        self.ended = True

    def _goes_on(self, parser: HttpResponseParser) -> bool:
        """Whether the endpoint will take another request; one whose statuses are none is not asked."""
        return 200 <= self.status < 600 and parser.should_keep_alive()


def is_interim(status: int) -> bool:
    """RFC 9110, section 15.2; after 101 the connection speaks something else, so that it is the last one."""
    return 100 <= status < 200 and status != 101


def parser_for(listener: object) -> HttpResponseParser:
    """As lenient as browsers and curl are, where nothing hangs on it: we read one answer, and no proxy reads along."""
    parser = HttpResponseParser(listener)
    parser.set_dangerous_leniencies(
        lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser
