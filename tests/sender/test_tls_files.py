"""Certificates that are renewed while a worker runs, and files that cannot be used."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec.structs import replace

from streamhooks.handlers.handler import Route, Tls
from streamhooks.model import Failure, Reply, Retry
from streamhooks.sender import Sender, TlsNews
from streamhooks.sender.tls import LOOK_EVERY, Contexts, Unusable
from tests.sender.certificates import Authority, Certificate, swap
from tests.sender.hostile import LOCAL, Act, Hostile, hostile, judged, local_handler, request_to
from tests.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
UNREADABLE = "one of them is no PEM that can be read, or a key with a password"
REFUSED = "the files of `tls` (ca_file, cert_file, key_file) cannot be used: "


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def client(authority: Authority) -> Certificate:
    return authority.issue("first.example")


class Watch:
    """Contexts whose clock is a test's."""

    def __init__(self) -> None:
        self.now = 0.0
        self.news: list[TlsNews] = []
        self._contexts = Contexts(self.news.append, lambda: self.now)

    def at_once(self, tls: Tls) -> ssl.SSLContext | Unusable:
        return self._contexts.of(tls)

    def later(self, tls: Tls) -> ssl.SSLContext | Unusable:
        """After the time in which files are not looked at again."""
        self.now += LOOK_EVERY
        return self._contexts.of(tls)


def test_files_that_did_not_change_are_not_read_again(authority: Authority, client: Certificate) -> None:
    watch, tls = Watch(), client.shown(authority.ca_file)
    first = watch.at_once(tls)
    assert isinstance(first, ssl.SSLContext)
    assert all(watch.later(tls) is first for _ in range(5))
    assert watch.news == []


def test_renewed_files_are_seen_at_the_next_look_and_not_before(authority: Authority, client: Certificate) -> None:
    watch, tls = Watch(), client.shown(authority.ca_file)
    first = watch.at_once(tls)
    authority.renew(client, "second.example")
    assert watch.at_once(tls) is first
    second = watch.later(tls)
    assert second is not first
    assert isinstance(second, ssl.SSLContext)
    assert watch.news == [TlsNews((authority.ca_file, client.cert, client.key))]


def broken(content: bytes) -> Callable[[Certificate], None]:
    return lambda files: swap(files.cert, content)


def gone(files: Certificate) -> None:
    Path(files.cert).unlink()


def anothers(files: Certificate) -> None:
    other = Authority(Path(files.cert).parent, "other").issue("other.example")
    swap(files.cert, Path(other.cert).read_bytes())


def encrypted(files: Certificate) -> None:
    key = load_pem_private_key(Path(files.key).read_bytes(), None)
    password = BestAvailableEncryption(b"password")
    swap(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, password))


DAMAGE = pytest.mark.parametrize(
    ("damage", "why"),
    [
        (gone, "No such file or directory"),
        (broken(b""), UNREADABLE),
        (broken(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), UNREADABLE),
        (anothers, "the key is not that of the certificate"),
        (encrypted, UNREADABLE),
    ],
    ids=["missing", "empty", "no certificate", "of another key", "a key with a password"],
)


@DAMAGE
def test_a_broken_new_file_is_told_of_once_and_the_old_context_stays(
    authority: Authority, client: Certificate, damage: Callable[[Certificate], None], why: str
) -> None:
    watch, tls = Watch(), client.shown(authority.ca_file)
    files = (authority.ca_file, client.cert, client.key)
    first = watch.at_once(tls)
    damage(client)
    assert all(watch.later(tls) is first for _ in range(3))
    assert watch.news == [TlsNews(files, REFUSED + why)]
    authority.renew(client, "second.example")
    assert watch.later(tls) is not first
    assert watch.news[1:] == [TlsNews(files)]


@DAMAGE
def test_a_file_that_is_broken_from_the_start_is_told_of_once_and_used_when_it_is_mended(
    authority: Authority, client: Certificate, damage: Callable[[Certificate], None], why: str
) -> None:
    watch, tls = Watch(), client.shown(authority.ca_file)
    damage(client)
    refused = [watch.at_once(tls), *(watch.later(tls) for _ in range(3))]
    assert refused == [Unusable(REFUSED + why)] * 4
    assert [news.fault for news in watch.news] == [REFUSED + why]
    authority.renew(client, "second.example")
    assert isinstance(watch.at_once(tls), Unusable)
    assert isinstance(watch.later(tls), ssl.SSLContext)
    assert [news.fault for news in watch.news[1:]] == [""]


def test_a_second_fault_is_told_of_too(authority: Authority, client: Certificate) -> None:
    watch, tls = Watch(), client.shown(authority.ca_file)
    watch.at_once(tls)
    swap(client.cert, b"nothing")
    watch.later(tls)
    gone(client)
    watch.later(tls)
    assert [bool(news.fault) for news in watch.news] == [True, True]
    assert watch.news[1].fault == f"{REFUSED}No such file or directory"


def test_a_route_without_files_asks_neither_clock_nor_disk() -> None:
    ticks = iter([0.0])
    news: list[TlsNews] = []
    contexts = Contexts(news.append, lambda: next(ticks))
    first = contexts.of(Tls())
    assert isinstance(first, ssl.SSLContext)
    assert contexts.of(Tls()) is first


def naming() -> tuple[list[str], Callable[[Hostile], Act]]:
    """A server that keeps its connections, and whom their certificates named, one name a request."""
    names: list[str] = []

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await server.read_request(reader):
                names.append(writer.get_extra_info("peercert")["subjectAltName"][0][1])
                writer.write(OK)

        return act

    return names, behaviour


@pytest.fixture
def server(authority: Authority) -> ssl.SSLContext:
    context = authority.issue("127.0.0.1").serving()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca_file)
    return context


async def test_a_renewed_certificate_is_shown_without_a_restart_and_nothing_is_lost_meanwhile(
    authority: Authority, client: Certificate, server: ssl.SSLContext
) -> None:
    """Connections are kept alive throughout: an old one must not answer for the new certificate."""
    names, behaviour = naming()
    news: list[TlsNews] = []
    handler = local_handler(route=replace(LOCAL, tls=client.shown(authority.ca_file)), timeout=5.0)
    async with hostile(behaviour, server) as endpoint, Sender(tell=news.append) as sender:
        request = request_to(f"https://127.0.0.1:{endpoint.port}/in")

        async def shown() -> str:
            assert isinstance(await sender.send(request, handler), Reply)
            return names[-1]

        async def broken_is_told_of() -> bool:
            assert await shown() == "first.example"
            return bool(news)

        async def second_is_shown() -> bool:
            return await shown() == "second.example"

        assert (await shown(), await shown(), endpoint.connections) == ("first.example", "first.example", 1)
        swap(client.cert, b"broken")
        await eventually(broken_is_told_of, within=10)
        authority.renew(client, "second.example")
        await eventually(second_is_shown, within=10)
        assert (await shown(), endpoint.connections) == ("second.example", 2)
    assert [bool(told.fault) for told in news] == [True, False]


async def test_tls_files_that_cannot_be_read_are_our_own_trouble_and_no_attempt(tmp_path: Path) -> None:
    route = Route(tls=Tls(ca_file=str(tmp_path / "ca.pem")))
    async with Sender() as sender:
        answer = await sender.send(request_to("https://127.0.0.1:1/in"), local_handler(route=route))
    assert isinstance(answer, Failure)
    assert answer.kind == "local"
    assert judged(answer) == Retry(1.0, 1, f"local: {REFUSED}No such file or directory")
