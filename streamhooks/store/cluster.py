"""A Redis Cluster behind the face of one client: each command goes to the node that has its key's slot.

Strategy: a plain client for each node, and a map of the slots that is asked for when it is first needed and again when
something contradicts it. No command is looked up in the server: ours have their key in one of four places. So a command
costs what it costs on one server, and whoever asks one partition need not know that others lie elsewhere.

Laws: a command is repeated only where it is known that it did not run: the cluster has said so (MOVED, ASK, TRYAGAIN,
CLUSTERDOWN), or nobody listens at the node. After a connection that broke it is not known, and that is the caller's to
decide, as on one server. The map is asked for at a bounded rate, of one node after the other, so that a node with an
old view does not mislead for long.

Raises what redis-py raises; connection.py makes StoreErrors of it.
"""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from redis import exceptions
from redis.asyncio import ConnectionPool, Redis

from streamhooks.connecting.address import Node
from streamhooks.connecting.slots import Whereabouts, slot_of

Open: TypeAlias = Callable[[Node], Redis]
"""Makes a client of one node, which connects when it is first used."""
ASK_AGAIN = 0.2
"""Seconds between two questions for the map, at least."""
ANSWER_WITHIN = 2.0
"""Seconds that a node is given to tell it, connecting included."""
HOPS = 5
"""Redirections that one command follows; after a move that is being told around there are two."""
PATIENCE = 1.0
"""Seconds that a command is tried again for while the cluster says that it did not run it."""
PAUSE = 0.05
_LOST = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ReadOnlyError, OSError, RuntimeError)
"""What may mean that a node is not the owner any more; RuntimeError is uvloop's word for a reset connection."""
_REFUSED = f"Error {errno.ECONNREFUSED} connecting"
"""How redis-py begins where nobody listens at a node: nothing was sent to it."""


class Topology:
    """What is known of one cluster; the clients of a process share it."""

    def __init__(self, seeds: Sequence[Node], opener: Open) -> None:
        self._open = opener
        self._known = Whereabouts(seeds)
        self._asked = -ASK_AGAIN
        self._asking = asyncio.Lock()

    async def owner(self, slot: int) -> Node:
        """The node that has a slot. Raises ClusterDownError where nobody has, else what asking raised."""
        if self._known.doubted and time.monotonic() - self._asked >= ASK_AGAIN:
            await self._look()
        found = self._known.owner(slot)
        if found is None:
            raise exceptions.ClusterDownError(f"no node of the cluster serves slot {slot}")
        return found

    async def owners(self) -> tuple[Node, ...]:
        """The nodes that have slots. Raises as `owner` does."""
        await self.owner(0)
        return self._known.owners

    @property
    def nodes(self) -> frozenset[Node]:
        """All that are known now."""
        return self._known.nodes

    def moved(self, slot: int, node: Node) -> None:
        """A node has said who has the slot now; what else has moved is asked for soon."""
        self._known.moved(slot, node)
        self._asked = time.monotonic()

    def doubt(self) -> None:
        """Something went wrong that may be because the map is old."""
        self._known.doubted = True

    async def _look(self) -> None:
        """Asks one node after the other. Raises what the last one raised where none tells and nothing is known."""
        async with self._asking:
            if not self._known.doubted or time.monotonic() - self._asked < ASK_AGAIN:
                return
            failure: Exception = exceptions.ClusterDownError("no node of the cluster has any slots")
            for node in self._known.in_turn():
                try:
                    if self._known.learn(await self._told_by(node), node):
                        break
                except (exceptions.RedisError, OSError, RuntimeError) as error:
                    failure = error
                    self._known.silent(node)
            self._asked = time.monotonic()
            if not self._known.known:
                raise failure

    async def _told_by(self, node: Node) -> Sequence[Any]:
        client = self._open(node)
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                answer: Awaitable[Sequence[Any]] = client.execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                return await answer
        except TimeoutError:
            raise exceptions.TimeoutError(f"{node} does not answer") from None
        finally:
            await client.aclose()


class Cluster(Redis):
    """A client of all nodes. Of what a Redis can do, only single commands with a key, and those of any node (INFO)."""

    def __init__(self, topology: Topology, opener: Open) -> None:
        # Its own pool connects to nobody: the nodes have theirs.
        super().__init__(connection_pool=ConnectionPool(max_connections=1))
        self.topology = topology
        self._open_node = opener
        self._nodes: dict[Node, Redis] = {}

    def __repr__(self) -> str:
        return f"<Cluster of {len(self.topology.nodes)} nodes>"

    async def execute_command(self, *words: Any, **options: Any) -> Any:
        key = key_of(words)
        slot = 0 if key is None else slot_of(key.encode() if isinstance(key, str) else key)
        until = time.monotonic() + PATIENCE
        there: Node | None = None
        """Where the slot is on its way to, and the key is already."""
        hops = 0
        while hops < HOPS:
            owner = there or await self.topology.owner(slot)
            try:
                if there is None:
                    return await (await self._node(owner)).execute_command(*words, **options)  # type: ignore[no-untyped-call]  # as above
                return await self._asking(there, words, options)
            except exceptions.MovedError as moved:
                self.topology.moved(slot, Node(moved.host or owner.host, moved.port))
                there, hops = None, hops + 1
            except exceptions.AskError as ask:
                there, hops = Node(ask.host or owner.host, ask.port), hops + 1
            except (exceptions.ClusterDownError, exceptions.TryAgainError):
                self.topology.doubt()
                if time.monotonic() >= until:
                    raise
                there = None
                await asyncio.sleep(PAUSE)
            except _LOST as error:
                self.topology.doubt()
                if not str(error).startswith(_REFUSED) or time.monotonic() >= until:
                    raise
                there = None
                await asyncio.sleep(PAUSE)
        raise exceptions.ClusterDownError(f"the nodes do not agree on who serves slot {slot}")

    async def servers(self) -> list[Redis]:
        """A client of each node that has slots. Raises what asking for them raised."""
        return [await self._node(address) for address in await self.topology.owners()]

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        nodes, self._nodes = self._nodes, {}
        for node in nodes.values():
            await node.aclose(close_connection_pool)
        await super().aclose(close_connection_pool)

    async def _asking(self, node: Node, words: Sequence[Any], options: dict[str, Any]) -> Any:
        """The node runs one command for a slot that it does not have yet, after ASKING on the same connection."""
        pipeline = (await self._node(node)).pipeline(transaction=False)
        pipeline.execute_command("ASKING")
        pipeline.execute_command(*words, **options)
        answer = (await pipeline.execute(raise_on_error=False))[1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _node(self, address: Node) -> Redis:
        found = self._nodes.get(address)
        if found is not None:
            return found
        # Before anything is waited for: somebody else may want it, too.
        found = self._nodes[address] = self._open_node(address)
        for gone in self._nodes.keys() - {*self.topology.nodes, address}:
            # Kept, for what is in use there is closed with us.
            await self._nodes[gone].connection_pool.disconnect(inuse_connections=False)
        return found


def key_of(words: Sequence[Any]) -> str | bytes | None:
    """The key of a command of ours, or the first of several; None: any node may answer."""
    match words[0]:
        case "INFO" | "PING":
            return None
        case "EVALSHA" | "EVAL":
            if not int(words[2]):
                return None
            at = 3
        case "XREADGROUP" | b"XREADGROUP" | "XREAD":
            at = -2  # of one stream, as all of ours are
        case _:
            at = 1
    key: str | bytes = words[at]
    return key
