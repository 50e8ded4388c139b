"""Ten thousand sets of headers, many of them hostile, from the configuration to a real socket.

Each is refused when the configuration is read or when an event was rendered into it, or h11 reads from the socket
exactly one request with exactly the values that were meant. h11 is strict where a lenient server would be smuggled
past.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import h11
import pytest
from msgspec import Struct

from streamhooks.delivery.request import build
from streamhooks.errors import ConfigError, RequestError
from streamhooks.files import load_mapping
from streamhooks.handlers.handler import Handler
from streamhooks.model import Reply, Request
from streamhooks.sender import Sender
from tests.delivery.making import make_event
from tests.figures import Figures
from tests.sender.hostile import Act, Hostile, hostile

SETS = 10_000
SENT_AT_LEAST = 5_000
"""Else the generator would be so hostile that it tries little more than the refusals."""
OURS = {b"host", b"accept-encoding", b"content-type", b"content-length", b"user-agent", b"webhook-id"}
TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
VISIBLE = "".join(map(chr, range(0x21, 0x7F))).replace("{", "").replace("}", "")
FORBIDDEN = [
    *("Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect"),
    *("Accept-Encoding", "Cookie", "Proxy-Authorization", "Proxy-Connection", "webhook-id", "webhook-signature"),
]
NO_NAMES = [
    "",
    " ",
    "X Y",
    "X:",
    "X:Y",
    ":authority",
    "X\r\nY",
    "X\nY",
    "X\0",
    "X\t",
    " X",
    "X ",
    "Ü",
    "X(Y)",
    "X\u2028",
]
HOSTILE = [
    *("a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n", "a\r\n b"),
    *("\0", "a\0b", "\x7f", "\x1b[31m", "\x0b", "\x0c", "\x85", "\u2028", "\ud800", "grün", "\U0001f600", "ü" * 5000),
    *("\u560d\u560a", "a" * 8193, "\r", "\n", "a\r\n", "\r\nTransfer-Encoding: chunked", "chunked\r\n\r\n0\r\n\r\n"),
]


class Fuzzed(Struct, frozen=True):
    """A handler's configuration, the event for it, and the headers that are meant to arrive."""

    config: dict[str, Any]
    meta: dict[str, str]
    meant: list[tuple[bytes, bytes]]


class Fuzzer:
    def __init__(self, seed: int, port: int) -> None:
        self._rng = random.Random(seed)
        self._port = port
        self._stock = "".join(self._rng.choices(VISIBLE + " \t", k=100_000))

    def set(self, number: int) -> Fuzzed:
        rng = self._rng
        compat = rng.random() < 0.2
        headers: dict[str, str] = {}
        meta: dict[str, str] = {}
        meant: dict[str, str] = {}
        for index in range(rng.randrange(9)):
            name, value = self.name(), self.value()
            headers[name] = value
            if not compat and rng.random() < 0.4:
                before, after = self.text(4), self.text(4)
                meta[f"v{index}"] = value
                headers[name] = f"{before}{{{{.Meta.v{index}}}}}{after}"
                value = before + value + after
            meant[name] = value
        method = rng.choice(["POST", "PUT", "PATCH", "GET", "DELETE"])
        config = {"id": f"h{number}", "on": ["*"], "method": method, "header_map": headers}
        target = {"target_path": f"http://127.0.0.1:{self._port}/in", "allow_cidrs": ["127.0.0.1/32"]}
        lines = [on_the_wire(name, value) for name, value in meant.items()]
        return Fuzzed(config | target | ({"compat": "tyk"} if compat else {}), meta, lines)

    def name(self) -> str:
        rng = self._rng
        if rng.random() < 0.03:
            name = rng.choice(FORBIDDEN)
            return rng.choice([name, name.lower(), name.upper(), f"{name}-", f"x-{name}"])
        if rng.random() < 0.02:
            return rng.choice(NO_NAMES)
        return "".join(rng.choices(TOKEN, k=rng.choice([1, 3, 8, 8, 20, 200])))

    def value(self) -> str:
        rng = self._rng
        if rng.random() < 0.06:
            return rng.choice([rng.choice(HOSTILE), self.text(8) + rng.choice(HOSTILE)])
        return self.text(rng.choice([0, 1, 10, 10, 10, 40, 300, 300, 3000, 8192]))

    def text(self, most: int) -> str:
        """Of visible characters, spaces and tabs, at its ends too."""
        length = self._rng.randint(0, most) if most < 8192 else most
        start = self._rng.randrange(len(self._stock) - length)
        return self._stock[start : start + length]


