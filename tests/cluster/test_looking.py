"""What people look at while it happens, and try by hand, on a cluster: tail, the console's feed, fire, dev."""

import json
from pathlib import Path

from tests.admin.asking import door
from tests.admin.test_feed import looking
from tests.cluster.rig import PARTITIONS, STREAMS, ClusterRig
from tests.doors.command import command
from tests.doors.test_dev import dev
from tests.flow.test_tail import reading, tail
from tests.waiting import eventually

ALL = {"journal": "all"}


async def test_tail_follows_the_journals_of_every_node(rig: ClusterRig) -> None:
    handler = rig.handler()
    file = rig.written(handler, worker=ALL)
    async with rig.working(handler, worker=ALL), tail(rig, "--json", config=file) as shown:
        await eventually(lambda: reading(rig, PARTITIONS))
        await rig.publish_everywhere(2)
        await shown.shown(2 * PARTITIONS)
    assert sorted(json.loads(line)["stream"] for line in shown.lines) == sorted(STREAMS * 2)
    assert shown.err == b""


async def test_the_console_is_told_of_what_happens_on_every_node(rig: ClusterRig) -> None:
    async with door(rig, rig.handler(), worker=ALL) as ours, looking(ours) as stream:
        ids = await rig.publish_everywhere(2)
        await eventually(lambda: len(stream.outcomes) == 2 * PARTITIONS, 10)
        await eventually(lambda: stream.of("sample")[-1]["account"].get("delivered") == 2 * PARTITIONS, 10)
    assert sorted(note["entry"] for note in stream.outcomes) == sorted(ids)
    assert {sample["redis"] for sample in stream.of("sample")} == {"ok"}


async def test_a_handler_of_a_configuration_with_a_cluster_is_fired_by_hand(rig: ClusterRig) -> None:
    ran = await command("fire", "--handler", "h", "--event", "AuthFailure", "--config", rig.written(rig.handler()))
    assert (ran.code, ran.err) == (0, "")
    assert len(rig.endpoint.received) == 1


async def test_dev_takes_a_cluster_for_its_server(rig: ClusterRig, tmp_path: Path) -> None:
    code, out, err = await dev(tmp_path, "--redis-url", rig.url, "--exit-after", "5")
    assert (code, err) == (0, "")
    assert f"at {rig.url}\n" in out
    assert "deliveries answered 2xx: done" in out


async def test_dev_runs_a_configuration_with_partitions_on_a_cluster(rig: ClusterRig, tmp_path: Path) -> None:
    handler = {"id": "mine", "on": ["*"], "target_path": f"{rig.endpoint.url}/mine"}
    stream = {"partitions": PARTITIONS}
    (tmp_path / "own.json").write_text(json.dumps({"handlers": [handler], "stream": stream}))
    await rig.publish_everywhere(1)
    code, _, err = await dev(tmp_path, "--redis-url", rig.url, "--config", "own.json", "--exit-after", "3")
    assert (code, err) == (0, "")
    assert len(rig.endpoint.received) >= PARTITIONS
