"""Certificates: checked unless a route says otherwise, and never a byte in clear."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from streamhooks.handlers.handler import Tls
from streamhooks.model import Failure, Reply, Retry
from streamhooks.sender import Sender
from tests.sender.certificates import Authority, Certificate
from tests.sender.hostile import (
    LOCAL,
    Act,
    Behaviour,
    Hostile,
    answering,
    hanging,
    hostile,
    judged,
    local_handler,
    request_to,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
MARK = b"never-in-clear"


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("known"), "known")


@pytest.fixture(scope="session")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("unknown"), "unknown")


@pytest.fixture(scope="session")
def right(known: Authority) -> Certificate:
    return known.issue("127.0.0.1")


@asynccontextmanager
async def tapped(port: int) -> AsyncIterator[tuple[int, bytearray]]:
    """A wire with a tap: its port, and every byte that was sent through it to `port`."""
    heard = bytearray()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tap: bytearray | None) -> None:
        try:
            while chunk := await reader.read(65536):
                if tap is not None:
                    tap += chunk
                writer.write(chunk)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def act(_server: Hostile) -> Act:
        async def wire(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            onward, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(carry(reader, back, heard), carry(onward, writer, None))

        return wire

    async with hostile(act) as wire:
        yield wire.port, heard


async def sent(port: int, tls: Tls, patience: float = 5.0) -> Reply | Failure:
    async with Sender() as sender:
        request = request_to(f"https://127.0.0.1:{port}/{MARK.decode()}", body=MARK)
        return await sender.send(request, local_handler(route=replace(LOCAL, tls=tls), timeout=patience))


def old_fashioned(certificate: Certificate) -> ssl.SSLContext:
    """A server that speaks TLS 1.0 and 1.1 only, with the ciphers of its time."""
    context = certificate.serving()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def by_hand(context: ssl.SSLContext) -> Behaviour:
    """TLS without asyncio's, which drops the alert by which a server says why it refuses."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(incoming, outgoing, server_side=True)

            async def step(operation: Callable[[], bytes | None]) -> bytes | None:
                while True:
                    try:
                        return operation()
                    except ssl.SSLWantReadError:
                        writer.write(outgoing.read())
                        incoming.write(await reader.read(65536))
                    finally:
                        writer.write(outgoing.read())

            try:
                await step(tls.do_handshake)
                server.requests.append(await step(tls.read) or b"")
                tls.write(OK)
                writer.write(outgoing.read())
            except ssl.SSLError:
                pass
            await reader.read()

        return act

    return behaviour


class Endpoint(Struct, frozen=True):
    """A server that must get nothing."""

    tls: ssl.SSLContext | None
    why: str
    behaviour: Behaviour = answering(OK)


def bad(kind: str, known: Authority, unknown: Authority) -> Endpoint:
    refused = "tls: the certificate is not accepted: "
    match kind:
        case "self-signed":
            return Endpoint(unknown.itself().serving(), f"{refused}self-signed certificate")
        case "of an unknown authority":
            return Endpoint(unknown.issue("127.0.0.1").serving(), f"{refused}unable to get local issuer certificate")
        case "expired":
            old = known.issue("127.0.0.1", start=timedelta(days=-9))
            return Endpoint(old.serving(), f"{refused}certificate has expired")
        case "not yet valid":
            early = known.issue("127.0.0.1", start=timedelta(days=9))
            return Endpoint(early.serving(), f"{refused}certificate is not yet valid")
        case "for another host":
            other = known.issue("other.example", "127.0.0.2")
            said = "IP address mismatch, certificate is not valid for '127.0.0.1'."
            return Endpoint(other.serving(), refused + said)
        case "TLS 1.1 at most":
            old = known.issue("127.0.0.1")
            return Endpoint(None, "tls: no TLS connection could be agreed on", by_hand(old_fashioned(old)))
        case "no TLS at all":
            return Endpoint(None, "tls: no TLS connection could be agreed on", pouring_first(OK))
        case _:
            return Endpoint(None, "timeout: no whole answer within the timeout", hanging())


