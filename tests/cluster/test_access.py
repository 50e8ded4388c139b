"""The users of docs/redis.md on a cluster: everything works with them, moved slots too, and nothing is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamhooks import Publisher
from tests.cluster.rig import PARTITIONS, STREAMS, ClusterRig, api_of
from tests.deployment.test_acl import LATER, PAGE, PASSWORDS, USERS
from tests.doors.command import command
from tests.servers import Answer

ON_A_CLUSTER = ["+cluster|slots", "+asking"]
OF_ONE, OF_SEVERAL = ("~gateway:events", "~{gateway:events}:*"), ("~gateway:events:*", "~{gateway:events:*}:*")
OTHER_KEYS = {
    **dict(zip(OF_ONE, OF_SEVERAL, strict=True)),
    **{f"%R{several}": f"%R{one}" for one, several in zip(OF_ONE, OF_SEVERAL, strict=True)},
}


@pytest.fixture
async def guarded(rig: ClusterRig) -> AsyncIterator[ClusterRig]:
    """Every node has the users of the page, as it says that they are on a cluster with partitions."""
    nodes = rig.cluster.nodes
    for node in nodes:
        await node.ask("ACL", "LOG", "RESET")
        for words in USERS:
            await node.ask(*(OTHER_KEYS.get(word, word) for word in words), *ON_A_CLUSTER)
        for words in LATER:
            await node.ask(*words)
    yield rig
    for node in nodes:
        await node.ask("ACL", "DELUSER", *PASSWORDS)


def url(rig: ClusterRig, user: str) -> str:
    return rig.cluster.url.replace("://", f"://{user}:{PASSWORDS[user]}@")


async def refused(rig: ClusterRig) -> list[str]:
    """What any node has refused."""
    found: list[dict[str, Any]] = []
    for node in rig.cluster.nodes:
        async with node.client() as admin:
            found += await admin.acl_log()
    return [f"{entry['username']}: {entry['reason']} {entry['object']}" for entry in found]


def test_the_page_names_what_a_cluster_takes_besides() -> None:
    assert all(f"`{word}`" in PAGE.read_text() for word in (*ON_A_CLUSTER, *OTHER_KEYS.values()))


async def test_workers_gateways_and_operators_do_all_that_they_do(guarded: ClusterRig) -> None:
    rig = guarded
    rig.url = url(rig, "streamhooks")
    handlers = (rig.handler("one", event_timeout=60, rate_limit="500/s"), rig.handler("two"))
    rig.endpoint.script(503, Answer(422), 200)
    async with rig.working(*handlers), Publisher(url(rig, "gateway"), partitions=PARTITIONS) as publisher:
        await publisher.publish("AuthFailure", {"Key": "a"}, api_id=api_of(0))
        await rig.settled(delivered=1, dead=1)
        async with rig.cluster.moving(STREAMS[0]):
            await publisher.publish("AuthFailure", {"Key": "b"}, api_id=api_of(0))
        await rig.settled(delivered=3, dead=1)
        file = rig.written(*handlers)
        for words in (("status",), ("pending",), ("dead", "replay"), ("check", "--redis"), ("publish", "Other")):
            done = await command(*words, "--config", file)
            assert done.code == 0, (words, done.out, done.err)
    assert await refused(rig) == []
