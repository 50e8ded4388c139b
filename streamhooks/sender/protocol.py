"""One connection: aiohttp opens it, requests are written to it and their answers read from it by us.

aiohttp's own protocol reads only what its connector asks a proxy for, before the connection stands. From the first
request on what comes is read by answers.py. Whoever says something while nobody has asked is cut off: it would be
taken for the answer to the next request. Only what comes before the first request is kept for it, because little
servers that answer without listening are what people try things out with.
"""

import asyncio
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from streamhooks.sender.answers import MOST_HEADERS, Answer, Answers, Unreadable

WRITTEN_TOGETHER = 64 * 1024
"""Bytes of a body that go out with the head, in one call to the kernel."""


class Exchanging(ResponseHandler):
    """A connection on which one request after the other is asked and answered."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._own_loop = loop
        self._answers = Answers()
        self._answer: asyncio.Future[Answer] | None = None
        """To the last request; None before the first."""
        self._early = b""
        self._is_asked_by_aiohttp = False
        self.whole = False
        """The last request was written whole, its answer read whole, and nothing has come since."""

    def ask(self, head: bytes, body: bytes, *, bodiless: bool) -> asyncio.Future[Answer]:
        """Writes a request; `bodiless`: its answer has no body (HEAD). Raises ClientConnectionResetError where the
        connection is gone; the future raises OSError, what aiohttp raises, Unreadable, or what `fail` is told.
        """
        transport = self.transport
        if transport is None:
            raise aiohttp.ClientConnectionResetError("closed before anything was written")
        self.whole = False
        self._answers.expect(bodiless=bodiless)
        self._answer = answer = self._own_loop.create_future()
        if len(body) <= WRITTEN_TOGETHER:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)
        return answer

    def fail(self, error: BaseException) -> None:
        """Whoever waits for an answer meets `error`, or has what was read of it where its headers were."""
        answer = self._answer
        if answer is None or answer.done():
            return
        read = self._answers.answer
        if read is None:
            answer.set_exception(error)
        else:
            answer.set_result(read)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None or answer.done():
            self._say_unasked(data)
            return
        answers = self._answers
        try:
            answers.feed(data)
        except Unreadable as error:
            answer.set_exception(error)
            return
        if answers.ended and (read := answers.answer):
            self.whole = answers.whole and not self._is_writing()
            answer.set_result(read)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self.whole = False
        self.fail(aiohttp.ServerDisconnectedError() if exc is None else exc)
        self._answers.close()

    def set_response_params(self, **params: Any) -> None:
        """The connector of aiohttp is about to ask a proxy for a way through."""
        self._is_asked_by_aiohttp = True
        super().set_response_params(**params)

    def _is_writing(self) -> bool:
        return self.transport is None or self.transport.get_write_buffer_size() > 0

    def _say_unasked(self, data: bytes) -> None:
        if self._is_asked_by_aiohttp:
            super().data_received(data)
        elif self._answer is None and len(self._early) < MOST_HEADERS:
            self._early += data
        else:
            self.whole = False
            if self.transport is not None:
                self.transport.close()


def exchanging(connector: aiohttp.TCPConnector) -> None:
    """Has `connector` make such connections. aiohttp has no public switch; tests/sender holds it to this one."""
    made: type[ResponseHandler] = Exchanging
    connector._factory = partial(made, loop=asyncio.get_running_loop())
