"""What a cluster's owner asks of every pod: Pod Security Standards "restricted", and what hangs together does."""

from collections import Counter
from typing import Any

import pytest

from streamhooks.settings.duration import seconds
from tests.helm.chart import CASES, configuration, documents, of_kind, pods, setting, the, worker

RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


@pytest.mark.parametrize("case", CASES)
def test_every_pod_is_restricted(case: str) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/, and a root that is read only."""
    for pod in pods(documents(case)):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert not any("hostPath" in volume for volume in pod.get("volumes", []))
        ours = next(container for container in pod["containers"] if container["name"] in ("streamhooks", "check"))
        assert ours["securityContext"].items() >= RESTRICTED.items()
        assert ours["resources"]["limits"].keys() == {"memory"}


@pytest.mark.parametrize("case", CASES)
def test_no_variable_is_given_twice_and_the_selector_finds_the_pods(case: str) -> None:
    made = documents(case)
    for pod in pods(made):
        for container in pod["containers"]:
            names = Counter(one["name"] for one in container.get("env", []))
            assert not [name for name, count in names.items() if count > 1]
    deployment = the(made, "Deployment")["spec"]
    assert deployment["selector"]["matchLabels"].items() <= deployment["template"]["metadata"]["labels"].items()
    for kind in ("PodDisruptionBudget", "PodMonitor", "NetworkPolicy"):
        for document in of_kind(made, kind):
            selector = document["spec"].get("selector") or document["spec"]["podSelector"]
            assert selector["matchLabels"].items() <= deployment["template"]["metadata"]["labels"].items()


def test_the_selector_never_changes() -> None:
    more = documents("default", "helm4", "1.37", *setting({"commonLabels": {"team": "gateway"}}))
    selector = the(documents("default"), "Deployment")["spec"]["selector"]
    assert the(more, "Deployment")["spec"]["selector"] == selector


@pytest.mark.parametrize("case", CASES)
def test_a_pod_is_given_the_time_to_drain(case: str) -> None:
    made = documents(case)
    config = configuration(made) if case not in ("tyk", "minimal") else {}
    drain = seconds(config.get("worker", {}).get("drain_timeout", 20))
    assert pods(made)[0]["terminationGracePeriodSeconds"] >= drain + 5


def test_a_probe_of_life_never_asks_redis_and_one_of_readiness_does() -> None:
    container = worker(documents("default"))
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["startupProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


@pytest.mark.parametrize("case", CASES)
def test_who_scales_by_something_names_no_number_of_replicas(case: str) -> None:
    made = documents(case)
    scaled = of_kind(made, "HorizontalPodAutoscaler") + of_kind(made, "ScaledObject")
    assert ("replicas" in the(made, "Deployment")["spec"]) == (not scaled)


def test_keda_looks_at_the_lag_and_at_what_is_pending_each_by_itself() -> None:
    seen = [
        trigger["metadata"].keys() & {"lagCount", "pendingEntriesCount"}
        for case in CASES
        for document in of_kind(documents(case), "ScaledObject")
        for trigger in document["spec"]["triggers"]
    ]
    assert seen
    assert Counter(map(frozenset, seen)).keys() == {frozenset({"lagCount"}), frozenset({"pendingEntriesCount"})}
