"""Who has a port when several ask for it in the same moment."""

import errno
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from streamhooks.listening import listening
from tests.ports import free_port

AT_ONCE = 8
ROUNDS = 20


def test_of_many_that_want_one_port_in_the_same_moment_one_has_it_and_the_others_are_told() -> None:
    for _ in range(ROUNDS):
        port, start = free_port(), threading.Barrier(AT_ONCE)

        def ask(port: int = port, start: threading.Barrier = start) -> socket.socket | int | None:
            start.wait()
            try:
                return listening("127.0.0.1", port)
            except OSError as error:
                return error.errno

        with ThreadPoolExecutor(AT_ONCE) as asking:
            answers = [one.result() for one in [asking.submit(ask) for _ in range(AT_ONCE)]]
        winners = [answer for answer in answers if isinstance(answer, socket.socket)]
        assert len(winners) == 1
        assert [answer for answer in answers if answer not in winners] == [errno.EADDRINUSE] * (AT_ONCE - 1)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            winners[0].close()


def test_a_port_that_was_bound_by_another_and_not_listened_on_is_whose_listens_first() -> None:
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        slow.bind(("127.0.0.1", 0))
        with listening("127.0.0.1", slow.getsockname()[1]) as quick:
            assert quick.getsockname() == slow.getsockname()
            with pytest.raises(OSError, match="in use") as refused:
                slow.listen()
            assert refused.value.errno == errno.EADDRINUSE
