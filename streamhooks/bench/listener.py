"""The process of the endpoint: answers 204 to every request, counts them, and notes how long their events travelled.

A process of its own, `python -m streamhooks.bench.listener`, so that its work is not in anybody's figures; as little of
it as there can be, for the machine is shared. It says its port, then answers words on its standard input, each with a
line of JSON; it ends when that is closed, however whoever started it has ended.

A body may hold `"sent": "<nanoseconds>"` of the monotonic clock, which all processes of a machine share.
"""

import asyncio
import json
import re
import sys
import time
from array import array
from collections import Counter
from typing import Final, cast

import uvloop

ANSWER: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_LENGTH = re.compile(rb"\ncontent-length: *(\d+)", re.IGNORECASE)
_SENT = re.compile(rb'"sent": "(\d+)"')


class _Seen:
    """What has come, by path, and the nanoseconds of those that said when they were sent."""

    def __init__(self) -> None:
        self.arrived: Counter[bytes] = Counter()
        self.travelled = array("q")

    def answer(self, word: bytes) -> str:
        if word == b"arrived":
            return json.dumps({path.decode(): count for path, count in self.arrived.items()})
        if word == b"travelled":
            told = json.dumps(self.travelled.tolist())
            self.travelled = array("q")
            return told
        self.arrived.clear()
        self.travelled = array("q")
        return "{}"


class _Connection(asyncio.Protocol):
    def __init__(self, seen: _Seen) -> None:
        self._seen = seen
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from it

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        data = self._rest + data if self._rest else data
        begin = answers = 0
        while (end := data.find(b"\r\n\r\n", begin)) >= 0:
            length = _LENGTH.search(data, begin, end)
            stop = end + 4 + (int(length[1]) if length else 0)
            if stop > len(data):
                break
            self._seen.arrived[data[begin : data.find(b"\r", begin)].split(b" ", 2)[1]] += 1
            sent = _SENT.search(data, end, stop)
            if sent:
                self._seen.travelled.append(now - int(sent[1]))
            begin = stop
            answers += 1
        self._rest = data[begin:]
        if answers and self._transport is not None:
            self._transport.write(ANSWER * answers)


class _Words(asyncio.Protocol):
    """Standard input."""

    def __init__(self, seen: _Seen, closed: asyncio.Event) -> None:
        self._seen = seen
        self._closed = closed

    def data_received(self, data: bytes) -> None:
        for word in data.split():
            _say(self._seen.answer(word))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio names it
        self._closed.set()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def serve() -> None:
    """Until standard input is closed."""
    loop = asyncio.get_running_loop()
    seen, closed = _Seen(), asyncio.Event()
    server = await loop.create_server(lambda: _Connection(seen), "127.0.0.1", 0, backlog=4096)
    _say(str(server.sockets[0].getsockname()[1]))
    await loop.connect_read_pipe(lambda: _Words(seen, closed), sys.stdin)
    await closed.wait()


if __name__ == "__main__":
    uvloop.run(serve())
