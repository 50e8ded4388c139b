"""Ports for servers that are started later, or away for a while: nobody else is given them meanwhile.

Who listens on port 0, or connects, gets a port of the system's own range (Linux: from 32768, ip(7); macOS: from 49152).
One that was found free there may be somebody else's by the time that its server listens. These lie below that range,
and every process counts from a place of its own, for several run tests at once.
"""

import itertools
import random
import socket

FIRST = 20_000
LAST = 32_767
_counted = itertools.count(random.randrange(LAST - FIRST))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, each time another one."""
    for number in _counted:
        port = FIRST + number % (LAST - FIRST + 1)
        if is_free(port):
            return port
    raise AssertionError("counting has no end")


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of 127.0.0.1."""
    with socket.socket() as asked:
        try:
            asked.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
