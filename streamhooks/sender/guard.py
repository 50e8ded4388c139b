"""The guard at the socket: no connection is opened to an address that the route's policy denies.

It stands where aiohttp makes the socket for one final address, the only place that all ways lead through: names,
literals (aiohttp asks no resolver for those), and each address of several. So the address that was checked is the
address that is connected to. A connection from the pool does not pass here again, which is why connections are never
shared between routes.
"""

import socket

from aiohttp import AddrInfoType, SocketFactoryType

from streamhooks.delivery.targets import Policy
from streamhooks.errors import StreamhooksError


class GuardError(StreamhooksError):
    """The guard is not asked: whoever delivers now may reach anything. A worker must not start."""


class BlockedDestination(OSError):  # noqa: N818  the word of the field; it is a verdict on an address
    """An address that may not be connected to.

    An OSError because aiohappyeyeballs goes on to a name's next address after one, and loses any other exception.
    """


def guarded(policy: Policy) -> SocketFactoryType:
    """Makes sockets for allowed addresses only. The factory raises BlockedDestination with the reason."""

    def make(address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, where = address
        if why := policy.verdict(str(where[0])):
            raise BlockedDestination(why)
        return socket.socket(family, kind, protocol)

    return make
