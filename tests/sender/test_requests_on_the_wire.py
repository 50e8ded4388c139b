"""What an endpoint gets, byte for byte where it matters."""

import contextlib
import os
import re
import resource

import pytest

from streamhooks.delivery.request import build
from streamhooks.delivery.signing import sign
from streamhooks.handlers.handler import Route
from streamhooks.model import Failure, Reply
from streamhooks.secret import Secret
from streamhooks.sender import Sender
from tests.delivery.making import make_event
from tests.sender.hostile import answering, hostile, local_handler, request_to
from tests.servers import Answer, Endpoint

SECRETS = (Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Secret("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def test_a_post_is_sent_with_the_requests_headers_and_nothing_of_aiohttps() -> None:
    async with hostile(answering(OK)) as server, Sender() as sender:
        request = request_to(f"http://127.0.0.1:{server.port}/a%2Fb?x=%20y", body=b'{"a": 1}')
        await sender.send(request, local_handler())
    assert server.requests[0] == (
        b"POST /a%2Fb?x=%20y HTTP/1.1\r\n"
        b"Host: 127.0.0.1:" + str(server.port).encode() + b"\r\n"
        b"Accept-Encoding: identity\r\n"
        b"Content-Type: application/json\r\n"
        b"webhook-id: evt_1-0_0_aaa94026\r\n"
        b"Content-Length: 8\r\n\r\n"
        b'{"a": 1}'
    )


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", None),
        ("DELETE", b"", b"0"),
        ("POST", b"", b"0"),
        ("PUT", b"", b"0"),
        ("GET", b"x", b"1"),
        ("DELETE", b"xy", b"2"),
    ],
)
async def test_the_length_is_told_and_no_body_is_chunked(method: str, body: bytes, length: bytes | None) -> None:
    async with hostile(answering(OK)) as server, Sender() as sender:
        await sender.send(request_to(f"http://127.0.0.1:{server.port}/in", method, body), local_handler())
    found = re.search(rb"content-length: (\d+)", server.requests[0], re.IGNORECASE)
    assert (found and found[1]) == length
    assert b"transfer-encoding" not in server.requests[0].lower()
    assert server.requests[0].endswith(b"\r\n\r\n" + body)


async def test_a_handler_with_secrets_signs_each_attempt_with_the_time_of_sending(endpoint: Endpoint) -> None:
    times = iter([1614265330.9, 1614265400.0])
    handler = local_handler(origin=endpoint.url, target=f"{endpoint.url}/in", secrets=SECRETS)
    request = build(make_event(), handler)
    async with Sender(now=lambda: next(times)) as sender:
        await sender.send(request, handler)
        await sender.send(request, handler)
    first, second = (received.headers for received in endpoint.received)
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1614265330", "1614265400")
    assert first["webhook-id"] == second["webhook-id"] == "evt_1700000000000-7_0_aaa94026"
    assert first["webhook-signature"] == sign(SECRETS, first["webhook-id"], 1614265330, request.body)
    assert second["webhook-signature"] == sign(SECRETS, first["webhook-id"], 1614265400, request.body)


async def test_a_handler_without_secrets_sends_neither_time_nor_signature(endpoint: Endpoint) -> None:
    async with Sender() as sender:
        await sender.send(request_to(f"{endpoint.url}/in"), local_handler())
    headers = endpoint.received[0].headers
    assert headers["webhook-id"] == "evt_1-0_0_aaa94026"
    assert not {"webhook-timestamp", "webhook-signature"} & headers.keys()


async def test_a_secret_that_is_none_is_our_own_trouble_and_nothing_is_sent(endpoint: Endpoint) -> None:
    async with Sender() as sender:
        answer = await sender.send(request_to(f"{endpoint.url}/in"), local_handler(secrets=(Secret("whsec_AAAA"),)))
    assert isinstance(answer, Failure)
    assert answer.kind == "local"
    assert answer.message.startswith("the key is 3 bytes, 24 to 64 are allowed")
    assert endpoint.received == []


def take_all_descriptors(taken: list[int]) -> None:
    with contextlib.suppress(OSError):
        while True:
            taken.append(os.dup(0))


async def test_too_few_file_descriptors_are_our_own_trouble(endpoint: Endpoint) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))
        take_all_descriptors(taken)
        async with Sender() as sender:
            handler = local_handler(route=Route(allow_cidrs=("127.0.0.1/32",)))
            answer = await sender.send(request_to(f"{endpoint.url}/in"), handler)
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.message) == ("local", "too many open files")


async def test_an_answer_has_its_status_its_headers_in_lower_case_and_its_first_bytes(endpoint: Endpoint) -> None:
    endpoint.script(Answer(503, body=b"busy", headers={"Retry-After": "7"}))
    async with Sender() as sender:
        answer = await sender.send(request_to(f"{endpoint.url}/in"), local_handler())
    assert isinstance(answer, Reply)
    assert (answer.status, answer.head, answer.headers["retry-after"]) == (503, b"busy", "7")
    assert 0 < answer.elapsed < 5


async def test_cookies_that_an_endpoint_sets_are_never_sent_back(endpoint: Endpoint) -> None:
    endpoint.script(Answer(200, headers={"Set-Cookie": "a=b"}))
    async with Sender() as sender:
        for _ in range(2):
            await sender.send(request_to(f"{endpoint.url}/in"), local_handler())
    assert all("cookie" not in received.headers for received in endpoint.received)


async def test_proxies_of_the_environment_are_ignored(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with Sender() as sender:
        assert isinstance(await sender.send(request_to(f"{endpoint.url}/in"), local_handler()), Reply)


async def test_a_port_that_nobody_listens_on_is_a_connect_failure() -> None:
    async with hostile(answering(OK)) as server:
        port = server.port
    async with Sender() as sender:
        answer = await sender.send(request_to(f"http://127.0.0.1:{port}/in"), local_handler())
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.message) == ("connect", "connection refused")


async def test_a_name_that_does_not_exist_is_a_dns_failure() -> None:
    async with Sender() as sender:
        answer = await sender.send(request_to("http://nowhere.invalid/in"), local_handler(timeout=5.0))
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.message) == ("dns", "the host name cannot be resolved")
