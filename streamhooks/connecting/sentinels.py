"""Who is the primary: which sentinel is asked next, what its answer means, and what is said when none helps. No I/O.

A sentinel may be down, know nothing of the service, or be cut off from the others and name a primary of yesterday. So
all of them are asked in turn until one names a server that can be reached and says of itself that it is the primary;
that sentinel is the first to be asked the next time. What each said is told where none did.

A failover by order leaves the old primary alive, and for some eight seconds it takes writes that are lost (sentinel.c
demotes it only then). So whoever uses a connection asks again every second whether it still leads to the primary.
"""

from typing import Any, Final

from redis import exceptions

from streamhooks.connecting.address import Node
from streamhooks.connecting.troubles import trouble_of

ASK_TIMEOUT: Final = 1.0
"""Seconds that one sentinel has to be connected to, and again to answer; it does nothing else that takes time."""
ASK_EVERY: Final = 1.0
"""Seconds between two looks whether the primary is still the same."""
SERVER_TIMEOUT: Final = 3.0
"""Seconds to connect to the server that it names: one that is gone says nothing, and soon another is the primary."""


class Sentinels:
    """Those of one service, in the order in which they are asked."""

    def __init__(self, nodes: tuple[Node, ...], service: str) -> None:
        self.nodes = list(nodes)
        self.service = service
        self._asked = float("-inf")

    def was_right(self, node: Node, now: float) -> None:
        """`now` in seconds, on any clock that does not go back."""
        self.nodes.remove(node)
        self.nodes.insert(0, node)
        self._asked = now

    def due(self, now: float) -> bool:
        """Whether it is time to ask again; whoever asks this does so, and nobody beside him."""
        if now - self._asked < ASK_EVERY:
            return False
        self._asked = now
        return True


class Search:
    """One search for the primary: `sentinels` gives whom to ask, then tell it what came of that."""

    def __init__(self, sentinels: Sentinels) -> None:
        self._service = sentinels.service
        self.sentinels = tuple(sentinels.nodes)
        self._tried: dict[Node, str] = {}
        """Servers that were named, and what was wrong with each."""
        self._said: list[str] = []
        self._denied = 0

    def named(self, sentinel: Node, answer: Any) -> Node | None:
        """The server to try; None: it named none, or one that was tried."""
        if not answer:
            self._said.append(f"{sentinel} does not know the name")
            return None
        host, port = (word.decode() if isinstance(word, bytes) else str(word) for word in answer)
        node = Node(host, int(port))
        if node in self._tried:
            self._said.append(f"{sentinel} names {node} as well")
            return None
        self._tried[node] = ""
        return node

    def silent(self, sentinel: Node, error: Exception) -> None:
        """It gave no answer, but this error."""
        trouble = trouble_of(error)
        if trouble.kind == "denied":
            self._denied += 1
            self._said.append(f"{sentinel} wants another password ({trouble.said}): name it by ?sentinel_password=")
        else:
            self._said.append(f"{sentinel} gives no answer ({trouble.said})")

    def unreached(self, sentinel: Node, server: Node, error: Exception) -> None:
        self._said.append(f"{sentinel} names {server}, which cannot be reached ({trouble_of(error).said})")

    def replica(self, sentinel: Node, server: Node) -> None:
        self._said.append(f"{sentinel} names {server}, which says that it is a replica")

    def trouble(self) -> exceptions.ConnectionError:
        said = f"no sentinel leads to a primary called {self._service}: {'; '.join(self._said)}"
        if self._denied == len(self.sentinels):
            return exceptions.AuthenticationError(said)
        return exceptions.ConnectionError(said)


def question(service: str) -> tuple[str, ...]:
    """The command that a sentinel is asked."""
    return "SENTINEL", "GET-MASTER-ADDR-BY-NAME", service


def is_replica(replication: bytes | str) -> bool:
    """By its INFO replication."""
    return b"role:slave" in (replication.encode() if isinstance(replication, str) else replication)
