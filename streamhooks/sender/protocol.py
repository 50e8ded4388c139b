"""aiohttp's side of a connection, with a bound on the answers that wait to be read.

aiohttp parses all that one read from the socket brought, up to 256 KB, before anybody looks at the first answer. Ten
thousand `100 Continue` fit into that, each an object with headers: an endpoint could make every connection hold ten
megabytes. So what was read is parsed in small pieces, and whoever sends more answers than anybody asked for is cut off.
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


class BoundedHandler(ResponseHandler):
    """A connection that fails with HttpProcessingError once more than MOST_WAITING answers wait."""

    _bodiless: bool | None = None

    def prepare(self, *, bodiless: bool) -> None:
        """Makes it ready for the next answer. aiohttp makes a parser for each; one goes on from answer to answer as
        long as they are of the same kind, `bodiless` (to HEAD) or not.
        """
        if self._parser is None or self._bodiless is not bodiless:
            self._bodiless = bodiless
            self.set_response_params(skip_payload=bodiless, read_until_eof=True, auto_decompress=False)

    def resume_reading(self, resume_parser: bool = True) -> None:
        """At the end of every body aiohttp tells the transport to go on, though it was not stopped."""
        if resume_parser or self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    @property
    def spoiled(self) -> bool:
        """Whether something has come, or gone wrong, since its last answer was read. A new connection never is: what
        is wrong with that is told when it is written to.
        """
        return self._parser is not None and self.should_close

    def data_received(self, data: bytes) -> None:
        for start in range(0, max(1, len(data)), PIECE):
            super().data_received(data[start : start + PIECE])
            if len(self) > MOST_WAITING:
                self.set_exception(HttpProcessingError(message="more answers than requests"))
            if self.exception() is not None:
                self._give_up()
                return

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
