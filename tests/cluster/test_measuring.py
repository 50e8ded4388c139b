"""`streamhooks bench` on a cluster: its figures are those of all nodes, and nothing of it stays on any."""

from streamhooks.bench.gauge import gauge
from streamhooks.bench.ground import ground, handler
from streamhooks.store.connection import ask
from tests.cluster.rig import PARTITIONS, ClusterRig


async def test_every_partition_is_delivered_and_measured_and_nothing_is_left(rig: ClusterRig) -> None:
    noted = {"journal": "all"}
    async with ground(rig.url) as here, here.field([handler()], partitions=PARTITIONS, worker=noted) as field:
        before = await gauge(here.client)
        await field.fill(30)
        assert [await ask(here.client, "XLEN", keys.stream) for keys in field.parts] == [10] * PARTITIONS
        async with field.worker(until_idle=True) as worker:
            await worker.ended()
        await field.lost_nothing(30)
        assert [await ask(here.client, "XLEN", keys.journal) for keys in field.parts] == [10] * PARTITIONS
        spent = (await gauge(here.client)).since(before)
        assert spent.received > 30 * 150 < spent.sent, "the events are among what was sent to and fro"
        assert spent.cpu > 0
    assert [name async for name in rig.names() if "bench" in name] == []