def on_the_wire(name: str, value: str) -> tuple[bytes, bytes]:
    """As h11 gives a line: spaces around a value are none of it (RFC 9110, section 5.5)."""
    return name.lower().encode(), value.strip(" \t").encode("utf-8", "surrogatepass")


@asynccontextmanager
async def judged_by_h11(read: list[tuple[h11.Request, bytes]], wrong: list[str]) -> AsyncIterator[Hostile]:
    """A server that reads with h11: what it read, and what it found wrong."""

    def behaviour(_server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = h11.Connection(h11.SERVER, max_incomplete_event_size=65536)
            head, body = h11.Request(method="GET", target="/", headers=[("Host", "none")]), b""
            try:
                while True:
                    match connection.next_event():
                        case h11.NEED_DATA:
                            connection.receive_data(await reader.read(65536))
                        case h11.Request() as request:
                            head, body = request, b""
                        case h11.Data(data=data):
                            body += bytes(data)
                        case h11.EndOfMessage():
                            read.append((head, body))
                            answer = h11.Response(status_code=200, headers=[("Content-Length", "0")])
                            writer.write(
                                (connection.send(answer) or b"") + (connection.send(h11.EndOfMessage()) or b"")
                            )
                            connection.start_next_cycle()
                        case h11.ConnectionClosed():
                            return
                        case odd:
                            wrong.append(repr(odd))
                            return
            except h11.RemoteProtocolError as error:
                wrong.append(repr(error))

        return act

    async with hostile(behaviour) as server:
        yield server


def configured(fuzzed: list[Fuzzed]) -> dict[int, Handler]:
    """The handlers that a configuration of all of them is not refused for, by their number."""
    everything = list(range(len(fuzzed)))
    try:
        load_mapping({"handlers": [fuzzed[number].config for number in everything]}, Path())
    except ConfigError as error:
        refused = {int(fault.path[9:].partition("]")[0]) for fault in error.faults}
        everything = [number for number in everything if number not in refused]
    handlers = load_mapping({"handlers": [fuzzed[number].config for number in everything]}, Path()).handlers
    return dict(zip(everything, handlers, strict=True))


def assert_as_meant(case: Fuzzed, request: Request, head: h11.Request, body: bytes) -> None:
    assert (head.method.decode(), head.target, body) == (request.method, b"/in", request.body)
    got = [(bytes(name), bytes(value)) for name, value in head.headers]
    left = list(got)
    for line in case.meant:
        assert line in left, (line, got)
        left.remove(line)
    ours = [name for name, _ in left]
    assert set(ours) <= OURS
    assert len(set(ours)) == len(ours)


@pytest.mark.timeout(120)
async def test_a_set_of_headers_is_refused_or_arrives_as_one_request_with_the_values_meant(figures: Figures) -> None:
    read: list[tuple[h11.Request, bytes]] = []
    wrong: list[str] = []
    unrendered = 0
    async with judged_by_h11(read, wrong) as server, Sender() as sender:
        fuzzer = Fuzzer(20_260_101, server.port)
        fuzzed = [fuzzer.set(number) for number in range(SETS)]
        handlers = configured(fuzzed)
        for number, handler in handlers.items():
            try:
                request = build(make_event(dict(fuzzed[number].meta)), handler)
            except RequestError:
                unrendered += 1
                continue
            sent_before = len(read)
            assert isinstance(await sender.send(request, handler), Reply), fuzzed[number]
            assert len(read) == sent_before + 1, fuzzed[number]
            assert_as_meant(fuzzed[number], request, *read[-1])
    assert wrong == []
    figures(
        f"{SETS} sets of headers: {SETS - len(handlers)} refused in the configuration, {unrendered} when rendered, "
        f"{len(read)} sent and read by h11 as one request each, with the values meant"
    )
    assert len(read) + unrendered == len(handlers)
    assert len(read) >= SENT_AT_LEAST
