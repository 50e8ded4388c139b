"""Where the sender lets itself be sent to: the guard looks at the address that is connected to."""

from ipaddress import ip_address, ip_network

import pytest

from streamhooks.handlers.handler import Route
from streamhooks.model import Failure, Reply
from streamhooks.sender import Sender
from tests.sender.hostile import answering, hostile, local_handler, request_to
from tests.sender.inside import Answers, inside

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::]",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "0x7f000001",
        "0x7f.1",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "168.63.129.16",
        "100.100.100.200",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "2130706433",
        "127.1",
        "0177.0.0.1",
    ],
)
async def test_a_destination_that_is_not_public_is_blocked_however_it_is_spelled(host: str) -> None:
    async with hostile(answering(OK)) as server, Sender() as sender:
        answer = await sender.send(request_to(f"http://{host}:{server.port}/in"), local_handler(route=Route()))
        assert server.connections == 0
    assert isinstance(answer, Failure)
    assert answer.kind == "blocked"


async def test_a_blocked_destination_is_named_with_the_reason() -> None:
    async with Sender() as sender:
        answer = await sender.send(request_to("http://169.254.169.254/latest?token=x"), local_handler(route=Route()))
    assert isinstance(answer, Failure)
    assert answer.message == "169.254.169.254 is not allowed: link-local, where metadata services live (169.254.0.0/16)"


async def test_a_connection_opened_under_one_policy_is_not_used_under_another() -> None:
    async with hostile(answering(OK, OK)) as server, Sender() as sender:
        request = request_to(f"http://127.0.0.1:{server.port}/in")
        opened = await sender.send(request, local_handler())
        closed = await sender.send(request, local_handler(route=Route()))
        assert len(server.requests) == 1
    assert isinstance(opened, Reply)
    assert isinstance(closed, Failure)
    assert closed.kind == "blocked"


async def test_of_a_name_with_several_addresses_the_allowed_one_is_used() -> None:
    """localhost is ::1 and 127.0.0.1 on most machines; only the latter is opened here."""
    async with hostile(answering(OK)) as server, Sender() as sender:
        answer = await sender.send(request_to(f"http://localhost:{server.port}/in"), local_handler())
    assert isinstance(answer, Reply)


async def at_name(*addresses: str, port: int = 1) -> Reply | Failure:
    """What comes of a request to a name of these addresses, of which all of 127.0.0.0/8 is opened."""
    resolver = Answers()
    resolver.say("hooks.example.com", addresses)
    async with Sender(resolver=resolver) as sender:
        return await sender.send(request_to(f"http://hooks.example.com:{port}/in"), local_handler())


@pytest.mark.parametrize("addresses", [("10.0.0.1",), ("10.0.0.1", "192.168.0.1", "fd00::1"), ("::1", "10.0.0.1")])
async def test_a_name_with_denied_addresses_alone_is_blocked_and_the_first_one_is_told(
    addresses: tuple[str, ...],
) -> None:
    answer = await at_name(*addresses)
    assert isinstance(answer, Failure)
    assert answer.kind == "blocked"
    assert answer.message.startswith(f"{addresses[0]} is not allowed: ")


@pytest.mark.parametrize("addresses", [("10.0.0.1", "127.0.0.1"), ("127.0.0.1", "10.0.0.1", "fd00::1")])
async def test_an_allowed_address_that_does_not_answer_is_no_denial_for_the_denied_one_beside_it(
    addresses: tuple[str, ...],
) -> None:
    """Else an endpoint that is down for a moment would lose its events at once."""
    async with hostile(answering(OK)) as server:
        port = server.port
    answer = await at_name(*addresses, port=port)
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.message) == ("connect", "connection refused")


async def test_a_name_without_an_address_cannot_be_resolved() -> None:
    answer = await at_name()
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.message) == ("dns", "the host name cannot be resolved")


@pytest.mark.parametrize("opened", ["127.0.0.1/32", "127.1.0.0/16", "127.255.255.254/31", "::1/128"])
async def test_allow_cidrs_opens_what_it_says_and_nothing_more(opened: str) -> None:
    handler = local_handler(route=Route(allow_cidrs=(opened,)))
    async with inside(answering(OK)) as within, Sender() as sender:
        for address in within.denied:
            host = f"[{address}]" if ":" in address else address
            answer = await sender.send(request_to(f"http://{host}:{within.port}/in"), handler)
            reached = ip_address(address) in ip_network(opened)
            assert isinstance(answer, Reply) == reached == bool(within.intrusions.get(address)), address


@pytest.mark.parametrize("url", ["http://127.0.0.1:80:80/in", "http://127.0.0.1:99999/in", "http:///in", "in", ""])
async def test_what_is_no_url_is_blocked_and_nothing_is_raised(url: str) -> None:
    async with Sender() as sender:
        answer = await sender.send(request_to(url), local_handler())
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.message) == ("blocked", "the URL is none that may be called")
