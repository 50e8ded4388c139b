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


async def installed(cluster: Cluster, verb: str = "install", **values: Any) -> str:
    words = [verb, "r", str(CHART), "--values", str(file_of("default")), "--wait", "--timeout", "20s"]
    return await helm(cluster, *words, *setting(values))


def configuration(cluster: Cluster) -> Any:
    return json.loads(cluster.objects["configmaps", "r-streamhooks"]["data"]["config.json"])


async def test_a_release_is_installed_tested_upgraded_rolled_back_and_removed(cluster: Cluster) -> None:
    assert "helm test r" in await installed(cluster)
    assert cluster.names() == OWN
    first = cluster.objects["deployments", "r-streamhooks"]["spec"]["template"]

    assert "Phase:          Succeeded" in await helm(cluster, "test", "r")
    await helm(cluster, "test", "r")
    pods = [change for change in cluster.changes if change[1] == "pods"]
    assert [verb for verb, _, _ in pods] == ["apply", "delete", "apply"], "the pod of the last test is there to look at"

    await installed(cluster, "upgrade", config={"worker": {"batch": 64}})
    assert configuration(cluster)["worker"] == {"batch": 64}
    assert cluster.objects["deployments", "r-streamhooks"]["spec"]["template"] != first

    await helm(cluster, "rollback", "r", "1", "--wait", "--timeout", "20s")
    assert "worker" not in configuration(cluster)
    assert cluster.objects["deployments", "r-streamhooks"]["spec"]["template"] == first
    history = json.loads(await helm(cluster, "history", "r", "--output", "json"))
    assert [entry["status"] for entry in history] == ["superseded", "superseded", "deployed"]

    await helm(cluster, "uninstall", "r", "--wait", "--timeout", "20s")
    assert cluster.names() <= {("pods", "r-streamhooks-check")}


async def test_an_upgrade_removes_what_is_no_longer_asked_for(cluster: Cluster) -> None:
    await installed(cluster)
    await installed(cluster, "upgrade", podDisruptionBudget={"enabled": False}, serviceAccount={"create": False})
    assert cluster.names() == {("configmaps", "r-streamhooks"), ("deployments", "r-streamhooks")}
    assert (
        cluster.objects["deployments", "r-streamhooks"]["spec"]["template"]["spec"]["serviceAccountName"] == "default"
    )


async def test_a_wrong_value_changes_nothing(cluster: Cluster) -> None:
    await installed(cluster)
    changes = list(cluster.changes)
    words = ["upgrade", "r", str(CHART), "--set", "redis.mode=cluster"]
    came = await asyncio.to_thread(run, "helm4", "--kube-apiserver", cluster.url, *words)
    assert came.returncode == 1
    assert "redis.addresses: is empty" in came.stderr
    assert cluster.changes == changes
