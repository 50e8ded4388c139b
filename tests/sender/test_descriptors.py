"""A process that runs out of file descriptors: deliveries wait, and the last ones are left to others."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from streamhooks.model import Failure, Reply
from streamhooks.sender import Sender
from tests.sender.hostile import answering, hostile, local_handler, request_to

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LEFT = 4
"""Descriptors that are free. A socket takes one, and so would the endpoint's side of it."""


@contextmanager
def few_descriptors() -> Iterator[None]:
    lowest = os.dup(0)
    os.close(lowest)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + LEFT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_delivery_takes_none_of_the_last_descriptors_and_is_no_fault_of_its_endpoint() -> None:
    async with hostile(answering(OK)) as server, Sender() as sender:
        request = request_to(f"http://127.0.0.1:{server.port}/in")
        with few_descriptors():
            answer = await sender.send(request, local_handler())
            taken = [os.dup(0) for _ in range(LEFT)]
        for descriptor in taken:
            os.close(descriptor)
        assert isinstance(answer, Failure)
        assert (answer.kind, answer.message) == ("local", "too many open files")
        assert server.connections == 0
        assert isinstance(await sender.send(request, local_handler()), Reply)
