"""The pods: restricted, found by their selectors, alike but for what changed, and given time to end."""

from typing import Any

import pytest

from streamhooks.settings import Settings
from streamhooks.settings.duration import seconds
from streamhooks.store.keys import partitions
from tests.helm.chart import CASES, HELMS, configuration, documents, of_kind, pods, setting, the, worker

AUTOSCALED = {"hpa", "sentinel", "cluster", "url-secret"}


@pytest.mark.parametrize("case", CASES)
def test_every_pod_is_restricted(case: str) -> None:
    """The Pod Security Standards' profile `restricted`, and more."""
    for pod in pods(documents(case)):
        of_pod = pod["securityContext"]
        assert (of_pod["runAsNonRoot"], of_pod["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
        assert of_pod["runAsUser"] > 0
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
        for container in pod["containers"] + pod.get("initContainers", []):
            of_container = container["securityContext"]
            assert of_container["capabilities"] == {"drop": ["ALL"]}
            assert of_container["allowPrivilegeEscalation"] is False
            assert of_container["readOnlyRootFilesystem"] is True
            assert ":" in container["image"]
            assert not container["image"].endswith(":latest")


@pytest.mark.parametrize("case", CASES)
def test_no_secret_is_made_and_a_service_account_has_no_token(case: str) -> None:
    made = documents(case)
    assert of_kind(made, "Secret") == []
    assert all(account["automountServiceAccountToken"] is False for account in of_kind(made, "ServiceAccount"))


@pytest.mark.parametrize("case", CASES)
def test_every_selector_finds_the_workers_and_not_the_test_pod(case: str) -> None:
    made = documents(case)
    labels = the(made, "Deployment")["spec"]["template"]["metadata"]["labels"]
    test_labels = the(made, "Pod")["metadata"]["labels"]
    selectors = [document["spec"]["selector"] for document in made if "selector" in document.get("spec", {})]
    selectors += [document["spec"]["podSelector"] for document in of_kind(made, "NetworkPolicy")]
    assert selectors
    for selector in selectors:
        wanted = selector.get("matchLabels", selector)
        assert wanted.items() <= labels.items()
        assert not wanted.items() <= test_labels.items()


@pytest.mark.parametrize("case", CASES)
def test_no_label_that_is_added_changes_a_selector(case: str) -> None:
    """A Deployment's cannot be changed once it is there (apps/v1), so that an upgrade would be refused."""
    more = setting({"commonLabels": {"team": "gateway"}, "podLabels": {"cost": "1"}})
    before, after = (
        [document["spec"]["selector"] for document in made if "selector" in document.get("spec", {})]
        for made in (documents(case), documents(case, "helm4", "1.37", *more))
    )
    assert before == after


def _checksums(values: dict[str, Any]) -> dict[str, str]:
    made = the(documents("default", "helm4", "1.37", *setting(values)), "Deployment")
    annotations: dict[str, str] = made["spec"]["template"]["metadata"]["annotations"]
    return annotations


def test_a_changed_setting_and_a_changed_template_are_told_apart() -> None:
    before = _checksums({})
    assert set(before) == {"checksum/config", "checksum/templates"}
    for values, changed in (
        ({"config": {"worker": {"batch": 64}}}, "checksum/config"),
        ({"templates.files": {"a.json": "{}"}}, "checksum/templates"),
    ):
        after = _checksums(values)
        assert [name for name in before if after[name] != before[name]] == [changed]


@pytest.mark.parametrize("case", CASES)
def test_variables_are_named_once_and_before_they_are_used(case: str) -> None:
    """Two of one name are refused by server-side apply, and $(X) stays as it is where X comes later."""
    for pod in pods(documents(case)):
        names: list[str] = []
        for variable in pod["containers"][0]["env"]:
            used = [word.partition(")")[0] for word in variable.get("value", "").split("$(")[1:]]
            assert set(used) <= set(names)
            names.append(variable["name"])
        assert len(names) == len(set(names))


@pytest.mark.parametrize("case", CASES)
def test_mounts_and_ports_lead_somewhere(case: str) -> None:
    made = documents(case)
    for pod in pods(made):
        volumes = [volume["name"] for volume in pod["volumes"]]
        mounts = pod["containers"][0]["volumeMounts"]
        assert len(volumes) == len(set(volumes))
        assert {mount["name"] for mount in mounts} == set(volumes)
        assert len({mount["mountPath"] for mount in mounts}) == len(mounts)
        assert not [mount for mount in mounts if "subPath" in mount], "a subPath never sees a changed Secret"
    ports = {port["name"] for port in worker(made)["ports"]}
    probes = [worker(made)[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert [probe["path"] for probe in probes] == ["/livez", "/livez", "/readyz"]
    asked = {probe["port"] for probe in probes}
    asked |= {end["port"] for one in of_kind(made, "PodMonitor") for end in one["spec"]["podMetricsEndpoints"]}
    asked |= {port["targetPort"] for one in of_kind(made, "Service") for port in one["spec"]["ports"]}
    assert asked <= ports


@pytest.mark.parametrize("case", CASES)
def test_a_pod_has_the_time_to_end_cleanly(case: str) -> None:
    made = documents(case)
    drain = seconds(configuration(made).get("worker", {}).get("drain_timeout", Settings().worker.drain_timeout))
    sleep = worker(made).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    assert pods(made)[0]["terminationGracePeriodSeconds"] >= drain + 10 + sleep


def test_only_the_http_door_waits_before_it_ends_and_only_where_kubernetes_can() -> None:
    assert worker(documents("ingest-route"))["lifecycle"] == {"preStop": {"sleep": {"seconds": 10}}}
    assert "lifecycle" not in worker(documents("ingest-route", "helm4", "1.27"))
    assert "lifecycle" not in worker(documents("default"))


@pytest.mark.parametrize("case", CASES)
def test_the_number_of_pods_is_said_only_where_nothing_scales_them(case: str) -> None:
    """Server-side apply would have two owners of spec.replicas."""
    made = documents(case)
    assert ("replicas" in the(made, "Deployment")["spec"]) == (case not in AUTOSCALED)
    assert len(of_kind(made, "HorizontalPodAutoscaler") + of_kind(made, "ScaledObject")) == (case in AUTOSCALED)


def test_a_disruption_budget_is_made_only_for_several_pods() -> None:
    having = {case for case in CASES if of_kind(documents(case), "PodDisruptionBudget")}
    assert having == set(CASES) - {"minimal", "sentinel", "cluster"}
    budget = the(documents("default"), "PodDisruptionBudget")["spec"]
    assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


CHANGES: list[tuple[dict[str, Any], bool]] = [
    ({"config.worker.batch": 64}, True),
    ({"templates.files": {"a.json": "{}"}}, True),
    ({"handlers": []}, True),
    ({"redis.url": "redis://other:6379/0"}, True),
    ({"podDisruptionBudget.enabled": False}, False),
    ({"dashboard.enabled": True}, False),
]


@pytest.mark.parametrize(("values", "rolls"), CHANGES, ids=str)
def test_pods_are_replaced_when_what_they_read_changes_and_only_then(values: dict[str, Any], rolls: bool) -> None:
    before = the(documents("default"), "Deployment")["spec"]["template"]
    after = the(documents("default", "helm4", "1.37", *setting(values)), "Deployment")["spec"]["template"]
    assert (before != after) == rolls


def test_workers_are_spread_by_default() -> None:
    spread = pods(documents("default"))[0]["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    (own,) = pods(documents("extras"))[0]["topologySpreadConstraints"]
    assert own["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == "worker"


# Scaling, metrics, network.


@pytest.mark.parametrize("case", ["sentinel", "cluster", "url-secret"])
def test_keda_asks_for_lag_and_pending_of_each_stream_in_triggers_of_their_own(case: str) -> None:
    made = documents(case)
    stream = configuration(made).get("stream", {})
    defaults = Settings().stream
    keys = partitions(stream.get("key", defaults.key), stream.get("partitions", defaults.partitions))
    triggers = the(made, "ScaledObject")["spec"]["triggers"]
    asked = [
        (trigger["metadata"]["stream"], sorted({"lagCount", "pendingEntriesCount"} & set(trigger["metadata"])))
        for trigger in triggers
    ]
    assert asked == [(key.stream, [name]) for key in keys for name in ("lagCount", "pendingEntriesCount")]
    group = stream.get("group", defaults.group)
    assert {trigger["metadata"]["consumerGroup"] for trigger in triggers} == {group}


def test_keda_is_told_where_redis_is_and_its_password_by_reference() -> None:
    made = documents("sentinel")
    trigger = the(made, "ScaledObject")["spec"]["triggers"][0]
    assert trigger == {
        "type": "redis-sentinel-streams",
        "metadata": {
            "activationLagCount": "0",
            "addresses": "sentinel-0.redis:26379,sentinel-1.redis:26379,sentinel-2.redis:26379",
            "consumerGroup": "hooks",
            "databaseIndex": "1",
            "enableTLS": "true",
            "lagCount": "1000",
            "sentinelMaster": "gateway",
            "stream": "gw:events:0",
            "usernameFromEnv": "STREAMHOOKS_REDIS_ACL_USER",
        },
        "authenticationRef": {"name": "r-streamhooks"},
    }
    assert the(made, "TriggerAuthentication")["spec"]["secretTargetRef"] == [
        {"parameter": "password", "name": "redis", "key": "password"},
        {"parameter": "ca", "name": "redis-ca", "key": "ca.crt"},
    ]
    by_url = the(documents("url-secret"), "ScaledObject")["spec"]["triggers"][0]
    assert (by_url["type"], by_url["metadata"]["address"]) == ("redis-streams", "redis.example.com:6379")


@pytest.mark.parametrize("helm", HELMS)
def test_webhooks_may_not_go_to_private_networks(helm: Any) -> None:
    policy = the(documents("monitoring", helm), "NetworkPolicy")["spec"]
    blocks = {to["ipBlock"]["cidr"]: to["ipBlock"]["except"] for to in policy["egress"][2]["to"]}
    assert blocks["::/0"] == ["fc00::/7", "fe80::/10", "::1/128"]
    assert "169.254.0.0/16" in blocks["0.0.0.0/0"]
    assert len(blocks["0.0.0.0/0"]) == 6
    assert [port["port"] for port in policy["egress"][1]["ports"]] == [6379, 26379]
    closed = the(documents("default", helm, "1.37", "--set", "networkPolicy.enabled=true"), "NetworkPolicy")["spec"]
    assert closed["ingress"] == []
