"""What a server has spent, carried and holds, as its INFO tells: of a cluster, all of its nodes together.

The server counts for everybody: where somebody else uses it meanwhile, that is in the figures, too.
"""

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.connection import ask, servers


class Gauge(Struct, frozen=True):
    """One look, or what has come between two."""

    cpu: float
    """Seconds of user and system time of the server's process, all of its threads."""
    received: float
    """Bytes that clients have sent to it."""
    sent: float
    """Bytes that it has sent, to clients and replicas."""
    memory: float
    """Bytes that it has allocated: `used_memory`."""
    clients: float
    """Connections of clients, ours too."""

    def since(self, before: "Gauge") -> "Gauge":
        return Gauge(
            self.cpu - before.cpu, self.received - before.received, self.sent - before.sent,
            self.memory - before.memory, self.clients - before.clients,
        )  # fmt: skip

    def by(self, count: int) -> "Gauge":
        """Of one of so many."""
        return Gauge(
            self.cpu / count, self.received / count, self.sent / count, self.memory / count, self.clients / count
        )  # fmt: skip


async def gauge(client: Redis) -> Gauge:
    """Raises StoreError."""
    cpu = received = sent = memory = clients = 0.0
    for server in await servers(client):
        told = await ask(server, "INFO", "everything")
        cpu += float(told["used_cpu_user"]) + float(told["used_cpu_sys"])
        received += int(told["total_net_input_bytes"])
        sent += int(told["total_net_output_bytes"])
        memory += int(told["used_memory"])
        clients += int(told["connected_clients"])
    return Gauge(cpu, received, sent, memory, clients)
