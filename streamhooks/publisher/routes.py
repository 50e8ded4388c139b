"""By which connections a batch goes: one to a server, or one to each node of a cluster that has events of it.

Nothing here asks anybody. The publisher asks a node for the map of the slots when `asks` says so, and tells what came
of it; a node that sends us elsewhere has not taken the event, so that the next round may bring it there at once.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from redis.exceptions import AskError, ClusterDownError, MovedError, TryAgainError

from streamhooks.connecting.address import Address, Node
from streamhooks.connecting.slots import Whereabouts, slot_of
from streamhooks.publisher.buffer import Item
from streamhooks.publisher.trouble import Trouble

HERE: Final = Node("", 0)
"""The one server of an address that is no cluster."""
ROUNDS: Final = 5
"""Of one attempt: events may be sent on so often, and once more a moment later."""
ASK_FOR_SLOTS: Final = b"*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n"


class Share(Struct, frozen=True):
    """What goes over one connection in one round trip."""

    node: Node
    items: Sequence[Item]
    asking: bool = False
    """The node does not have the slot yet, but the stream: ASKING goes before each command."""


class Routes:
    """Of one publisher."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._cluster = Whereabouts(address.nodes) if address.form == "cluster" else None
        self._asking: dict[str, Node] = {}
        """Where a stream is that is on its way, for the next round."""
        self._elsewhere: list[Item] = []

    @property
    def asks(self) -> Sequence[Node]:
        """The nodes to ask for the map before the next round, one after the other until one tells; mostly none."""
        return self._cluster.in_turn() if self._cluster is not None and self._cluster.doubted else ()

    def told(self, reply: Sequence[Any], node: Node) -> bool:
        return self._cluster is not None and self._cluster.learn(reply, node)

    def silent(self, node: Node) -> None:
        if self._cluster is not None:
            self._cluster.silent(node)

    def address(self, node: Node) -> Address:
        return self._address if node == HERE else self._address.at(node)

    def shares(self, batch: Sequence[Item]) -> list[Share]:
        """Without what nobody is known to have: that is in trouble."""
        cluster = self._cluster
        if cluster is None:
            return [Share(HERE, batch)]
        found: dict[tuple[Node, bool], list[Item]] = {}
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

    def sends_on(self, item: Item, node: Node, refusal: Exception) -> bool:
        """Whether another node is the one for this event."""
        cluster = self._cluster
        if cluster is None:
            return False
        if isinstance(refusal, ClusterDownError | TryAgainError):
            cluster.doubted = True
        if not isinstance(refusal, AskError):
            return False
        there = Node(refusal.host or node.host, refusal.port)
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
