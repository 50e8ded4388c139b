"""The cluster changes while events are delivered: slots move, nodes die, and nothing is lost."""

import asyncio
from collections.abc import Callable

from tests.cluster.rig import PARTITIONS, STREAMS, ClusterRig
from tests.servers import Answer
from tests.waiting import eventually


async def test_a_slot_that_moves_during_delivery_loses_nothing(rig: ClusterRig) -> None:
    rig.endpoint.script(Answer(delay=0.02))
    async with rig.working(rig.handler(event_timeout=10), rig.handler("b")):
        await rig.publish_everywhere(20, "before")
        async with rig.cluster.moving(STREAMS[0]):
            await rig.publish_everywhere(20, "meanwhile")
        await rig.publish_everywhere(20, "after")
        await rig.settled(delivered=2 * 3 * 60)
        async with rig.cluster.moving(STREAMS[0]):
            pass
        await rig.publish_everywhere(1, "back")
        await rig.settled(delivered=2 * 3 * 61)
    assert len(set(rig.arrived)) == 3 * 61
    assert not rig.records.of("redis_error")


async def test_a_slot_is_served_while_its_move_takes_long(rig: ClusterRig) -> None:
    """Events are taken meanwhile; what needs several keys of the slot waits, as the cluster's rules have it."""
    async with rig.working(rig.handler()):
        await rig.publish_everywhere(1, "before")
        await rig.settled(delivered=3)
        async with rig.cluster.moving(STREAMS[1]):
            await rig.publish_everywhere(3)
            await eventually(lambda: len(rig.arrived) >= 3 + 6)
            await eventually(lambda: rig.records.of("redis_refuses_writes"))
            assert await rig.pending(STREAMS[1]) == 3, "an acknowledgement is one of those"
        await rig.settled(delivered=12)
    assert rig.records.of("redis_takes_writes_again")


async def test_a_primary_that_dies_is_followed_by_its_replica_and_what_was_replicated_is_delivered(
    rig: ClusterRig, record_property: Callable[[str, object], None]
) -> None:
    cluster = rig.cluster
    primary = await cluster.followed()
    (partition,) = [n for n, stream in enumerate(STREAMS) if await cluster.owner(stream) is primary]
    rig.endpoint.script(*[Answer(then="hang")] * 12, 200)
    clock = asyncio.get_running_loop().time
    async with rig.working(rig.handler()):
        await rig.publish_everywhere(4, "before")
        await eventually(lambda: rig.endpoint.at_once == 12)
        await cluster.replicated()
        await primary.kill()
        died = clock()
        rig.endpoint.release()
        await rig.publish_to((partition + 1) % PARTITIONS, "elsewhere")
        await eventually(lambda: "elsewhere" in rig.arrived)
        await eventually(lambda: rig.taken(partition, "after"), 10.0)
        await eventually(lambda: "after" in rig.arrived, 10.0)
        recovered = clock() - died
        record_property("recovery", recovered)
        assert recovered < 10.0
        await rig.settled(delivered=14)
    wanted = {f"before{number}:{at}" for number in range(4) for at in range(PARTITIONS)}
    record_property("lost", len(wanted - set(rig.arrived)))
    record_property("duplicates", len(rig.arrived) - len(set(rig.arrived)))
    assert set(rig.arrived) >= wanted
    assert len(rig.records.of("redis_away", "redis_refuses_writes")) <= 4, "an outage is told once, not by each loop"
