"""Publishers, for asyncio and for threads: each event goes to the node that has its partition."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from streamhooks import Publisher
from streamhooks.errors import PublishError, StoreError
from streamhooks.store.connection import ask
from streamhooks.sync import Publisher as SyncPublisher
from tests.cluster.rig import PARTITIONS, STREAMS, ClusterRig, api_of
from tests.waiting import eventually


def event(partition: int, number: int = 0) -> Mapping[str, Any]:
    return {"type": "AuthFailure", "api_id": api_of(partition), "meta": {"Key": f"k{number}:{partition}"}}


def events(count: int) -> list[Mapping[str, Any]]:
    return [event(partition, number) for number in range(count) for partition in range(PARTITIONS)]


async def lengths(rig: ClusterRig) -> list[int]:
    return [await ask(rig.redis, "XLEN", stream) for stream in STREAMS]


async def test_each_event_has_the_id_of_its_entry(rig: ClusterRig) -> None:
    async with Publisher(rig.url, partitions=PARTITIONS) as publisher:
        ids = await publisher.publish_many(events(400))
    assert await lengths(rig) == [400] * PARTITIONS
    for number, id in enumerate(ids[:6]):
        ((_, fields),) = await ask(rig.redis, "XRANGE", STREAMS[number % PARTITIONS], id, id)
        assert f"k{number // PARTITIONS}:{number % PARTITIONS}".encode() in fields[b"d"]


async def test_threads_publish_likewise(rig: ClusterRig) -> None:
    def publish() -> list[str]:
        with SyncPublisher(rig.url, partitions=PARTITIONS) as publisher:
            publisher.put(**event(1))
            return publisher.publish_many(events(400))

    ids = await asyncio.to_thread(publish)
    assert len(set(ids)) >= 400
    assert await lengths(rig) == [400, 401, 400]


async def test_a_slot_that_moves_takes_events_before_during_and_after(rig: ClusterRig) -> None:
    """Each call has one attempt: the cluster sends it on at once."""
    stream = STREAMS[0]
    with SyncPublisher(rig.url, partitions=PARTITIONS, patience=0) as threads:
        async with Publisher(rig.url, partitions=PARTITIONS, patience=0) as publisher:

            async def publish() -> None:
                await publisher.publish_many(events(2))
                await asyncio.to_thread(threads.publish_many, events(2))

            await publish()
            async with rig.cluster.moving(stream):
                await publish()
            await publish()
            async with rig.cluster.moving(stream):
                await publish()
            await publish()
    assert await lengths(rig) == [20] * PARTITIONS


async def test_replicas_are_asked_at_the_node_of_each_event(rig: ClusterRig) -> None:
    followed = await rig.cluster.followed()
    (partition,) = [n for n, stream in enumerate(STREAMS) if await rig.cluster.owner(stream) is followed]
    async with Publisher(rig.url, partitions=PARTITIONS, replica_timeout=0.2) as publisher:
        await publisher.publish(**event(partition), replicas=1)
        with pytest.raises(PublishError) as caught:
            await publisher.publish(**event((partition + 1) % PARTITIONS), replicas=1)
    assert caught.value.kind == "replicas"


async def test_a_node_that_dies_holds_up_its_own_events_until_its_replica_has_taken_over(rig: ClusterRig) -> None:
    followed = await rig.cluster.followed()
    (partition,) = [n for n, stream in enumerate(STREAMS) if await rig.cluster.owner(stream) is followed]
    with SyncPublisher(rig.url, partitions=PARTITIONS) as threads:
        async with Publisher(rig.url, partitions=PARTITIONS) as publisher:
            await publisher.publish_many(events(1))
            await asyncio.to_thread(threads.publish_many, events(1))
            await rig.cluster.replicated()
            await followed.kill()
            await publisher.publish(**event((partition + 1) % PARTITIONS))
            await asyncio.gather(publisher.publish_many(events(1)), asyncio.to_thread(threads.publish_many, events(1)))

    async def all_there() -> bool:
        try:
            return min(await lengths(rig)) >= 4
        except StoreError:  # this client has not heard of the node's death before it asks
            return False

    await eventually(all_there, saying="what was published is in the streams")


async def test_a_cluster_that_is_away_is_told_in_words() -> None:
    async with Publisher("redis+cluster://127.0.0.1:1,127.0.0.1:2", partitions=3, patience=0) as publisher:
        with pytest.raises(PublishError) as caught:
            await publisher.publish(**event(0))
    assert (caught.value.kind, caught.value.place) == ("away", "redis+cluster://127.0.0.1:1,127.0.0.1:2")