def pouring_first(answer: bytes) -> Behaviour:
    """Answers before it is asked."""

    def behaviour(_server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            await reader.read()

        return act

    return behaviour


@pytest.mark.parametrize(
    "kind",
    [
        "self-signed",
        "of an unknown authority",
        "expired",
        "not yet valid",
        "for another host",
        "TLS 1.1 at most",
        "no TLS at all",
        "a handshake that hangs",
    ],
)
async def test_an_endpoint_that_is_not_whom_we_mean_gets_no_byte_of_the_request(
    kind: str, known: Authority, unknown: Authority
) -> None:
    endpoint = bad(kind, known, unknown)
    async with hostile(endpoint.behaviour, endpoint.tls) as server, tapped(server.port) as (port, heard):
        answer = await sent(port, known.ours, patience=0.5 if "hangs" in kind else 5.0)
        assert server.requests == []
    assert judged(answer) == Retry(5.0, 2, endpoint.why)
    assert heard[:1] == b"\x16"  # a TLS handshake record (RFC 8446, section 5.1)
    assert MARK not in heard


async def test_the_old_fashioned_server_does_serve_old_fashioned_clients(right: Certificate, known: Authority) -> None:
    """Else it would prove nothing that we are not served."""
    client = ssl.create_default_context(cafile=known.ca_file)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client.minimum_version = ssl.TLSVersion.TLSv1
    async with hostile(by_hand(old_fashioned(right))) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=client)
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.1"
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        writer.transport.abort()


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
async def test_an_endpoint_of_the_routes_own_authority_gets_the_request_and_the_wire_does_not(
    right: Certificate, known: Authority, newest: ssl.TLSVersion
) -> None:
    context = right.serving()
    context.maximum_version = newest
    async with hostile(answering(OK), context) as server, tapped(server.port) as (port, heard):
        assert isinstance(await sent(port, known.ours), Reply)
        assert MARK in server.requests[0]
    assert MARK not in heard


@pytest.mark.parametrize("kind", ["self-signed", "of an unknown authority", "expired", "for another host"])
async def test_insecure_skip_verify_accepts_any_certificate(kind: str, known: Authority, unknown: Authority) -> None:
    endpoint = bad(kind, known, unknown)
    async with hostile(endpoint.behaviour, endpoint.tls) as server:
        assert isinstance(await sent(server.port, Tls(insecure_skip_verify=True)), Reply)


async def test_insecure_skip_verify_of_one_route_is_none_of_anothers(right: Certificate) -> None:
    open_route = replace(LOCAL, tls=Tls(insecure_skip_verify=True))
    async with hostile(answering(OK, OK), right.serving()) as server, Sender() as sender:
        request = request_to(f"https://127.0.0.1:{server.port}/in")
        assert isinstance(await sender.send(request, local_handler(route=open_route)), Reply)
        answer = await sender.send(request, local_handler(timeout=5.0))
        assert len(server.requests) == 1
    assert isinstance(answer, Failure)
    assert answer.kind == "tls"


def asking(server: Certificate, clients: Authority, newest: ssl.TLSVersion) -> ssl.SSLContext:
    """A server that wants to see a certificate of `clients`."""
    context = server.serving()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(clients.ca_file)
    context.maximum_version = newest
    return context


BOTH = pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])


@BOTH
async def test_the_routes_certificate_is_shown_to_an_endpoint_that_asks(
    right: Certificate, known: Authority, unknown: Authority, newest: ssl.TLSVersion
) -> None:
    shown = unknown.issue("client.example")
    async with hostile(answering(OK), asking(right, unknown, newest)) as server:
        assert isinstance(await sent(server.port, shown.shown(known.ca_file)), Reply)


@BOTH
@pytest.mark.parametrize("shows", ["nothing", "another's"])
async def test_an_endpoint_that_misses_our_certificate_takes_nothing(
    right: Certificate, known: Authority, unknown: Authority, newest: ssl.TLSVersion, shows: str
) -> None:
    tls = known.ours if shows == "nothing" else unknown.issue("client.example").shown(known.ca_file)
    async with hostile(answering(OK), asking(right, known, newest)) as server:
        answer = await sent(server.port, tls)
        assert server.requests == []
    assert isinstance(answer, Failure)
    # Its alert may be overtaken by the end of the connection.
    assert (answer.kind, answer.message) in (
        ("connect", "the connection was closed before an answer"),
        ("connect", "connection reset by peer"),
        ("tls", "the TLS connection broke"),
        ("tls", "no TLS connection could be agreed on"),
    )


@pytest.fixture
def as_text(known: Authority, unknown: Authority) -> Tls:
    shown = unknown.issue("client.example")
    ca_file, cert_file, key_file = (Path(path).read_text() for path in (known.ca_file, shown.cert, shown.key))
    return Tls(ca_file, cert_file, key_file)


async def test_pem_that_is_text_is_used_as_a_file_would_be(
    right: Certificate, unknown: Authority, as_text: Tls
) -> None:
    async with hostile(answering(OK), asking(right, unknown, ssl.TLSVersion.TLSv1_3)) as server:
        assert isinstance(await sent(server.port, as_text), Reply)
