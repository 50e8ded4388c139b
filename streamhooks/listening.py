"""Addresses that the program listens on."""

import errno
import socket


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OSError.

    Made here because two workers that start in the same moment may both bind a port, and only listening tells whose it
    is: uvloop then gives a server without a socket and no error.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def cannot(listen: str, error: OSError) -> str:
    """Why an address cannot be listened on, and the way out."""
    why = "the port is taken" if error.errno == errno.EADDRINUSE else str(error.strerror or error)
    return f"cannot listen on {listen}: {why}; name another address, or end what listens there"
