"""Through a proxy that the route names: what it sees, and whose trouble is whose."""

import asyncio
import ssl
from pathlib import Path

import pytest
import uvloop

from streamhooks.files import load_mapping
from streamhooks.handlers.handler import Handler, Route, Tls
from streamhooks.model import Failure, Reply, Retry
from streamhooks.secret import Secret
from streamhooks.sender import Sender
from tests.sender.certificates import Authority
from tests.sender.hostile import (
    Act,
    Behaviour,
    Hostile,
    answering,
    hanging,
    hostile,
    judged,
    local_handler,
    request_to,
    resetting,
)
from tests.sender.proxy import proxy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NAME = "hooks.example.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def certified(authority: Authority) -> ssl.SSLContext:
    return authority.issue(NAME, "127.0.0.1").serving()


async def sent(url: str, through: str, tls: Tls = Tls(), **others: object) -> Reply | Failure:  # noqa: B008  a frozen value
    """Without `allow_cidrs`: what a proxy may reach is the proxy's to guard."""
    async with Sender() as sender:
        return await sender.send(request_to(url), local_handler(route=Route(proxy=Secret(through), tls=tls), **others))


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_plain_request_is_sent_to_the_proxy_whole_and_its_name_is_looked_up_there(
    scheme: str, authority: Authority, certified: ssl.SSLContext
) -> None:
    tls = certified if scheme == "https" else None
    async with hostile(answering(OK)) as server, proxy(server.port, tls=tls) as through:
        answer = await sent(f"http://{NAME}/in?x=1", through.url, authority.ours, timeout=5.0)
        assert through.lines == [f"POST http://{NAME}/in?x=1 HTTP/1.1"]
        assert server.requests[0].startswith(b"POST /in?x=1 HTTP/1.1\r\nHost: hooks.example.com\r\n")
    assert isinstance(answer, Reply)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_tls_request_goes_through_a_tunnel_whose_endpoint_is_checked(
    scheme: str, authority: Authority, certified: ssl.SSLContext
) -> None:
    """On the loop that `serve` runs on: asyncio's own stumbles in Python 3.11 when TLS inside TLS fails."""

    async def both() -> None:
        tls = certified if scheme == "https" else None
        async with hostile(answering(OK), certified) as server, proxy(server.port, tls=tls) as through:
            right = await sent(f"https://{NAME}/in", through.url, authority.ours, timeout=5.0)
            wrong = await sent("https://other.example/in", through.url, authority.ours, timeout=5.0)
            assert through.lines == [f"CONNECT {NAME}:443 HTTP/1.1", "CONNECT other.example:443 HTTP/1.1"]
            (request,) = server.requests
        assert request.startswith(b"POST /in HTTP/1.1\r\nHost: hooks.example.com\r\n")
        assert isinstance(right, Reply)
        said = "the certificate is not accepted: Hostname mismatch, certificate is not valid for 'other.example'."
        assert judged(wrong) == Retry(5.0, 2, f"tls: {said}")

    uvloop.run(both())


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_credentials_of_the_proxy_are_for_the_proxy_alone(
    scheme: str, authority: Authority, certified: ssl.SSLContext
) -> None:
    tls = certified if scheme == "https" else None
    demands = b"Proxy-Authorization: Basic dXNlcjpwdw=="  # user:pw
    async with (
        hostile(answering(OK), tls) as server,
        proxy(server.port, demands=demands, credentials="user:pw@") as through,
    ):
        answer = await sent(f"{scheme}://{NAME}/in", through.url, authority.ours, timeout=5.0)
        assert demands in through.heads[0]
        assert b"proxy-authorization" not in server.requests[0].lower()
    assert isinstance(answer, Reply)


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hostile(answering(OK)) as server, proxy(server.port) as through:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, through.url)
            monkeypatch.setenv(name.upper(), through.url)
        async with Sender() as sender:
            answer = await sender.send(request_to(f"http://127.0.0.1:{server.port}/in"), local_handler())
        assert through.lines == []
    assert isinstance(answer, Reply)


async def test_no_proxy_of_the_environment_opens_no_way_around_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    async with hostile(answering(OK)) as server, proxy(server.port) as through:
        assert isinstance(await sent(f"http://127.0.0.1:{server.port}/in", through.url), Reply)
        assert len(through.lines) == 1


def handlers(*own: dict[str, object], **defaults: object) -> list[Handler]:
    written = [{"id": f"h{n}", "on": ["*"], "target_path": f"https://{NAME}/"} | keys for n, keys in enumerate(own)]
    return list(load_mapping({"defaults": defaults, "handlers": written}, Path()).handlers)


def test_a_proxy_is_said_for_one_handler_or_for_all() -> None:
    made = handlers({}, {"proxy": "http://own:1"}, {"proxy": ""}, proxy="http://all:1")
    assert [handler.route.proxy.reveal() for handler in made] == ["http://all:1", "http://own:1", ""]


# Trouble of the proxy is our own: no attempt is counted, and nobody's breaker hears of it.


async def proxy_trouble(url: str, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Retry:
    async with hostile(behaviour, tls) as server:
        through = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}"
        answer = await sent(url, through, timeout=0.5)
    assert isinstance(answer, Failure)
    assert answer.kind == "local"
    outcome = judged(answer)
    assert isinstance(outcome, Retry)
    return outcome


BOTH = pytest.mark.parametrize("url", [f"http://{NAME}/in", f"https://{NAME}/in"])


@BOTH
async def test_a_proxy_that_is_not_there(url: str) -> None:
    answer = await sent(url, "http://127.0.0.1:1")
    assert judged(answer) == Retry(1.0, 1, "local: the proxy cannot be reached")


