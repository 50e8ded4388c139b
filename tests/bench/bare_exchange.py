"""The floor of a Python sender: HTTP exchanges on connections that stand, and nothing else.

No Redis, no events, no headers of a webhook but what HTTP needs: one request in bytes is written again and again on 128
connections, and its answer read by httptools. Nobody waits for an answer: it calls, and the next request is written.

    python bare_exchange.py URL COUNT
"""

import asyncio
import sys
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

import uvloop
from httptools import HttpResponseParser

AT_ONCE = 128
BODY = b"x" * 160
"""As long as the webhook of the others."""


class Exchanges(asyncio.Protocol):
    """One connection, which asks as long as there are numbers."""

    def __init__(self, request: bytes, numbers: Iterator[int]) -> None:
        self._request = request
        self._numbers = numbers
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from it
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or RuntimeError("the endpoint has closed the connection"))

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status != 204:
            raise RuntimeError(f"answered {status}")
        self._ask()

    def _ask(self) -> None:
        if next(self._numbers, None) is None:
            self.done.set_result(None)
        elif self._transport is not None:
            self._transport.write(self._request)


async def main(url: str, count: str) -> None:
    target = urlsplit(url)
    lines = f"POST {target.path} HTTP/1.1", f"Host: {target.netloc}", f"Content-Length: {len(BODY)}"
    request = "\r\n".join((*lines, "", "")).encode() + BODY
    numbers = iter(range(int(count)))
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Exchanges(request, numbers), target.hostname or "", target.port or 80)
        for _ in range(AT_ONCE)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
