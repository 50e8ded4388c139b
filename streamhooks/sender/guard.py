"""The guard at the socket: no connection is opened to an address that the route's policy denies.

It stands where aiohttp makes the socket for one final address, the only place that all ways lead through: names,
literals (aiohttp asks no resolver for those), and each address of several. So the address that was checked is the
address that is connected to. A connection from the pool does not pass here again, which is why connections are never
shared between routes.

The resolver below guards nothing. It takes denied addresses out of a name's answers so that what then goes wrong with
the allowed ones is told as it is, and not as a denial, for which an event is given up at once.
"""

import socket
from collections.abc import Callable
from typing import TypeAlias

from aiohttp import AddrInfoType, SocketFactoryType
from aiohttp.abc import AbstractResolver, ResolveResult

from streamhooks.delivery.targets import Policy
from streamhooks.errors import StreamhooksError

Guard: TypeAlias = Callable[[Policy], SocketFactoryType]


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


class AllowedAnswers(AbstractResolver):
    """Another resolver's answers without those that `policy` denies; it raises BlockedDestination where none is left.

    The other resolver stays its owner's to close.
    """

    def __init__(self, resolver: AbstractResolver, policy: Policy) -> None:
        self._resolver = resolver
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answers = await self._resolver.resolve(host, port, family)
        verdicts = [self._policy.verdict(answer["host"]) for answer in answers]
        allowed = [answer for answer, why in zip(answers, verdicts, strict=True) if not why]
        if allowed:
            return allowed
        raise BlockedDestination(verdicts[0]) if verdicts else OSError("the name has no address")

    async def close(self) -> None:
        pass
