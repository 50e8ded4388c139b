"""File descriptors that deliveries leave to others.

Endpoints that hang can take every descriptor that a process may have. Then no probe would be answered, so that the
worker is restarted in the middle of its deliveries; no connection to Redis could be opened again, and no file that has
changed be read. So a delivery that would take one of the last waits, as it would without any: a Failure of kind
`local`, which costs no attempt.
"""

import errno
import os
import resource
import socket

from aiohttp import AddrInfoType, SocketFactoryType

SPARED = 16
"""At most; where few are allowed at all, a quarter of them."""


def sparing(make: SocketFactoryType) -> SocketFactoryType:
    """Makes the same sockets while there are enough descriptors. The factory raises OSError with EMFILE."""

    def make_one(address: AddrInfoType) -> socket.socket:
        made = make(address)
        allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        # A new descriptor is the lowest number that is free, so its number says how many are in use at least.
        if allowed != resource.RLIM_INFINITY and made.fileno() >= allowed - min(SPARED, allowed // 4):
            made.close()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return made

    return make_one


def plain(address: AddrInfoType) -> socket.socket:
    """A socket as aiohttp would make it."""
    family, kind, protocol, _, _ = address
    return socket.socket(family, kind, protocol)
