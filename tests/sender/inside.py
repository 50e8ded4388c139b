"""The inside of a network, for tests: listeners that count on its addresses, and names that lead there.

The hostile URLs are in hostile-urls.jsonl: the URL, in which PORT stands for that of the listeners, the address that a
careless client comes to by it, and the trick.
"""

import asyncio
import errno
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.sender.hostile import Behaviour, Hostile, hostile

INSIDE = ("127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "::1")
"""Addresses of this machine that nobody may connect to; Linux answers on all of 127.0.0.0/8."""
OPENED = "127.0.0.9"
"""The one that a test opens."""


class HostileUrl(msgspec.Struct, frozen=True):
    url: str
    reaches: str
    trick: str

    def at(self, port: int) -> str:
        return self.url.replace("PORT", str(port))

    @property
    def host(self) -> str:
        """What stands between // and the port: as an answer of a resolver it is a trick of its own."""
        return self.url.partition("//")[2].partition("/")[0].removesuffix(":PORT").strip("[]")


def corpus() -> list[HostileUrl]:
    lines = (Path(__file__).parent / "hostile-urls.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=HostileUrl) for line in lines]


class Inside:
    """The listeners, all on one port."""

    def __init__(self, opened: Hostile, denied: dict[str, Hostile]) -> None:
        self.opened = opened
        self.denied = denied
        self.port = opened.port

    @property
    def intrusions(self) -> dict[str, int]:
        return {address: server.connections for address, server in self.denied.items() if server.connections}


@asynccontextmanager
async def inside(behaviour: Behaviour) -> AsyncIterator[Inside]:
    """Every address answers with `behaviour`. A machine without IPv6 does not listen on ::1."""
    while True:
        try:
            async with AsyncExitStack() as stack:
                opened = await stack.enter_async_context(hostile(behaviour, host=OPENED))
                denied: dict[str, Hostile] = {}
                for address in INSIDE:
                    if address == "::1" and not _has_ipv6():
                        continue
                    server = hostile(behaviour, host=address, port=opened.port)
                    denied[address] = await stack.enter_async_context(server)
                yield Inside(opened, denied)
                return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:  # somebody has this port at one of the addresses: another one
                raise


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


class Answers(AbstractResolver):
    """A resolver that answers what a test says: one list of addresses a look-up, the last one again and again."""

    def __init__(self) -> None:
        self._answers: dict[str, list[Sequence[str]]] = {}
        self.asked: Counter[str] = Counter()

    def say(self, name: str, *answers: Sequence[str]) -> None:
        self._answers[name] = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked[host] += 1
        answers = self._answers[host]
        return results(host, port, answers.pop(0) if len(answers) > 1 else answers[0], family)

    async def close(self) -> None:
        pass


class Leading(AbstractResolver):
    """Numbers in any spelling, and this machine's names, as the system reads them; all other names lead to `to`."""

    def __init__(self, to: str) -> None:
        self.to = to

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        flags = 0 if host.rstrip(".").lower() == "localhost" else socket.AI_NUMERICHOST
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM, flags=flags
            )
        except socket.gaierror:
            return results(host, port, [self.to], family)
        return results(host, port, [str(where[0]) for *_, where in found], family)

    async def close(self) -> None:
        pass


def results(name: str, port: int, addresses: Sequence[str], family: socket.AddressFamily) -> list[ResolveResult]:
    families = [(address, socket.AF_INET6 if ":" in address else socket.AF_INET) for address in addresses]
    return [
        ResolveResult(hostname=name, host=address, port=port, family=own, proto=0, flags=0)
        for address, own in families
        if family in (socket.AF_UNSPEC, own)
    ]


_watching: list[list[str]] = []


def _audit(event: str, args: tuple[object, ...]) -> None:
    if event == "socket.connect" and _watching and isinstance(args[1], tuple):
        _watching[-1].append(str(args[1][0]))


@contextmanager
def connects() -> Iterator[list[str]]:
    """The addresses that this process tries to connect to meanwhile, by the interpreter's own word (PEP 578).

    It sees what no listener can: attempts at addresses of other machines.
    """
    if _audit not in _hooks:
        sys.addaudithook(_audit)
        _hooks.append(_audit)
    _watching.append([])
    try:
        yield _watching[-1]
    finally:
        _watching.pop()


_hooks: list[object] = []
