"""What a worker says of itself: since its start and lately, gone a minute after the worker is."""

from streamhooks import __version__
from streamhooks.flow.snapshots import Snapshots
from streamhooks.store.connection import ask
from streamhooks.store.snapshots import HandlerSnapshot, Snapshot, forget, load, save
from tests.flow.rig import Rig
from tests.servers import Answer


async def test_a_snapshot_tells_what_was_done_since_the_start_and_lately(rig: Rig) -> None:
    rig.endpoint.script(503, Answer(delay=0.03))
    async with rig.working(rig.handler()) as worker:
        snapshots = Snapshots("w")
        await rig.publish_many(3)
        await rig.settled(delivered=3)
        first = snapshots.take(worker.lanes).handlers["h"]
        await rig.publish("again")
        await rig.settled(delivered=4)
        second = snapshots.take(worker.lanes).handlers["h"]
        third = snapshots.take(worker.lanes).handlers["h"]
    assert (first.delivered, first.stored, first.attempts, first.failures) == (3, 1, 4, 1)
    assert (second.delivered, second.failures, second.breaker, second.in_flight) == (4, 1, "closed", 0)
    assert first.per_second > 0
    assert 0.025 <= second.p50 <= second.p99 <= 1
    assert (third.delivered, third.per_second, third.p50, third.p99) == (4, 0.0, 0.0, 0.0)


async def test_a_snapshot_is_read_as_it_was_written_and_lives_for_a_minute(rig: Rig) -> None:
    written = Snapshot("w-1", __version__, 12, {"a": HandlerSnapshot(delivered=3, p99=0.5), "b": HandlerSnapshot()})
    await save(rig.redis, rig.keys, written)
    assert await load(rig.redis, rig.keys, ["w-1", "nobody"]) == [written]
    assert 55 <= await ask(rig.redis, "TTL", rig.keys.worker("w-1")) <= 60
    await forget(rig.redis, rig.keys, "w-1")
    assert await load(rig.redis, rig.keys, ["w-1"]) == []


async def test_a_worker_writes_its_snapshot_when_it_starts_and_takes_it_along(rig: Rig) -> None:
    async with rig.working(rig.handler()) as worker:
        await rig.publish("abc")
        await rig.settled(delivered=1)
        (found,) = await load(rig.redis, rig.keys, [worker.consumer])
        assert found.handlers.keys() == {"h"}
    assert await load(rig.redis, rig.keys, [worker.consumer]) == []
