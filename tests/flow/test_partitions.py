"""Several partitions in one worker: what is one's is never taken for another's."""

from streamhooks import Publisher
from streamhooks.store.connection import ask
from streamhooks.store.keys import partitions
from tests.flow.rig import GROUP, STREAM, Rig
from tests.servers import Answer
from tests.waiting import eventually


async def test_entries_of_two_partitions_may_have_the_same_ids(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler(), stream={"partitions": 2}) as worker:
        for number, keys in enumerate(partitions(STREAM, 2)):
            for ms in range(1, 11):
                await ask(rig.redis, "XADD", keys.stream, f"{ms}-1", "type", "AuthFailure", "key", f"{number}:{ms}")
        await eventually(lambda: rig.endpoint.at_once == 20)
        rig.endpoint.release()
        await eventually(lambda: worker.held == 0)
        assert worker.figures.redeliveries == 0
    assert sorted(rig.arrived) == sorted(f"{number}:{ms}" for number in range(2) for ms in range(1, 11))
    assert len({request.headers["webhook-id"] for request in rig.endpoint.received}) == 20


async def test_a_heartbeat_of_one_partition_does_not_give_up_what_is_queued_of_another(rig: Rig) -> None:
    rig.endpoint.script(Answer(delay=0.5))
    async with rig.working(rig.handler(concurrency=1), stream={"partitions": 2}) as worker:
        for number, keys in enumerate(partitions(STREAM, 2)):
            for ms in range(1, 4):
                await ask(rig.redis, "XADD", keys.stream, "*", "type", "AuthFailure", "key", f"{number}:{ms}")
        await rig.endpoint.wait_for(6)
        await eventually(lambda: worker.held == 0)
        assert worker.figures.redeliveries == 0, "they are heartbeated four times a second"
        for keys in partitions(STREAM, 2):
            assert (await ask(rig.redis, "XPENDING", keys.stream, GROUP))["pending"] == 0
    assert len(rig.endpoint.received) == 6


async def test_who_publishes_may_choose_a_partition_by_something_else_and_name_its_stream(rig: Rig) -> None:
    async with rig.working(rig.handler(), stream={"partitions": 2}) as worker:
        for number, keys in enumerate(partitions(STREAM, 2)):
            ca, cert, key = (rig.tls.get(name, "") for name in ("ca_file", "cert_file", "key_file"))
            async with Publisher(rig.url, stream=keys.stream, ca_file=ca, cert_file=cert, key_file=key) as publisher:
                await publisher.publish("AuthFailure", {"Key": f"k{number}"}, api_id="one")
        await rig.endpoint.wait_for(2)
        await eventually(lambda: worker.held == 0)
    assert sorted(rig.arrived) == ["k0", "k1"]
