"""TLS towards a real server: who is trusted, what is shown, and what is said where that does not fit."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from streamhooks import Publisher, sync
from streamhooks.embedded import EmbeddedServer
from streamhooks.errors import ConfigError, PublishError, StoreError
from streamhooks.secret import Secret
from streamhooks.settings import Redis as Settings
from streamhooks.settings.model import Tls
from streamhooks.store.connection import ask, connect
from tests.connecting.secured import engine_with_tls, secured, tls_options
from tests.doors.command import command
from tests.faults.server import Server
from tests.faults.trio import SERVICE, Sentinel
from tests.flow.rig import Records, Rig
from tests.ports import free_port
from tests.sender.certificates import Authority, Certificate, swap
from tests.servers import Endpoint
from tests.waiting import eventually


class Secured(msgspec.Struct, frozen=True):
    """A server of TLS whose certificate is for `localhost`, and what is needed to reach it."""

    server: Server
    port: int
    authority: Authority
    client: Certificate

    @property
    def url(self) -> str:
        return f"rediss://localhost:{self.port}/0"

    @property
    def tls(self) -> Tls:
        return Tls(ca_file=self.authority.ca_file, cert_file=self.client.cert, key_file=self.client.key)

    def settings(self, url: str = "", **tls: str | Secret) -> Settings:
        """As a worker has them, but for what is given."""
        return Settings(url=Secret(url or self.url), tls=msgspec.structs.replace(self.tls, **tls))


@pytest_asyncio.fixture
async def redis_by_tls(tmp_path: Path) -> AsyncIterator[Secured]:
    authority = Authority(tmp_path, "authority")
    async with secured(tmp_path, authority, "localhost") as (server, port):
        yield Secured(server, port, authority, authority.issue("client.example"))


def content(path: str | Secret) -> bytes:
    return Path(str(path)).read_bytes()


async def answer_of(settings: Settings) -> str:
    """`True`, or the kind and text of the error."""
    client = connect(settings)
    try:
        return str(await ask(client, "PING"))
    except StoreError as error:
        return f"{error.kind}: {error.message}"
    finally:
        await client.aclose()


async def test_a_worker_and_the_commands_reach_it_with_their_certificate(
    redis_by_tls: Secured, tmp_path: Path, endpoint: Endpoint
) -> None:
    async with redis_by_tls.server.client() as admin:
        rig = Rig(admin, redis_by_tls.url, tmp_path, endpoint, Records())
        tls = {"tls": msgspec.to_builtins(redis_by_tls.tls)}
        async with rig.working(rig.handler(), redis=tls):
            file = rig.written(rig.handler(), redis=tls)
            done = await command("publish", "AuthFailure", "key=a", "--config", file)
            assert (done.code, done.err) == (0, "")
            await rig.settled(delivered=1)
            for words in (("status",), ("check", "--redis")):
                assert (await command(*words, "--config", file)).code == 0


async def test_publishers_reach_it_with_their_certificate(redis_by_tls: Secured) -> None:
    url, ca_file, client = redis_by_tls.url, redis_by_tls.authority.ca_file, redis_by_tls.client
    async with Publisher(url, ca_file=ca_file, cert_file=client.cert, key_file=client.key) as publisher:
        assert await publisher.publish("X")
    with sync.Publisher(url, ca_file=ca_file, cert_file=client.cert, key_file=client.key) as blocking:
        assert blocking.publish("X")
    with sync.Publisher(url, ca_file=ca_file, patience=0) as unknown, pytest.raises(PublishError) as raised:
        unknown.publish("X")
    assert raised.value.kind == "away"
    assert "it refuses our certificate, or wants one (" in raised.value.message


async def test_sentinels_and_their_primary_are_reached_by_tls_where_files_say_so(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    client, serving, port = authority.issue("client.example"), authority.issue("localhost", "127.0.0.1"), free_port()
    async with secured(tmp_path, authority, "127.0.0.1") as (server, primary):
        options = tls_options(authority, serving, port) | {"tls_replication": "yes"}
        settings = (f"{name.replace('_', '-')} {value}" for name, value in options.items())
        async with Sentinel(engine_with_tls(), tmp_path, primary, *settings) as sentinel:
            await eventually(sentinel.names_a_primary)
            by_tls = Secured(server, port, authority, client)
            url = f"redis+sentinel://localhost:{port}/{SERVICE}"
            assert await answer_of(by_tls.settings(url)) == "True"
            with sync.Publisher(
                url, ca_file=authority.ca_file, cert_file=client.cert, key_file=client.key
            ) as publisher:
                assert publisher.publish("X")
            assert (await answer_of(Settings(url=Secret(url)))).startswith("away: no sentinel leads to a primary")


async def test_pem_texts_of_the_environment_do_as_files_do(redis_by_tls: Secured) -> None:
    ca, cert, key = (Secret(content(getattr(redis_by_tls.tls, name)).decode()) for name in Tls.__struct_fields__)
    assert await answer_of(redis_by_tls.settings(ca_file=ca, cert_file=cert, key_file=key)) == "True"


async def test_what_does_not_fit_is_said_with_the_setting_that_mends_it(redis_by_tls: Secured, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    foreign = stranger.issue("client.example")
    port = redis_by_tls.port
    wrong = "(redis.tls.ca_file names whom to trust)"
    for settings, said in (
        (redis_by_tls.settings(ca_file=stranger.ca_file), f"localhost:{port}: its certificate is refused: "),
        (redis_by_tls.settings(ca_file=""), f"localhost:{port}: its certificate is refused: "),
        (redis_by_tls.settings(f"rediss://127.0.0.1:{port}"), f"127.0.0.1:{port}: its certificate is refused: IP addr"),
        (redis_by_tls.settings(cert_file="", key_file=""), f"localhost:{port}: it refuses our certificate, or wants"),
        (
            redis_by_tls.settings(cert_file=foreign.cert, key_file=foreign.key),
            f"localhost:{port}: it refuses our certificate, or wants one (",
        ),
    ):
        answer = await answer_of(settings)
        assert answer.startswith("away: ")
        assert said in answer
        assert ("its certificate" in said) == answer.endswith(wrong)


async def test_a_server_of_tls_older_than_1_2_is_not_spoken_to(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    client = authority.issue("client.example")
    old = {"tls_protocols": "TLSv1.1", "tls_ciphers": "DEFAULT@SECLEVEL=0"}
    async with secured(tmp_path, authority, "localhost", **old) as (server, port):
        by_tls = Secured(server, port, authority, client)
        assert (await answer_of(by_tls.settings())).startswith(f"away: localhost:{port}: ")


async def test_files_that_changed_are_in_force_for_the_next_connection(redis_by_tls: Secured, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    client = connect(redis_by_tls.settings())
    assert await ask(client, "PING") is True
    before = {path: content(path) for path in (redis_by_tls.client.cert, redis_by_tls.client.key)}
    stranger.renew(redis_by_tls.client, "client.example")
    assert await ask(client, "PING") is True
    await client.connection_pool.disconnect()
    with pytest.raises(StoreError, match="it refuses our certificate"):
        await ask(client, "PING")
    # Half of a renewal: what was in force stays so, and the failing handshake says why.
    swap(redis_by_tls.client.cert, before[redis_by_tls.client.cert])
    with pytest.raises(StoreError, match=r"; redis\.tls\.key_file has changed and is not the key of the certificate"):
        await ask(client, "PING")
    swap(redis_by_tls.client.key, before[redis_by_tls.client.key])
    assert await ask(client, "PING") is True
    await client.aclose()


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


@pytest.mark.parametrize("url", ["rediss://localhost:1", "redis+sentinel://localhost:1/gateway"])
def test_files_that_cannot_be_used_are_faults_with_their_names(tmp_path: Path, url: str) -> None:
    authority = Authority(tmp_path, "authority")
    one, other = authority.issue("a.example"), authority.issue("b.example")
    no_pem = written(tmp_path, "no.pem", "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n")
    for tls, said in (
        (Tls(ca_file=str(tmp_path / "gone")), "redis.tls.ca_file: cannot be read: No such file or directory"),
        (Tls(ca_file=no_pem), "redis.tls.ca_file: is no PEM that can be read, or a key with a password"),
        (Tls(cert_file=no_pem, key_file=one.key), "redis.tls.cert_file: is no PEM that can be read, or a key with a"),
        (Tls(cert_file=one.cert), "redis.tls.cert_file: is no PEM that can be read, or a key with a password"),
        (Tls(cert_file=one.cert, key_file=other.key), "redis.tls.key_file: is not the key of the certificate in cert_"),
        (Tls(cert_file=one.cert, key_file=no_pem), "redis.tls.key_file: is no PEM that can be read, or a key with a"),
        (Tls(cert_file=one.cert, key_file=str(tmp_path)), "redis.tls.key_file: cannot be read: Is a directory"),
        (Tls(key_file=one.key), "redis.tls.key_file: needs cert_file, the certificate that the key belongs to"),
    ):
        with pytest.raises(ConfigError) as raised:
            connect(Settings(url=Secret(url), tls=tls))
        assert str(raised.value).startswith(f"configuration: {said}")
        place, _, rest = said.removeprefix("redis.tls.").partition(": ")
        with pytest.raises(PublishError) as refused:
            Publisher(url, ca_file=tls.ca_file, cert_file=tls.cert_file, key_file=tls.key_file)
        assert str(refused.value).startswith(f"{place}: {rest}")


async def test_files_that_would_not_be_used_are_a_fault(tmp_path: Path, endpoint: Endpoint) -> None:
    """Whoever wrote them believes that the connection is encrypted."""
    authority = Authority(tmp_path, "authority")
    file = written(tmp_path, "streamhooks.yaml", f"redis: {{url: 'redis://h1', tls: {{ca_file: {authority.ca_file}}}}}")
    ran = await command("check", "--config", file)
    said = "redis.tls.ca_file: is not used, for redis.url asks for no TLS; write rediss:// in it, or take the file out"
    assert (ran.code, ran.err) == (2, f"{file}: {said}\n1 fault\n")
    with pytest.raises(PublishError, match=r"^ca_file: is set, but the URL asks for no TLS: write rediss:// in it"):
        Publisher("redis://127.0.0.1", ca_file=authority.ca_file)


async def test_another_server_by_the_command_line_may_be_one_without_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    file = written(tmp_path, "streamhooks.yaml", f"redis: {{url: 'rediss://h', tls: {{ca_file: {authority.ca_file}}}}}")
    async with EmbeddedServer(tmp_path / "plain", persist=False) as plain:
        assert (await command("pending", "--config", file, "--redis-url", plain.url)).code == 0
