"""What an endpoint can do to us: one row each, with what becomes of the event."""

import asyncio
import gzip

from msgspec import Struct

from streamhooks.model import Delivered, Outcome, Retry
from tests.sender.hostile import Act, Behaviour, Hostile, answering, dripping, hanging, pouring, resetting

HEAD = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(b"\0" * 50_000_000)
BROKEN = "protocol: the answer is no HTTP that can be read"
TOO_MANY = "protocol: the endpoint sends more answers than were asked for"


class HostileEndpoint(Struct, frozen=True):
    """A server's behaviour, and the outcome of a first attempt at it.

    `why` is how a Retry's reason begins; what follows in brackets are words of the parser.
    """

    name: str
    behaviour: Behaviour
    why: str = ""
    """Empty: the event is delivered."""
    method: str = "POST"

    def expects(self, outcome: Outcome) -> bool:
        if not self.why:
            return outcome == Delivered()
        return isinstance(outcome, Retry) and outcome.attempt == 2 and outcome.why.partition(" (")[0] == self.why


def in_two(first: bytes, then: bytes) -> Behaviour:
    """The answer in two pieces, the second one when the first has gone out."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            writer.write(first)
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(then)
            await reader.read()

        return act

    return behaviour


def repeating(piece: bytes, every: float) -> Behaviour:
    """`piece`, again and again."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            while True:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(every)

        return act

    return behaviour


def redirecting_to_itself(status: int) -> Behaviour:
    """A loop for whoever follows."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await server.read_request(reader):
                there = f"http://127.0.0.1:{server.port}/in"
                writer.write(f"HTTP/1.1 {status} Go\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n".encode())

        return act

    return behaviour


TIMEOUT = "timeout: no whole answer within the timeout"
RESET = "connect: connection reset by peer"
CLOSED = "connect: the connection was closed before an answer"
LONG = HEAD + b"Content-Length: 2147483648\r\n\r\n"
TO_METADATA = b"HTTP/1.1 307 Go\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"

TOO_LONG = HEAD + b"Content-Length: 71680\r\n\r\n" + b"x" * 71680
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

ENDPOINTS = [
    HostileEndpoint("answers with a body", hanging(HEAD + b"Content-Length: 2\r\n\r\nok")),
    HostileEndpoint("answers without a body", hanging(HEAD + b"Content-Length: 0\r\n\r\n")),
    HostileEndpoint("answers HEAD with a length", hanging(HEAD + b"Content-Length: 2\r\n\r\n"), method="HEAD"),
    HostileEndpoint("sends its body later", in_two(HEAD + b"Content-Length: 2\r\n\r\n", b"ok")),
    HostileEndpoint("sends 70 KiB", hanging(TOO_LONG)),
    HostileEndpoint("ends its body by closing", answering(HEAD + b"\r\nok")),
    HostileEndpoint("has interim answers first", hanging(INTERIM + HEAD + b"Content-Length: 0\r\n\r\n")),
    HostileEndpoint("sends its interim answers before", in_two(INTERIM, HEAD + b"Content-Length: 0\r\n\r\n")),
    HostileEndpoint("has a thousand interim answers", hanging(INTERIM * 500), TOO_MANY),
    HostileEndpoint("answers twice", hanging(HEAD + b"Content-Length: 0\r\n\r\nHTTP/1.1 500 No\r\n\r\n")),
    HostileEndpoint("closes inside the headers", answering(HEAD + b"Content-Le"), CLOSED),
    HostileEndpoint(
        "has status 099",
        hanging(b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n"),
        "protocol: the answer has status 99, which is none",
    ),
    HostileEndpoint(
        "has status 600",
        hanging(b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n"),
        "protocol: the answer has status 600, which is none",
    ),
    HostileEndpoint("accepts and never answers", hanging(), TIMEOUT),
    HostileEndpoint("stops inside the headers", hanging(HEAD + b"Content-"), TIMEOUT),
    HostileEndpoint("drips its headers", dripping(HEAD + b"X-A: aaaa", 0.02), TIMEOUT),
    HostileEndpoint("drips its body", dripping(b"x", 0.02, at_once=HEAD + b"Content-Length: 100000\r\n\r\n")),
    HostileEndpoint("stops inside the body", hanging(HEAD + b"Content-Length: 100\r\n\r\nok")),
    HostileEndpoint("resets before it reads", resetting(unread=True), RESET),
    HostileEndpoint("resets before it answers", resetting(), RESET),
    HostileEndpoint("resets inside the headers", resetting(HEAD + b"Content-Le"), RESET),
    HostileEndpoint("resets inside the body", resetting(HEAD + b"Content-Length: 100\r\n\r\nok")),
    HostileEndpoint("resets after the answer", resetting(HEAD + b"Content-Length: 2\r\n\r\nok")),
    HostileEndpoint("closes without an answer", answering(b""), CLOSED),
    HostileEndpoint("closes inside the body", answering(HEAD + b"Content-Length: 100\r\n\r\nok")),
    HostileEndpoint("answers with two gigabytes", pouring(LONG, b"x" * 65536)),
    HostileEndpoint("answers in chunks without end", pouring(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n")),
    HostileEndpoint(
        "answers with 50 MB in 50 KB",
        answering(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
    ),
    HostileEndpoint(
        "has 5,000 headers",
        answering(HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(5000)) + b"\r\n"),
        "protocol: the headers of the answer are longer than 32 KiB",
    ),
    HostileEndpoint(
        "has a header without end",
        pouring(HEAD + b"X: ", b"a" * 65536),
        "protocol: the headers of the answer are longer than 32 KiB",
    ),
    HostileEndpoint("says 100 Continue without end", pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), TOO_MANY),
    HostileEndpoint("says 100 Continue now and then", repeating(b"HTTP/1.1 100 Continue\r\n\r\n", 0.02), TIMEOUT),
    HostileEndpoint("answers without end", pouring(b"", (HEAD + b"Content-Length: 0\r\n\r\n") * 1000)),
    HostileEndpoint("has a chunk that is none", answering(CHUNKED + b"zz\r\n")),
    HostileEndpoint("has a chunk that is none, later", in_two(CHUNKED, b"zz\r\n")),
    HostileEndpoint(
        "tells two lengths",
        answering(HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        BROKEN,
    ),
    HostileEndpoint("speaks SSH", answering(b"SSH-2.0-OpenSSH_9.2p1\r\n"), BROKEN),
    HostileEndpoint(
        "has status 999",
        answering(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"),
        "protocol: the answer has status 999, which is none",
    ),
    HostileEndpoint(
        "has status 101",
        answering(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
        "protocol: the answer has status 101, which is none",
    ),
    HostileEndpoint("has a status of four digits", answering(b"HTTP/1.1 2000 OK\r\n\r\n"), BROKEN),
    HostileEndpoint(
        "redirects to the metadata", answering(TO_METADATA), "status 307, a redirect, which is not followed"
    ),
    HostileEndpoint("redirects to itself", redirecting_to_itself(302), "status 302, a redirect, which is not followed"),
]
