"""Redis Cluster as rules: the slot of a key, and who has which slot.

The hash, the slots and the redirections are those of the cluster specification,
https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/. All keys of one partition share a hash tag
and so a slot: whoever asks for one of them can be served by one node, whatever else he asks for of that partition.
"""

from binascii import crc_hqx
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from streamhooks.connecting.address import Node

SLOTS = 16384


def slot_of(key: bytes) -> int:
    """By the hash tag, the part between the first `{` and the next `}`, or by the whole key where it has none."""
    begin = key.find(b"{")
    end = key.find(b"}", begin + 1)
    if begin >= 0 and end > begin + 1:
        key = key[begin + 1 : end]
    return crc_hqx(key, 0) % SLOTS


class SlotMap(Struct, frozen=True):
    """Who has which slots, as one node tells it."""

    firsts: tuple[int, ...] = ()
    """The first slot of each range, ascending."""
    ranges: tuple[tuple[int, Node], ...] = ()
    """Of each, its last slot and the node that has it."""
    nodes: tuple[Node, ...] = ()
    """Every node that is told of, replicas too."""

    @classmethod
    def read(cls, reply: Sequence[Any], asked: Node) -> "SlotMap":
        """The answer to CLUSTER SLOTS of the node at `asked`, as bytes; a node that names no host means that one."""
        ranges = sorted((first, last, [_node(node, asked) for node in nodes]) for first, last, *nodes in reply)
        return cls(
            tuple(first for first, _, _ in ranges),
            tuple((last, nodes[0]) for _, last, nodes in ranges),
            tuple(dict.fromkeys(node for _, _, nodes in ranges for node in nodes)),
        )

    @property
    def owners(self) -> tuple[Node, ...]:
        """The nodes that have slots, each once."""
        return tuple(dict.fromkeys(owner for _, owner in self.ranges))

    def owner(self, slot: int) -> Node | None:
        """None: nobody has it."""
        at = bisect_right(self.firsts, slot) - 1
        if at < 0 or self.ranges[at][0] < slot:
            return None
        return self.ranges[at][1]


class Whereabouts:
    """What is known of one cluster: a map, what redirections have said since, and whom to ask for a newer one."""

    def __init__(self, seeds: Sequence[Node]) -> None:
        self._seeds = tuple(seeds)
        self._map = SlotMap()
        self._moved: dict[int, Node] = {}
        self._silent: set[Node] = set()
        """Who did not tell when he was last asked."""
        self._turn = 0
        self.doubted = True
        """A newer map is to be asked for."""

    @property
    def known(self) -> bool:
        return bool(self._map.ranges)

    @property
    def owners(self) -> tuple[Node, ...]:
        return self._map.owners

    @property
    def nodes(self) -> frozenset[Node]:
        """All that have been told of."""
        return frozenset((*self._map.nodes, *self._moved.values()))

    def owner(self, slot: int) -> Node | None:
        """None: nobody is known to have it."""
        return self._moved.get(slot) or self._map.owner(slot)

    def in_turn(self) -> list[Node]:
        """Whom to ask: a different one first each time, and who was silent at the end."""
        nodes = list(dict.fromkeys((*self._map.nodes, *self._seeds)))
        self._turn = (self._turn + 1) % len(nodes)
        return sorted(nodes[self._turn :] + nodes[: self._turn], key=self._silent.__contains__)

    def silent(self, node: Node) -> None:
        """The node did not tell."""
        self._silent.add(node)

    def learn(self, reply: Sequence[Any], asked: Node) -> bool:
        """From the answer to CLUSTER SLOTS; False where that node knows nothing."""
        self._silent.discard(asked)
        found = SlotMap.read(reply, asked)
        if found.ranges:
            self._map, self._moved, self.doubted = found, {}, False
        return bool(found.ranges)

    def moved(self, slot: int, node: Node) -> None:
        """A node has said who has the slot now; others may have moved with it."""
        self._moved[slot] = node
        self.doubted = True


def _node(node: Sequence[Any], asked: Node) -> Node:
    host = node[0].decode() if node[0] else ""
    return Node(host or asked.host, int(node[1]))
