"""A Redis Cluster of local processes: three primaries, one of which has a replica; slots are moved and nodes killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from streamhooks.connecting.slots import SLOTS, slot_of
from tests.faults.engines import Engine
from tests.faults.server import Server
from tests.ports import free_port
from tests.waiting import eventually

NODE_TIMEOUT = 1000
"""Milliseconds until a node that is silent is held to have failed."""


class LocalCluster:
    """`async with LocalCluster(engine, folder) as cluster:`; serves every slot when entered."""

    def __init__(self, engine: Engine, folder: Path, **options: str) -> None:
        own = {
            "cluster_enabled": "yes", "cluster_node_timeout": str(NODE_TIMEOUT), "repl_ping_replica_period": "1",
            "cluster_allow_replica_migration": "no", "cluster_replica_validity_factor": "0",
        } | options  # fmt: skip
        self._bus = [str(free_port()) for _ in range(4)]
        self.nodes = [
            Server(engine, folder / str(number), aof=False, cluster_port=bus, **own)
            for number, bus in enumerate(self._bus)
        ]
        self.primaries, self.replica = self.nodes[:3], self.nodes[3]
        self._home: dict[int, Server] = {}
        """Of slots that were moved, a node that had them, or followed the one that had."""
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        """It names two of the nodes."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port},127.0.0.1:{self.nodes[1].port}"

    async def __aenter__(self) -> "LocalCluster":
        try:
            async with asyncio.TaskGroup() as starting:
                for node in self.nodes:
                    starting.create_task(self._stack.enter_async_context(node))
            for number, node in enumerate(self.primaries):
                first, last = (SLOTS * at // 3 for at in (number, number + 1))
                await node.ask("CLUSTER", "ADDSLOTSRANGE", first, last - 1)
                await node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            for node, bus in zip(self.nodes, self._bus, strict=True):
                await self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
            await eventually(self._complete, 10.0, "all nodes know each other")
            await self.replica.ask("CLUSTER", "REPLICATE", await self._id(self.primaries[2]))
            await eventually(self.well, 10.0, "every node serves, and the replica is in step")
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def heal(self) -> None:
        """Starts again what was killed, brings slots back that were moved, and waits until all is well."""
        for node in self.nodes:
            if not node.is_up:
                await node.start()
        await eventually(self.well, 10.0, "every node serves, and the replica is in step")
        for slot, home in list(self._home.items()):
            async with self._moving(slot, await self._primary(home)):
                pass
        self._home.clear()

    async def well(self) -> bool:
        """Every node serves, and the replica is in step."""
        info = [await self._info(node) for node in self.nodes]
        replicas = [node for node in self.nodes if (await node.ask("ROLE"))[0] == b"slave"]
        return all(one["cluster_state"] == "ok" for one in info) and all(
            [await replica.is_in_step() for replica in replicas]
        )

    @asynccontextmanager
    async def moving(self, key: str) -> AsyncIterator[None]:
        """Moves the key's slot to another node as redis-cli does it. In the block its keys are there, and ASK alone
        says so.
        """
        slot, source = slot_of(key.encode()), await self.owner(key)
        self._home.setdefault(slot, source)
        (target, *_) = [n for n in self.nodes if n is not source and (await n.ask("ROLE"))[0] == b"master"]
        async with self._moving(slot, target):
            yield

    @asynccontextmanager
    async def _moving(self, slot: int, target: Server) -> AsyncIterator[None]:
        source = await self._owner(slot)
        if source is target:
            yield
            return
        await target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", await self._id(source))
        await source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", await self._id(target))
        while names := await source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            await source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *names)
        try:
            yield
        finally:
            for node in (target, source):
                await node.ask("CLUSTER", "SETSLOT", slot, "NODE", await self._id(target))

    async def _primary(self, node: Server) -> Server:
        """The node, or whoever has taken over from it."""
        role = await node.ask("ROLE")
        return node if role[0] == b"master" else next(one for one in self.nodes if one.port == role[2])

    async def owner(self, key: str) -> Server:
        """The node that has the key's slot."""
        return await self._owner(slot_of(key.encode()))

    async def _owner(self, slot: int) -> Server:
        for node in self.nodes:
            if node.is_up and await self._has(node, slot):
                return node
        raise AssertionError(f"nobody has slot {slot}")

    async def followed(self) -> Server:
        """The primary that has a replica."""
        (found,) = [n for n in self.nodes if (await n.ask("INFO", "replication"))["connected_slaves"]]
        return found

    async def replicated(self) -> None:
        """Returns once the replica has all that its primary has now."""
        primary = await self.followed()
        wanted = (await primary.ask("INFO", "replication"))["master_repl_offset"]

        async def reached() -> bool:
            told = await primary.ask("INFO", "replication")
            return bool(told["slave0"]["offset"] >= wanted)

        await eventually(reached, 5.0, "the replica has what its primary had")

    async def _has(self, node: Server, slot: int) -> bool:
        for first, last, (_, port, *_), *_ in await node.ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return bool(port == node.port)
        return False

    async def _complete(self) -> bool:
        return all([(await self._info(node))["cluster_known_nodes"] == "4" for node in self.nodes])

    async def _info(self, node: Server) -> dict[str, Any]:
        found: dict[str, Any] = await node.ask("CLUSTER INFO")
        return found

    async def _id(self, node: Server) -> str:
        found: bytes | str = await node.ask("CLUSTER", "MYID")
        return found.decode() if isinstance(found, bytes) else found
