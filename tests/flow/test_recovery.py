"""What a worker that dies leaves behind, and what a lost reply does: nothing is lost, little is sent twice."""

from streamhooks.store.connection import ask
from tests.flow.rig import GROUP, STREAM, Rig
from tests.servers import Answer, Endpoint
from tests.waiting import eventually

LONG = 1_000_000
"""Milliseconds beyond every lease."""


async def hand_out(rig: Rig, ids: list[str], times: int, to: str = "gone") -> None:
    """Makes entries pending at a consumer that has been silent for long, as if handed out so often."""
    await rig.redis.xclaim(STREAM, GROUP, to, 0, [*ids], idle=LONG, retrycount=times, force=True, justid=True)
    await ask(rig.redis, "XGROUP SETID", STREAM, GROUP, ids[-1])


async def make_group(rig: Rig) -> None:
    await ask(rig.redis, "XGROUP CREATE", STREAM, GROUP, "0", "MKSTREAM")


async def test_entries_of_a_silent_consumer_are_taken_over(rig: Rig) -> None:
    await make_group(rig)
    await rig.publish_many(250)
    await ask(rig.redis, "XREADGROUP", "GROUP", GROUP, "gone", "COUNT", 250, "STREAMS", STREAM, ">")
    async with rig.working(rig.handler()) as worker:
        await rig.settled(delivered=250)
        assert worker.figures.redeliveries == 250
    assert sorted(rig.arrived) == sorted(f"k{number}" for number in range(250))


async def test_entries_of_a_consumer_that_is_alive_are_left_to_it(rig: Rig) -> None:
    await make_group(rig)
    entry = await rig.publish("abc")
    await ask(rig.redis, "XREADGROUP", "GROUP", GROUP, "alive", "STREAMS", STREAM, ">")
    async with rig.working(rig.handler(), worker={"lease": 60}) as worker:
        for line in worker.lines:
            await line.recovery.sweep()
        assert await rig.pending() == 1
        assert not rig.endpoint.received
        await ask(rig.redis, "XACK", STREAM, GROUP, entry)


async def test_own_entries_whose_reply_was_lost_are_recovered(rig: Rig) -> None:
    async with rig.working(rig.handler()) as worker:
        async with rig.redis.pipeline(
            transaction=True
        ) as transaction:  # so that the worker's own read does not see them
            for key in ("a", "b"):
                transaction.xadd(STREAM, {"type": "AuthFailure", "key": key})
            transaction.xreadgroup(GROUP, worker.consumer, {STREAM: ">"})
            await transaction.execute()
        await rig.settled(delivered=2)
        assert worker.figures.entries_read == 0
    assert sorted(rig.arrived) == ["a", "b"]


async def test_what_cannot_be_taken_in_is_handed_out_again_and_does_not_hold_its_neighbours_up(rig: Rig) -> None:
    """Somebody has written junk where a count of held-back duplicates stands: no claim of that read can be told."""
    handler = rig.handler(event_timeout=60)
    cool = rig.cool_key(rig.loaded(handler), "k1")
    await rig.redis.set(cool, "d|0-1|h|1", px=60_000)
    await rig.redis.set(cool.replace(":cool:", ":held:"), "junk", px=60_000)
    await make_group(rig)
    await rig.publish_many(3)
    async with rig.working(handler):

        async def all_ended() -> bool:
            return await rig.totals() == {"accepted": 3, "delivered": 2, "dead": 1}

        await eventually(all_ended, within=15.0)
        assert [letter.reason for letter in await rig.letters()] == ["crash_loop"]
        assert await rig.pending() == 0
    assert sorted(rig.arrived) == ["k0", "k2"]


async def test_a_pending_entry_that_somebody_deleted_is_counted_as_lost_and_said(rig: Rig) -> None:
    await make_group(rig)
    kept, deleted = await rig.publish("kept"), await rig.publish("deleted")
    await hand_out(rig, [kept, deleted], 1)
    await rig.redis.xdel(STREAM, deleted)
    async with rig.working(rig.handler()):
        await eventually(lambda: len(rig.endpoint.received) == 1)
        assert (await eventually(lambda: rig.records.of("entries_lost_trimmed")))[0]["count"] == 1

        async def all_done() -> bool:
            return await rig.pending() == 0

        await eventually(all_done)
        assert await rig.totals() == {"accepted": 1, "delivered": 1, "lost_trimmed": 1}