@BOTH
async def test_a_proxy_whose_name_is_unknown(url: str) -> None:
    answer = await sent(url, "http://proxy.invalid:3128", timeout=5.0)
    assert judged(answer) == Retry(1.0, 1, "local: at the proxy: the host name cannot be resolved")


@BOTH
async def test_a_proxy_whose_certificate_is_not_accepted(url: str, certified: ssl.SSLContext) -> None:
    outcome = await proxy_trouble(url, answering(OK), certified)
    said = "at the proxy: the certificate is not accepted: unable to get local issuer certificate"
    assert outcome == Retry(1.0, 1, f"local: {said}")


@BOTH
async def test_a_proxy_that_wants_other_credentials(url: str) -> None:
    async with hostile(answering(OK)) as server, proxy(server.port, demands=b"Basic") as through:
        answer = await sent(url, through.url)
        assert server.connections == 0
    said = "the proxy refused to connect" if url.startswith("https") else "the proxy asks for other credentials"
    assert judged(answer) == Retry(1.0, 1, f"local: {said}")


@pytest.mark.parametrize("status", [403, 500, 502, 503])
async def test_a_proxy_that_refuses_a_tunnel(status: int) -> None:
    refusing = answering(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
    outcome = await proxy_trouble(f"https://{NAME}/in", refusing)
    assert outcome == Retry(1.0, 1, "local: the proxy refused to connect")


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (answering(b""), "the connection was closed before an answer"),
        (resetting(), "connection reset by peer"),
        (answering(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "the answer is no HTTP that can be read (HttpProcessingError)"),
    ],
    ids=["closes", "resets", "speaks another protocol"],
)
async def test_a_proxy_that_breaks_off_before_the_tunnel_stands(behaviour: Behaviour, said: str) -> None:
    outcome = await proxy_trouble(f"https://{NAME}/in", behaviour)
    assert outcome == Retry(1.0, 1, f"local: at the proxy: {said}")


async def test_a_proxy_that_went_away_while_it_was_waited_for() -> None:
    async def gone_soon() -> Reply | Failure:
        async with hostile(hanging()) as server:
            going = asyncio.create_task(sent(f"http://{NAME}/in", f"http://127.0.0.1:{server.port}", timeout=5.0))
            await server.saw(requests=1)
        return await going

    assert judged(await gone_soon()) == Retry(1.0, 1, "local: the proxy cannot be reached")


# Trouble of the endpoint stays the endpoint's.


async def through_a_good_proxy(url: str, behaviour: Behaviour, tls: ssl.SSLContext | None, trusted: Tls) -> Failure:
    async with hostile(behaviour, tls) as server, proxy(server.port) as through:
        answer = await sent(url, through.url, trusted, timeout=0.5)
    assert isinstance(answer, Failure)
    return answer


@BOTH
async def test_an_endpoint_that_hangs_is_charged_its_time_out(
    url: str, authority: Authority, certified: ssl.SSLContext
) -> None:
    tls = certified if url.startswith("https") else None
    answer = await through_a_good_proxy(url, hanging(), tls, authority.ours)
    assert (answer.kind, answer.message) == ("timeout", "no whole answer within the timeout")


async def test_an_endpoint_whose_handshake_hangs_is_charged_its_time_out(authority: Authority) -> None:
    answer = await through_a_good_proxy(f"https://{NAME}/in", hanging(), None, authority.ours)
    assert answer.kind == "timeout"


@BOTH
async def test_an_endpoint_that_resets_is_charged_its_connection(
    url: str, authority: Authority, certified: ssl.SSLContext
) -> None:
    tls = certified if url.startswith("https") else None
    answer = await through_a_good_proxy(url, resetting(), tls, authority.ours)
    assert answer.kind == "connect"


async def test_an_endpoint_with_a_certificate_of_nobody_is_charged_it(certified: ssl.SSLContext) -> None:
    answer = await through_a_good_proxy(f"https://{NAME}/in", answering(OK), certified, Tls())
    assert (answer.kind, answer.message.startswith("the certificate is not accepted")) == ("tls", True)


async def test_an_endpoint_that_speaks_no_http_is_charged_it(authority: Authority, certified: ssl.SSLContext) -> None:
    answer = await through_a_good_proxy(
        f"https://{NAME}/in", answering(b"SSH-2.0-OpenSSH_9.2p1\r\n"), certified, authority.ours
    )
    assert answer.kind == "protocol"


async def test_a_407_of_an_endpoint_behind_a_tunnel_is_an_answer(
    authority: Authority, certified: ssl.SSLContext
) -> None:
    odd = b"HTTP/1.1 407 Odd\r\nContent-Length: 0\r\n\r\n"
    async with hostile(answering(odd), certified) as server, proxy(server.port) as through:
        answer = await sent(f"https://{NAME}/in", through.url, authority.ours)
    assert isinstance(answer, Reply)
    assert answer.status == 407


async def test_a_kept_tunnel_that_drops_is_the_endpoints_trouble(
    authority: Authority, certified: ssl.SSLContext
) -> None:
    """The connection stood, though this request did not make it."""

    def drops_the_second(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            writer.write(OK)
            await server.read_request(reader)

        return act

    async with hostile(drops_the_second, certified) as server, proxy(server.port) as through, Sender() as sender:
        handler = local_handler(route=Route(proxy=Secret(through.url), tls=authority.ours))
        first = await sender.send(request_to(f"https://{NAME}/in"), handler)
        second = await sender.send(request_to(f"https://{NAME}/in"), handler)
        assert (through.lines, len(server.requests)) == ([f"CONNECT {NAME}:443 HTTP/1.1"], 2)
    assert isinstance(first, Reply)
    assert isinstance(second, Failure)
    assert second.kind == "connect"
