"""The whole journey over three partitions, each on a node of its own."""

from tests.cluster.rig import PARTITIONS, STREAMS, ClusterRig
from tests.servers import Answer
from tests.waiting import eventually


async def test_the_partitions_are_on_three_nodes(rig: ClusterRig) -> None:
    assert len({(await rig.cluster.owner(stream)).port for stream in STREAMS}) == PARTITIONS


async def test_events_of_every_partition_are_delivered_once(rig: ClusterRig) -> None:
    async with rig.working(rig.handler()) as worker:
        await rig.publish_everywhere(20)
        await rig.settled(delivered=60)
        assert worker.figures.redeliveries == 0
    assert sorted(rig.arrived) == sorted(f"k{number}:{partition}" for number in range(20) for partition in range(3))
    assert not rig.records.of("redis_away", "redis_error", "redis_refuses_writes", "group_made_again")


async def test_a_retry_is_stored_and_made_where_its_event_is(rig: ClusterRig) -> None:
    rig.endpoint.script(*[503] * 6, 200)
    async with rig.working(rig.handler()):
        await rig.publish_everywhere(2)
        await rig.settled(delivered=6)
    assert len(rig.endpoint.received) == 12


async def test_duplicates_meet_in_their_partition(rig: ClusterRig) -> None:
    rig.endpoint.script(Answer(delay=0.05))
    async with rig.working(rig.handler(event_timeout=30)):
        for _ in range(3):
            await rig.publish_everywhere(1)
        await rig.settled(delivered=3, suppressed=6)
    assert len(rig.endpoint.received) == 3


async def test_several_handlers_of_an_entry_have_receipts_beside_it(rig: ClusterRig) -> None:
    rig.endpoint.script(200)
    async with rig.working(rig.handler("a"), rig.handler("b", event_timeout=10)):
        await rig.publish_everywhere(2)
        await rig.settled(delivered=12)


async def test_a_worker_takes_over_what_another_left_on_every_node(rig: ClusterRig) -> None:
    rig.endpoint.script(*[Answer(then="hang")] * 3, 200)
    async with rig.doomed(rig.handler()):
        await rig.publish_everywhere(1)
        await eventually(lambda: rig.endpoint.at_once == 3)
    async with rig.working(rig.handler()) as worker:
        await rig.settled(delivered=3)
        assert worker.figures.redeliveries == 3