async def test_an_entry_at_its_third_delivery_runs_alone(rig: Rig) -> None:
    rig.endpoint.script(Answer(delay=0.15))
    await make_group(rig)
    suspect, *others = [await rig.publish("suspect"), *await rig.publish_many(6)]
    await hand_out(rig, others[:3], 1)
    await hand_out(rig, [suspect], 2)
    await ask(rig.redis, "XGROUP SETID", STREAM, GROUP, others[2])
    async with rig.working(rig.handler()):
        await rig.settled(delivered=7)
    at = {key: request.at for key, request in zip(rig.arrived, rig.endpoint.received, strict=True)}
    alone = at.pop("suspect")
    assert len(at) == 6
    assert not [key for key, time in at.items() if abs(time - alone) < 0.15]


async def test_a_suspect_at_a_slow_endpoint_holds_the_others_up_for_a_second_at_most(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"), 200)
    await make_group(rig)
    await hand_out(rig, [await rig.publish("suspect")], 2)
    async with rig.working(rig.handler()):
        await rig.endpoint.wait_for(1)
        await rig.publish("other")
        await rig.endpoint.wait_for(2, timeout=3.0)
        assert rig.arrived == ["suspect", "other"]
        rig.endpoint.release()
        await rig.settled(delivered=2)


async def test_an_entry_that_was_handed_out_too_often_is_a_dead_letter_and_its_neighbours_are_not(rig: Rig) -> None:
    await make_group(rig)
    before, looping, after = [await rig.publish(key) for key in ("before", "looping", "after")]
    await hand_out(rig, [before], 1)
    await hand_out(rig, [looping], 5)
    await hand_out(rig, [after], 1)
    async with rig.working(rig.handler()):
        await rig.settled(delivered=2, dead=1)
    assert sorted(rig.arrived) == ["after", "before"]
    (letter,) = await rig.letters()
    assert (letter.reason, letter.origin, letter.raw_length > 0) == ("crash_loop", looping, True)
    assert letter.why.startswith("handed out 5 times and never finished")
    assert len(rig.records.of("dead_letter")) == 1


async def test_handlers_that_have_finished_an_event_are_not_fired_again_when_it_is_handed_out_again(rig: Rig) -> None:
    async with Endpoint() as slow:
        slow.script(Answer(then="hang"), 200)
        handlers = rig.handler("quick"), rig.handler("slow", target_path=slow.url)
        async with rig.doomed(*handlers):
            entry = await rig.publish("abc")
            await slow.wait_for(1)

            async def has_receipt() -> bool:
                return bool(await rig.redis.sismember(rig.keys.done(entry), "quick"))

            await eventually(has_receipt)
            assert await rig.pending() == 1
        async with rig.working(*handlers):
            await rig.settled(delivered=2)
        assert (len(rig.endpoint.received), len(slow.received)) == (1, 2)


async def test_two_workers_share_the_stream_and_send_each_event_once(rig: Rig) -> None:
    handler = rig.handler(concurrency=4)
    async with (
        rig.working(handler, worker={"in_flight": 8}) as one,
        rig.working(handler, worker={"in_flight": 8}) as two,
    ):
        await rig.publish_many(200)
        await rig.settled(delivered=200)
        assert one.figures.entries_read > 0
        assert two.figures.entries_read > 0
        assert one.figures.entries_read + two.figures.entries_read == 200
    assert sorted(rig.arrived) == sorted(f"k{number}" for number in range(200))


async def test_a_worker_keeps_what_it_sends_for_longer_than_a_lease(rig: Rig) -> None:
    rig.endpoint.script(Answer(delay=2.5))
    async with rig.working(rig.handler(event_timeout=10)), rig.working(rig.handler(event_timeout=10)) as peer:
        await rig.publish("abc")
        await rig.settled(delivered=1)
        assert peer.figures.redeliveries == 0
    assert len(rig.endpoint.received) == 1
