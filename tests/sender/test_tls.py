"""Certificates: checked unless a route says otherwise, and never a byte in clear."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from streamhooks.handlers.handler import Tls
from streamhooks.model import Failure, Reply
from streamhooks.sender import Sender
from tests.sender.hostile import LOCAL, Hostile, answering, hostile, local_handler, request_to

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Certificate(Struct, frozen=True):
    """A certificate that signed itself, and its key: PEM files."""

    cert: str
    key: str

    @property
    def ours(self) -> Tls:
        return Tls(ca_file=self.cert)


def made(folder: Path, name: str, alternative: str) -> Certificate:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    files = ["-keyout", str(key), "-out", str(cert), "-addext", f"subjectAltName={alternative}"]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    return Certificate(str(cert), str(key))


@pytest.fixture(scope="session")
def right(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return made(tmp_path_factory.mktemp("right"), "right", "IP:127.0.0.1")


@pytest.fixture(scope="session")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return made(tmp_path_factory.mktemp("wrong"), "wrong", "DNS:other.example")


@asynccontextmanager
async def serving(certificate: Certificate, *, clients: str = "", newest: bool = True) -> AsyncIterator[Hostile]:
    """A TLS server; `clients` is a CA file that a client's certificate must come from."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    if not newest:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with hostile(answering(OK), context) as server:
        yield server


async def sent(server: Hostile, tls: Tls) -> Reply | Failure:
    async with Sender() as sender:
        request = request_to(f"https://127.0.0.1:{server.port}/in")
        return await sender.send(request, local_handler(route=replace(LOCAL, tls=tls), timeout=5.0))


async def test_a_certificate_that_nobody_vouches_for_is_a_tls_failure_and_nothing_is_sent(right: Certificate) -> None:
    async with serving(right) as server:
        answer = await sent(server, Tls())
        assert server.requests == []
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.message) == ("tls", "the certificate is not accepted: self-signed certificate")


async def test_a_certificate_for_another_name_is_a_tls_failure(wrong: Certificate) -> None:
    async with serving(wrong) as server:
        answer = await sent(server, wrong.ours)
        assert server.requests == []
    assert isinstance(answer, Failure)
    assert answer.kind == "tls"
    assert answer.message.startswith("the certificate is not accepted: IP address mismatch")


@pytest.mark.parametrize("newest", [True, False], ids=["TLS 1.3", "TLS 1.2"])
async def test_a_certificate_of_the_routes_own_authority_is_accepted(right: Certificate, newest: bool) -> None:
    async with serving(right, newest=newest) as server:
        assert isinstance(await sent(server, right.ours), Reply)


async def test_insecure_skip_verify_accepts_any_certificate(wrong: Certificate) -> None:
    async with serving(wrong) as server:
        assert isinstance(await sent(server, Tls(insecure_skip_verify=True)), Reply)


async def test_the_routes_certificate_is_shown_to_an_endpoint_that_asks(right: Certificate, wrong: Certificate) -> None:
    tls = Tls(ca_file=right.cert, cert_file=wrong.cert, key_file=wrong.key)
    async with serving(right, clients=wrong.cert) as server:
        assert isinstance(await sent(server, tls), Reply)


@pytest.mark.parametrize("newest", [True, False], ids=["TLS 1.3", "TLS 1.2"])
async def test_an_endpoint_that_misses_our_certificate_takes_nothing(right: Certificate, newest: bool) -> None:
    async with serving(right, clients=right.cert, newest=newest) as server:
        answer = await sent(server, right.ours)
        assert server.requests == []
    assert isinstance(answer, Failure)
    # Its alert may be overtaken by the reset of the connection.
    assert (answer.kind, answer.message) in (
        ("connect", "connection reset by peer"),
        ("tls", "the TLS connection broke"),
        ("tls", "no TLS connection could be agreed on"),
    )


async def test_a_plain_server_behind_an_https_url_is_a_tls_failure() -> None:
    async with hostile(answering(OK)) as server:
        server_port = server.port
        async with Sender() as sender:
            request = request_to(f"https://127.0.0.1:{server_port}/in")
            answer = await sender.send(request, local_handler(timeout=0.4))
        assert server.requests == []
    assert isinstance(answer, Failure)
    assert answer.kind in ("tls", "timeout")
