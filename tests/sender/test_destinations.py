"""Where the sender lets itself be sent to: the guard looks at the address that is connected to."""

import aiohttp
import pytest

from streamhooks.handlers.handler import Route
from streamhooks.model import Failure, Reply
from streamhooks.sender import GuardError, Sender
from tests.sender.hostile import answering, hostile, local_handler, request_to

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


async def test_the_self_test_passes_where_the_guard_is_asked() -> None:
    async with Sender() as sender:
        await sender.self_test()
        # What the self-test opened is closed with the sender and blocks still.
        answer = await sender.send(request_to("http://127.0.0.1:1/"), local_handler(route=Route()))
    assert isinstance(answer, Failure)
    assert answer.kind == "blocked"


async def test_the_self_test_names_what_gets_through() -> None:
    async with Sender() as sender:
        with pytest.raises(GuardError) as caught:
            await sender.self_test(Route(allow_cidrs=("127.0.0.0/8",)))
    assert caught.value.message == (
        "the guard on destinations does not hold for http://127.0.0.1/, http://\u2460\u2461\u2466.0.0.1/, "
        "http://0x7f000001/, http://localhost/: install a release of aiohttp that streamhooks was tested with "
        f"(this is {aiohttp.__version__})"
    )
