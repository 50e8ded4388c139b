"""What operators ask and do, over partitions on three nodes: commands, the API, the HTTP door."""

import asyncio

from streamhooks.store.connection import ask
from tests.admin.asking import door as admin_door
from tests.cluster.rig import PARTITIONS, PLACES, STREAMS, ClusterRig, api_of
from tests.doors.command import Ran, command
from tests.ingest.asking import door
from tests.servers import Answer
from tests.waiting import eventually


async def ran(rig: ClusterRig, *words: str) -> Ran:
    """A command with the configuration of the rig's one handler."""
    return await command(*words, "--config", rig.written(rig.handler()))


async def test_dead_letters_of_every_partition_are_listed_explained_replayed_and_purged(rig: ClusterRig) -> None:
    rig.endpoint.script(422)
    async with rig.working(rig.handler(event_timeout=60)):
        ids = await rig.publish_everywhere(1)
        await rig.settled(dead=3)
        listed = (await ran(rig, "dead", "list", "--json")).json
        assert sorted(one["event"] for one in listed) == sorted(ids)
        told = [(await ran(rig, "explain", id, "--json")).json for id in ids]
        assert {story["stream"] for one in told for story in one["stories"]} == set(STREAMS)
        rig.endpoint.script(200)
        # The id of a letter may be that of another one in another partition; a webhook-id names its partition.
        sent_as = rig.endpoint.received[0].headers["webhook-id"]
        replayed = await ran(rig, "dead", "replay", sent_as)
        assert (replayed.code, replayed.err) == (0, "")
        await rig.settled(delivered=1, dead=2)
        purged = await ran(rig, "dead", "purge", "--all")
        assert (purged.code, purged.err) == (0, "")
    assert await rig.letters() == []


async def test_status_has_every_partition_and_the_pauses(rig: ClusterRig) -> None:
    async with rig.working(rig.handler()) as worker:
        await rig.publish_everywhere(2)
        await rig.settled(delivered=6)
        assert (await ran(rig, "handlers", "pause", "h", "--why", "test")).code == 0
        for line in worker.lines:
            await line.look_at_pauses()
        await rig.publish_everywhere(1)
        await eventually(lambda: rig.held(3))
        found = await ran(rig, "status", "--json")
        assert (found.code, found.err) == (0, "")
        assert [(one["stream"], one["held"], one["balances"]) for one in found.json["partitions"]] == [
            (stream, 1, True) for stream in STREAMS
        ]
        assert (await ran(rig, "handlers", "resume", "h")).code == 0
        await rig.settled(delivered=9)
        assert (await ran(rig, "replay", "--since", "1h")).code == 0
        await rig.settled(delivered=18)


async def test_what_is_pending_on_every_node_is_listed_and_released(rig: ClusterRig) -> None:
    rig.endpoint.script(*[Answer(then="hang")] * 3, 200)
    async with rig.doomed(rig.handler()):
        await rig.publish_everywhere(1)
        await eventually(lambda: rig.endpoint.at_once == 3)
    found = (await ran(rig, "pending", "--json")).json
    assert {one["stream"] for one in found} == set(STREAMS)
    assert (await ran(rig, "pending", "claim", *(one["id"] for one in found))).code == 0
    async with rig.working(rig.handler(), worker={"lease": 60}):
        await rig.settled(delivered=3)


async def test_check_asks_every_node(rig: ClusterRig) -> None:
    async with rig.working(rig.handler()):
        found = await ran(rig, "check", "--redis", "--json")
        assert (found.code, set(found.json["redis"]["groups"])) == (0, set(STREAMS))
    for stream in STREAMS:
        node = await rig.cluster.owner(stream)
        await node.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        try:
            assert "maxmemory-policy is allkeys-lru" in (await ran(rig, "check", "--redis")).err
        finally:
            await node.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")


async def test_one_server_of_a_cluster_is_said_to_be_that(rig: ClusterRig) -> None:
    told = [await command("publish", "X", "--redis-url", n.url) for n in rig.cluster.primaries]
    refused = [one for one in told if one.code]
    assert refused
    assert all("write redis+cluster://" in one.err for one in refused)


async def test_events_that_came_by_http_go_to_their_nodes(rig: ClusterRig) -> None:
    async with door(rig, rig.handler()) as opened:
        events = [
            b'{"type": "AuthFailure", "api_id": "%b", "meta": {"Key": "k%d"}}' % (api_of(n).encode(), n)
            for n in range(PARTITIONS)
        ]
        answered = await opened.post(b"[" + b",".join(events) + b"]")
        assert len(answered.ids) == PARTITIONS
        await rig.settled(delivered=PARTITIONS)
        assert [await ask(rig.redis, "XLEN", keys.stream) for keys in PLACES] == [1] * PARTITIONS


async def test_the_api_tells_of_all_partitions(rig: ClusterRig) -> None:
    rig.endpoint.script(422)
    async with admin_door(rig, rig.handler(), worker={"journal": "all"}) as admin:
        await rig.publish_everywhere(1)
        await rig.settled(dead=3)
        assert len((await admin.get("/api/v1/dead")).json["letters"]) == 3
        assert (await asyncio.wait_for(admin.get("/api/v1/status"), 5)).status == 200
