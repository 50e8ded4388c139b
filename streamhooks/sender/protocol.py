"""One connection: aiohttp opens it, requests are written to it and their answers read from it by us.

aiohttp's ClientSession makes a request object, a body's task, a response object and two timers for every call, which
costs more than all else that a delivery does. So its connector is asked for connections, TLS and proxies, and what goes
over them is ours: write the bytes, read one answer, call whoever asked. What of aiohttp is stood on that its
documentation does not promise is in pool.py (`connect` of a TCPConnector, what it asks a ClientRequest, `close` of a
Connection) and here (its protocol, and where the connector takes it from). tests/sender/test_exchange.py says so,
clearly, of a release that changes them.

Its own protocol reads only what its connector asks a proxy for, before the connection stands; from the first request on
what comes is read by answers.py. Whoever says something while nobody has asked is cut off: it would be taken for the
answer to the next request. Only what comes before the first request is kept for it, because little servers that answer
without listening are what people try things out with.

Laws: written once, never again. Whoever asks is told once. A connection may be asked again only when the request was
written to it whole, the answer was read from it whole, and nothing else has come.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import aiohttp
from aiohttp.client_proto import ResponseHandler

from streamhooks.sender.answers import MOST_HEADERS, Answers
from streamhooks.sender.failures import Unreadable

WRITTEN_TOGETHER = 64 * 1024
"""Bytes of a body that go out with the head, in one call to the kernel."""

Came: TypeAlias = Answers | Exception
"""What came of asking: an answer, which is to be looked at before anything is asked again, or an exception. Unreadable,
OSError, and what aiohttp raises are to be expected.
"""
Tell: TypeAlias = Callable[[Came], None]


class Exchanging(ResponseHandler):
    """A connection on which one request after the other is asked and answered."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._answers = Answers()
        self._tell: Tell | None = None
        """Of the request that is under way."""
        self._was_asked = False
        self._is_asked_by_aiohttp = False
        self._early = b""
        self.whole = False
        """The last request was written whole, its answer read whole, and nothing has come since."""

    def ask(self, head: bytes, body: bytes, *, bodiless: bool, tell: Tell) -> None:
        """Writes a request; `bodiless`: its answer has no body (HEAD). Raises ClientConnectionResetError where the
        connection is gone, and then tells nobody.
        """
        transport = self.transport
        if transport is None:
            raise aiohttp.ClientConnectionResetError("closed before anything was written")
        self.whole = False
        self._was_asked = True
        self._answers.expect(bodiless=bodiless)
        self._tell = tell
        if len(body) <= WRITTEN_TOGETHER:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)

    def fail(self, error: Exception) -> None:
        """Whoever waits for an answer is told `error`, or what was read of it where its headers were."""
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(self._answers if self._answers.is_one else error)

    def data_received(self, data: bytes) -> None:
        tell = self._tell
        if tell is None:
            self._say_unasked(data)
            return
        answers = self._answers
        answers.feed(data)
        if answers.fault:
            self.fail(Unreadable(answers.fault))
        elif answers.ended:
            transport = self.transport
            self.whole = answers.whole and transport is not None and not transport.get_write_buffer_size()
            self._tell = None
            tell(answers)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self.whole = False
        self.fail(exc if isinstance(exc, Exception) else aiohttp.ServerDisconnectedError())
        self._answers.close()

    def set_response_params(self, **params: Any) -> None:
        """The connector of aiohttp is about to ask a proxy for a way through."""
        self._is_asked_by_aiohttp = True
        super().set_response_params(**params)

    def _say_unasked(self, data: bytes) -> None:
        if self._is_asked_by_aiohttp:
            super().data_received(data)
        elif not self._was_asked and len(self._early) < MOST_HEADERS:
            self._early += data
        else:
            self.whole = False
            if self.transport is not None:
                self.transport.close()


def exchanging(connector: aiohttp.TCPConnector) -> None:
    """Has `connector` make such connections. aiohttp has no public switch; tests/sender holds it to this one."""
    made: type[ResponseHandler] = Exchanging
    connector._factory = partial(made, loop=asyncio.get_running_loop())
