"""aiohttp's side of a connection, with a bound on the answers that wait to be read.

aiohttp parses all that one read from the socket brought, up to 256 KB, before anybody looks at the first answer. Ten
thousand `100 Continue` fit into that, each an object with headers: an endpoint could make every connection hold ten
megabytes. So what was read is parsed in small pieces, and whoever sends more answers than anybody asked for is cut off.
So is, at once, whoever says something while nobody has asked: it would be taken for the answer to the next request.
"""

import asyncio
from functools import partial

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

PIECE = 4096
"""Bytes that are parsed at a time."""
MOST_WAITING = 32
"""Answers that may wait to be read. One is to be expected, and before it a few that are informational (1xx)."""
WRITTEN_TOGETHER = 64 * 1024
"""Bytes of a body that go out with the head, in one call to the kernel."""


class BoundedHandler(ResponseHandler):
    """A connection that fails with HttpProcessingError once more than MOST_WAITING answers wait."""

    _bodiless: bool | None = None
    _at_rest = False
    """Its last answer was read whole, and nothing was asked since."""

    def ask(self, head: bytes, body: bytes, *, bodiless: bool) -> None:
        """Writes a request; `bodiless`: its answer has no body (HEAD). Raises ClientConnectionResetError where the
        connection is gone.

        aiohttp makes a parser for each answer; one goes on from answer to answer as long as they are of one kind.
        """
        transport = self.transport
        if transport is None:
            raise aiohttp.ClientConnectionResetError("closed before anything was written")
        self._at_rest = False
        if self._parser is None or self._bodiless is not bodiless:
            self._bodiless = bodiless
            self.set_response_params(skip_payload=bodiless, read_until_eof=True, auto_decompress=False)
        if len(body) <= WRITTEN_TOGETHER:
            transport.write(head + body)
        else:
            transport.writelines((head, body))

    def rest(self) -> bool:
        """After an answer was read whole: whether another request may follow. From now on nothing is expected."""
        self._at_rest = True
        transport = self.transport
        if transport is None or self.should_close or transport.get_write_buffer_size():
            return False
        return not self._holds_more()

    def _holds_more(self) -> bool:
        """Whether the parser has read on into another answer, which would be taken for that to the next request."""
        try:
            return self._parser is not None and self._parser.feed_eof() is not None
        except Exception:  # noqa: BLE001  whatever it says of half an answer
            return True

    def resume_reading(self, resume_parser: bool = True) -> None:
        """At the end of every body aiohttp tells the transport to go on, though it was not stopped."""
        if resume_parser or self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    def data_received(self, data: bytes) -> None:
        if self._at_rest:
            self._give_up()
            return
        for start in (0,) if len(data) <= PIECE else range(0, len(data), PIECE):
            super().data_received(data[start : start + PIECE])
            if len(self._buffer) > MOST_WAITING:
                self.set_exception(HttpProcessingError(message="more answers than requests"))
            if self._exception is not None:
                self._give_up()
                return

    def fail(self, error: Exception) -> None:
        """Whoever reads, a head or a body, meets `error`."""
        self.set_exception(error)
        if self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(error)

    def _give_up(self) -> None:
        if self.transport is not None:
            self.transport.close()
        # A chunk that is none, after the headers were read, is not told to whoever reads the body, who would wait on.
        if self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(aiohttp.ClientPayloadError("the body is broken"))


def bound(connector: aiohttp.TCPConnector) -> None:
    """Has `connector` make such connections. aiohttp has no public switch; tests/sender holds it to this one."""
    made: type[ResponseHandler] = BoundedHandler
    connector._factory = partial(made, loop=asyncio.get_running_loop())
