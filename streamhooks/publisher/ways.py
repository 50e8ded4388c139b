"""By which connections a batch goes: one to a server, or one to each node of a cluster that has events of it.

Nothing here asks anybody. The publisher asks a node for the map of the slots when `asks` says so, and tells what came
of it; a node that sends us elsewhere has not taken the event, so that the next round may bring it there at once.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from redis.exceptions import AskError, ClusterDownError, MovedError, TryAgainError

from streamhooks.publisher.buffer import Item
from streamhooks.publisher.trouble import Trouble
from streamhooks.slots import Address, Whereabouts, is_cluster, node_url, nodes_of, slot_of

HERE: Final[Address] = ("", 0)
"""The one server of a URL that names no cluster."""
ROUNDS: Final = 5
"""Of one attempt: events may be sent on so often, and once more a moment later."""
ASK_FOR_SLOTS: Final = b"*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n"


class Share(Struct, frozen=True):
    """What goes over one connection in one round trip."""

    node: Address
    items: Sequence[Item]
    asking: bool = False
    """The node does not have the slot yet, but the stream: ASKING goes before each command."""


class Ways:
    """Of one publisher. Raises ValueError for a cluster's URL that is no address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cluster = Whereabouts(nodes_of(url)) if is_cluster(url) else None
        self._asking: dict[str, Address] = {}
        """Where a stream is that is on its way, for the next round."""
        self._elsewhere: list[Item] = []

    @property
    def first(self) -> Address:
        """Where a connection goes, whatever else is told later."""
        return nodes_of(self._url)[0] if self._cluster is not None else HERE

    @property
    def asks(self) -> Sequence[Address]:
        """The nodes to ask for the map before the next round, one after the other until one tells; mostly none."""
        return self._cluster.in_turn() if self._cluster is not None and self._cluster.doubted else ()

    def told(self, reply: Sequence[Any], node: Address) -> bool:
        return self._cluster is not None and self._cluster.learn(reply, node)

    def silent(self, node: Address) -> None:
        if self._cluster is not None:
            self._cluster.silent(node)

    def url_of(self, node: Address) -> str:
        return self._url if node == HERE else node_url(self._url, node)

    def shares(self, batch: Sequence[Item]) -> list[Share]:
        """Without what nobody is known to have: that is in trouble."""
        cluster = self._cluster
        if cluster is None:
            return [Share(HERE, batch)]
        found: dict[tuple[Address, bool], list[Item]] = {}
        for item in batch:
            there = self._asking.get(item.stream)
            node = there or cluster.owner(slot_of(item.stream.encode()))
            if node is None:
                item.trouble = Trouble("refusing", "takes no writes (no node of the cluster serves the stream's slot)")
            else:
                found.setdefault((node, there is not None), []).append(item)
        self._asking = {}
        return [Share(node, items, asking) for (node, asking), items in found.items()]

    @property
    def lost(self) -> bool:
        """Nothing is known of the cluster: no node has told."""
        return self._cluster is not None and not self._cluster.known

    def elsewhere(self) -> list[Item]:
        """What was sent on since this was asked."""
        found, self._elsewhere = self._elsewhere, []
        return found

    def sends_on(self, item: Item, node: Address, refusal: Exception) -> bool:
        """Whether another node is the one for this event."""
        cluster = self._cluster
        if cluster is None:
            return False
        if isinstance(refusal, ClusterDownError | TryAgainError):
            cluster.doubted = True
        if not isinstance(refusal, AskError):
            return False
        there = refusal.host or node[0], refusal.port
        if isinstance(refusal, MovedError):
            cluster.moved(slot_of(item.stream.encode()), there)
        else:
            self._asking[item.stream] = there
        item.trouble = Trouble("refusing", f"takes no writes (the cluster sends it from node to node: {refusal})")
        self._elsewhere.append(item)
        return True

    def broken(self) -> None:
        """A connection broke: its node may not be the one any more."""
        if self._cluster is not None:
            self._cluster.doubted = True
