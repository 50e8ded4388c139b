"""The number of partitions changes: what lies in streams that nobody reads any more is told of, and nothing is lost."""

import pytest

from streamhooks.store import leftover
from streamhooks.store.connection import ask
from tests.doors.command import Ran, command
from tests.flow.rig import STREAM, Rig
from tests.waiting import eventually

BEFORE, AFTER = "events before", "events after"


async def published(rig: Rig, stream: str, key: str) -> None:
    await ask(rig.redis, "XADD", stream, "*", "type", "AuthFailure", "key", key)


async def status(rig: Rig, partitions: int) -> Ran:
    return await command("status", "--config", rig.written(rig.handler(), stream={"partitions": partitions}))


async def deliver(rig: Rig, partitions: int, *keys: str) -> None:
    async with rig.working(rig.handler(), stream={"partitions": partitions}) as worker:
        await eventually(lambda: set(keys) <= set(rig.arrived))
        await eventually(worker.idle)


@pytest.mark.parametrize(
    ("old", "new", "stream"),
    [(3, 2, f"{STREAM}:2"), (1, 2, STREAM), (2, 1, f"{STREAM}:1"), (6, 2, f"{STREAM}:5")],
    ids=["fewer", "the first ones", "none any more", "many fewer"],
)
async def test_what_a_changed_number_leaves_behind_is_told_and_delivered_by_the_old_one(
    rig: Rig, old: int, new: int, stream: str
) -> None:
    await deliver(rig, old)  # makes the streams
    await published(rig, stream, "left")
    async with rig.working(rig.handler(), stream={"partitions": new}):
        (record,) = await eventually(lambda: rig.records.of("stream_not_read"))
        assert (record["stream"], record["unread"], record["pending"], record["parked"]) == (stream, 1, 0, 0)
        ran = await status(rig, new)
        assert ran.code == 1
        assert f"stream {stream} is of no partition of this configuration, and holds 1 unread" in ran.err
    await deliver(rig, old, "left")
    assert "is of no partition" not in (await status(rig, new)).err


async def test_gateways_that_have_more_partitions_than_the_workers_are_noticed(rig: Rig) -> None:
    await published(rig, f"{STREAM}:2", "early")
    async with rig.working(rig.handler(), stream={"partitions": 2}):
        (record,) = await eventually(lambda: rig.records.of("stream_not_read"))
        assert (record["stream"], record["unread"]) == (f"{STREAM}:2", 1)
    await deliver(rig, 3, "early")


async def test_what_other_workers_read_is_not_left(rig: Rig) -> None:
    """While the number changes, workers of both run for a while."""
    async with rig.working(rig.handler(), stream={"partitions": 3}):
        rig.endpoint.script(503)
        await published(rig, f"{STREAM}:2", "retried")
        await eventually(lambda: rig.arrived)
        assert not await leftover.leftovers(rig.redis, STREAM, 2, "streamhooks")


async def test_dead_letters_that_are_left_are_told_of(rig: Rig) -> None:
    rig.endpoint.script(422)
    await published(rig, STREAM, "dead")
    await deliver(rig, 1, "dead")
    ran = await status(rig, 2)
    assert "holds 0 unread, 0 pending, 0 parked and 1 dead" in ran.err
