"""A release's life by helm 4 against an API server: installed, tested, upgraded, rolled back, removed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from tests.helm.chart import file_of, run, setting
from tests.helm.cluster import Cluster
from tests.helm.generated import CHART

OWN = {
    ("configmaps", "r-streamhooks"),
    ("deployments", "r-streamhooks"),
    ("poddisruptionbudgets", "r-streamhooks"),
    ("serviceaccounts", "r-streamhooks"),
}


@pytest_asyncio.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster() as running:
        yield running


async def helm(cluster: Cluster, *words: str) -> str:
    """What `helm WORDS...` prints; it must succeed."""
    came = await asyncio.to_thread(run, "helm4", "--kube-apiserver", cluster.url, *words)
    assert came.returncode == 0, came.stdout + came.stderr
    return came.stdout


async def installed(cluster: Cluster, verb: str = "install", release: str = "r", **values: Any) -> str:
    words = [verb, release, str(CHART), "--values", str(file_of("default")), "--wait", "--timeout", "20s"]
    return await helm(cluster, *words, *setting(values))


def configuration(cluster: Cluster) -> Any:
    return json.loads(cluster.objects["configmaps", "r-streamhooks"]["data"]["config.json"])


def pod_template(cluster: Cluster) -> Any:
    return cluster.objects["deployments", "r-streamhooks"]["spec"]["template"]


async def test_a_release_is_installed_tested_upgraded_rolled_back_and_removed(cluster: Cluster) -> None:
    assert "helm test r" in await installed(cluster)
    assert cluster.names() == OWN
    first = pod_template(cluster)

    assert "Phase:          Succeeded" in await helm(cluster, "test", "r")
    await helm(cluster, "test", "r")
    pods = [change for change in cluster.changes if change[1] == "pods"]
    assert [verb for verb, _, _ in pods] == ["apply", "delete", "apply"], "the pod of the last test is there to look at"

    await installed(cluster, "upgrade", config={"worker": {"batch": 64}})
    assert configuration(cluster)["worker"] == {"batch": 64}
    assert pod_template(cluster) != first

    await helm(cluster, "rollback", "r", "1", "--wait", "--timeout", "20s")
    assert "worker" not in configuration(cluster)
    assert pod_template(cluster) == first
    history = json.loads(await helm(cluster, "history", "r", "--output", "json"))
    assert [entry["status"] for entry in history] == ["superseded", "superseded", "deployed"]

    await helm(cluster, "uninstall", "r", "--wait", "--timeout", "20s")
    assert set(cluster.objects) == {("pods", "r-streamhooks-check")}, "helm leaves pods of tests alone"


async def test_a_changed_handler_rolls_the_pods_and_the_same_one_does_not(cluster: Cluster) -> None:
    await installed(cluster)
    first = pod_template(cluster)
    await installed(cluster, "upgrade")
    assert pod_template(cluster) == first

    (handler,) = configuration(cluster)["handlers"]
    await installed(cluster, "upgrade", handlers=[handler | {"on": ["KeyExpired"]}])
    assert configuration(cluster)["handlers"] == [handler | {"on": ["KeyExpired"]}]
    annotations = first["metadata"]["annotations"]
    changed = pod_template(cluster)["metadata"]["annotations"]
    assert {name for name in annotations | changed if annotations.get(name) != changed.get(name)} == {"checksum/config"}
    assert pod_template(cluster)["spec"] == first["spec"]


async def test_a_second_release_stands_beside_the_first(cluster: Cluster) -> None:
    await installed(cluster)
    before = dict(cluster.objects)
    await installed(cluster, release="s")
    second = {(plural, name.replace("r-", "s-", 1)) for plural, name in OWN}
    assert cluster.names() == OWN | second
    assert {key: cluster.objects[key] for key in before} == before
    selectors = [cluster.objects["deployments", f"{name}-streamhooks"]["spec"]["selector"] for name in "rs"]
    assert selectors[0] != selectors[1], "neither takes the other's pods for its own"

    await helm(cluster, "uninstall", "s", "--wait", "--timeout", "20s")
    assert cluster.objects == before


async def test_an_upgrade_removes_what_is_no_longer_asked_for(cluster: Cluster) -> None:
    await installed(cluster)
    await installed(cluster, "upgrade", podDisruptionBudget={"enabled": False}, serviceAccount={"create": False})
    assert cluster.names() == {("configmaps", "r-streamhooks"), ("deployments", "r-streamhooks")}
    assert pod_template(cluster)["spec"]["serviceAccountName"] == "default"


async def test_a_wrong_value_changes_nothing(cluster: Cluster) -> None:
    await installed(cluster)
    before = dict(cluster.objects)
    words = ["upgrade", "r", str(CHART), "--set", "redis.mode=cluster"]
    came = await asyncio.to_thread(run, "helm4", "--kube-apiserver", cluster.url, *words)
    assert came.returncode == 1
    assert "redis.addresses: is empty" in came.stderr
    assert cluster.objects == before, "nor has helm a record of it"
