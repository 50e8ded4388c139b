"""Wrong values: refused before anything is changed, by both helms, with a message that names the value."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamhooks.secret import _CREDENTIAL
from tests.helm.chart import HELMS, Helm, file_of, run, setting
from tests.helm.generated import CHART

TARGET = "https://hooks.example.com/"
HANDLER = {"id": "a", "on": ["*"], "target_path": TARGET}

BY_SCHEMA: list[tuple[dict[str, Any], str, str]] = [
    ({"replicas": 3}, "replicas", "not allowed"),
    ({"replicaCount": -1}, "replicaCount", "greater than or equal to 0|minimum"),
    ({"replicaCount": "2"}, "replicaCount", "integer"),
    ({"image.tag": "latest"}, "image.tag", "not"),
    ({"image.digest": "sha256:abc"}, "image.digest", "pattern"),
    ({"redis.mode": "standalone"}, "redis.mode", "sentinel"),
    ({"redis.password": "hunter2"}, "redis", "password.*not allowed"),
    ({"redis.addresses": ["redis"]}, "redis.addresses.0", "pattern"),
    ({"admin.token": "hunter2"}, "admin", "token.*not allowed"),
    ({"autoscaling.mode": "both"}, "autoscaling.mode", "keda"),
    ({"config.worker.leese": "1s"}, "config.worker", "leese.*not allowed"),
    ({"config.worker.batch": 0}, "config.worker.batch", "greater than or equal to 1|minimum"),
    ({"config.worker.journal": False}, "config.worker.journal", "boolean"),
    ({"config.worker.lease": "soon"}, "config.worker.lease", "pattern"),
    ({"config.redis": {"url": "redis://x"}}, "config", "redis.*not allowed"),
    ({"config.reload": True}, "config", "reload.*not allowed"),
    ({"handlers": [{**HANDLER, "tagret": 1}]}, "handlers.0", "tagret.*not allowed"),
    ({"handlers": [{"id": "a", "on": ["*"]}]}, "handlers.0", "target_path"),
    ({"handlers": [{"id": "a", "target_path": TARGET}]}, "handlers.0", "on"),
    ({"handlers": [{**HANDLER, "id": "A B"}]}, "handlers.0.id", "pattern"),
    ({"handlers": [{**HANDLER, "tls": {"key_file": "-----BEGIN hunter2-----"}}]}, "handlers.0.tls.key_file", "not"),
    ({"event_handlers": {"AuthFailure": []}}, "event_handlers", "AuthFailure.*not allowed"),
    ({"secretEnv": {"A-B": {"name": "x", "key": "y"}}}, "secretEnv", "A-B.*not allowed"),
    ({"secretEnv": {"A": {"name": "x"}}}, "secretEnv.A", "key"),
    ({"templates.files": {"a/b.json": "x"}}, "templates.files", "a/b.json.*not allowed"),
    ({"prometheusRule.disabled": ["NoSuchAlert"]}, "prometheusRule.disabled.0", "StreamhooksNoWorker"),
    ({"prometheusRule.overrides": {"NoSuchAlert": {}}}, "prometheusRule.overrides", "NoSuchAlert.*not allowed"),
    ({"config.worker.journal": "some"}, "config.worker.journal", "problems"),
    ({"podDisruptionBudget.maxUnavailable": 0}, "podDisruptionBudget.maxUnavailable", "anyOf|minimum|Must"),
]  # fmt: skip

DOOR = {"ingest.enabled": True, "ingest.existingSecret": {"name": "door", "key": "token"}}
IN_OUR_FORM = "write env://NAME (secretEnv) or file:///path (secretFiles)"
IN_TYKS_FORM = (
    "write it under handlers, where env://NAME is followed, or put the handler into a Secret of extraConfig.secrets"
)
OPEN_PROXY = "is no http://HOST:PORT, or holds a user or password, which have no place in a ConfigMap"
OPEN_URL = "holds a user or password, which have no place in a ConfigMap; send them by header_map"
PLAIN = f"is no reference, and a secret has no place in a ConfigMap; {IN_OUR_FORM}"


def tyks(**meta: Any) -> dict[str, Any]:
    """Values with one handler in Tyk's form."""
    entry = {"handler_name": "eh_web_hook_handler", "handler_meta": {"target_path": TARGET, **meta}}
    return {"event_handlers": {"events": {"AuthFailure": [entry]}}}


TOGETHER: list[tuple[dict[str, Any], str]] = [
    (
        {"redis.url": "redis://user:hunter2@redis:6379"},
        (
            "redis.url: is no redis://HOST:PORT/DB, rediss:// or unix:///PATH, or holds a user or password; those come "
            "by redis.username and redis.existingSecret"
        ),
    ),
    ({"handlers": [{**HANDLER, "target_path": "https://u:hunter2@h/"}]}, f"handlers[0].target_path: {OPEN_URL}"),
    ({"handlers": [{**HANDLER, "proxy": "http://u:hunter2@p"}]}, f"handlers[0].proxy: {OPEN_PROXY}; {IN_OUR_FORM}"),
    ({"config.defaults.proxy": "http://u:hunter2@p"}, f"config.defaults.proxy: {OPEN_PROXY}; {IN_OUR_FORM}"),
    ({"handlers": [{**HANDLER, "sign": {"secrets": ["hunter2"]}}]}, f"handlers[0].sign.secrets[0]: {PLAIN}"),
    (
        {"handlers": [{**HANDLER, "sign": {"hmac": {"secrets": ["file:///s", "hunter2"]}}}]},
        f"handlers[0].sign.hmac.secrets[1]: {PLAIN}",
    ),
    ({"config.ingest": {"tokens": ["hunter2"]}}, f"config.ingest.tokens[0]: {PLAIN}"),
    (
        tyks(target_path="https://u:hunter2@h/"),
        f"event_handlers.events.AuthFailure[0].handler_meta.target_path: {OPEN_URL}",
    ),
    (
        tyks(proxy="http://u:hunter2@p"),
        f"event_handlers.events.AuthFailure[0].handler_meta.proxy: {OPEN_PROXY}; {IN_TYKS_FORM}",
    ),
    (
        {"config.worker.drain_timeout": "1m"},
        (
            "terminationGracePeriodSeconds: is 60; must be at least 70, which is config.worker.drain_timeout (1m), ten "
            "seconds for Redis"
        ),
    ),
    (
        {"config.worker.drain_timeout": "45.5", **DOOR},
        (
            "terminationGracePeriodSeconds: is 60; must be at least 61, which is config.worker.drain_timeout (45.5), "
            "ten seconds for Redis and ingest.shutdownDelay"
        ),
    ),
    (
        {"handlers": [{**HANDLER, "header_map": {"Authorization": "Bearer hunter2"}}]},
        (f"handlers[0].header_map.Authorization: holds a credential, which has no place in a ConfigMap; {IN_OUR_FORM}"),
    ),
    (
        tyks(header_map={"X-Api-Key": "hunter2"}),
        (
            "event_handlers.events.AuthFailure[0].handler_meta.header_map.X-Api-Key: holds a credential, which has no "
            f"place in a ConfigMap; {IN_TYKS_FORM}"
        ),
    ),
    (
        {"handlers": [{**HANDLER, "header_map": {"X": "env://NOWHERE"}}]},
        "secretEnv.NOWHERE: is missing; a handler or a setting refers to env://NOWHERE",
    ),
    (
        {"handlers": [{**HANDLER, "sign": {"secrets": ["file:///etc/streamhooks/secrets/hook/current"]}}]},
        (
            "secretFiles: has none of the name hook, which a handler or a setting refers to by "
            "file:///etc/streamhooks/secrets/hook/"
        ),
    ),
    ({"redis.mode": "cluster"}, "redis.addresses: is empty; redis.mode cluster needs host:port of at least one"),
    (
        {"redis.mode": "sentinel", "redis.addresses": ["s:26379"], "redis.tls.enabled": True},
        "redis.tls.caSecret.name: is empty; with redis.mode sentinel the authority's certificate is what turns TLS on",
    ),
    (
        {
            "redis.mode": "sentinel",
            "redis.addresses": ["s:26379"],
            "redis.existingSecret": {"name": "r", "urlKey": "u"},
        },
        "redis.existingSecret.urlKey: is for redis.mode url; sentinel has redis.addresses",
    ),
    ({"redis.url": ""}, "redis.url: is empty; give it, or redis.existingSecret.name and urlKey"),
    (
        {"redis.tls.enabled": True},
        "redis.tls.enabled: in redis.mode url the URL says it; write redis.url as rediss://...",
    ),
    (
        {"redis.tls.caSecret.name": "ca"},
        "redis.tls.caSecret.name: in redis.mode url the URL says it; write redis.url as rediss://...",
    ),
    ({"redis.existingSecret.passwordKey": "p"}, "redis.existingSecret.name: is empty; its keys are of no Secret"),
    (
        {"autoscaling.mode": "keda", "autoscaling.minReplicas": 11},
        "autoscaling.minReplicas: is 11; must be at most autoscaling.maxReplicas, 10",
    ),
    ({"autoscaling.mode": "hpa"}, "autoscaling.hpa.metrics: is empty; name at least one metric"),
    (
        {"autoscaling.mode": "hpa", "autoscaling.minReplicas": 0, "autoscaling.hpa.metrics": [{"type": "Resource"}]},
        "autoscaling.minReplicas: is 0; must be at least 1 with autoscaling.mode hpa",
    ),
    (
        {"autoscaling.mode": "keda", "redis.url": "unix:///run/redis.sock"},
        "autoscaling.keda.address: is empty; KEDA needs host:port of the server, which redis.url does not say",
    ),
    (
        {"ingest.enabled": True},
        "ingest.existingSecret.name: is empty; the door needs a token, or anybody could publish events",
    ),
    ({**DOOR, "ingest.port": 8080}, "ingest.port: is 8080, as is admin.port; give each its own"),
    (
        {"ingest.httpRoute": {"enabled": True, "parentRefs": [{"name": "g"}]}},
        "ingest.enabled: is false; ingest.ingress and ingest.httpRoute lead to that door",
    ),
    ({**DOOR, "ingest.ingress.enabled": True}, "ingest.ingress.hosts: is empty; name at least one host"),
    ({**DOOR, "ingest.httpRoute.enabled": True}, "ingest.httpRoute.parentRefs: is empty; name the gateway"),
    (
        {"templates.files": {"a.json": "{}"}, "templates.existingConfigMap": "t"},
        "templates.existingConfigMap: cannot stand beside templates.files; keep one of them",
    ),
]


def refused(helm: Helm, values: dict[str, Any]) -> str:
    came = run(helm, "template", "r", str(CHART), *setting(values))
    assert came.returncode == 1, came.stdout
    return came.stderr


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize(("values", "name", "why"), BY_SCHEMA, ids=[str(values)[:60] for values, _, _ in BY_SCHEMA])
def test_a_wrong_value_is_refused_by_its_name(values: dict[str, Any], name: str, why: str, helm: Helm) -> None:
    said = refused(helm, values)
    assert "values don't meet the specifications of the schema(s)" in said
    # helm 4 says '/redis/mode', helm 3 redis.mode, and of a section of the top level (root) or ''.
    assert name.replace(".", "/") in said or name in said
    assert re.search(why, said)
    assert "hunter2" not in said


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize(("values", "message"), TOGETHER, ids=[message.partition(":")[0] for _, message in TOGETHER])
def test_values_that_do_not_go_together_are_told(values: dict[str, Any], message: str, helm: Helm) -> None:
    said = refused(helm, values)
    assert [line for line in said.splitlines() if line.startswith(message.partition(":")[0])] == [message]
    assert "hunter2" not in said


def test_all_of_them_are_told_at_once() -> None:
    said = refused("helm4", {"redis.mode": "cluster", "ingest.enabled": True, "config.worker.drain_timeout": 100})
    names = ("terminationGracePeriodSeconds", "redis.addresses", "ingest.existingSecret.name")
    assert [line.partition(":")[0] for line in said.splitlines()[1:4]] == list(names)


def test_a_credential_is_what_the_worker_takes_for_one() -> None:
    checks = (CHART / "templates/_checks.tpl").read_text()
    (pattern,) = re.findall(r'\$credential := "\(\?i\)(.*?)" -', checks)
    assert pattern.replace("\\\\", "\\") == _CREDENTIAL.pattern


@pytest.mark.parametrize("helm", HELMS)
def test_on_may_be_written_without_quotes_though_helm_reads_it_as_true(helm: Helm, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(f"handlers: [{{id: a, on: [AuthFailure], target_path: '{TARGET}'}}]\n")
    came = run(helm, "template", "r", str(CHART), "--values", str(file), "--show-only", "templates/configmap.yaml")
    assert came.returncode == 0, came.stderr
    assert '"on": [' in yaml.safe_load(came.stdout)["data"]["config.json"]


NOTES = {
    "default": "with fewer than two pods",
    "minimal": "with fewer than two pods there is no PodDisruptionBudget",
    "sentinel": "autoscaling.minReplicas is 0",
    "cluster": "config.stream.partitions is 1, so everything lies on one node",
    "secrets": "kubectl port-forward --namespace default deploy/r-streamhooks 8080",
}


@pytest.mark.parametrize("case", NOTES)
def test_the_notes_say_what_to_know(case: str) -> None:
    came = run("helm4", "install", "r", str(CHART), "--values", str(file_of(case)), "--dry-run=client")
    assert came.returncode == 0, came.stderr
    notes = came.stdout.partition("NOTES:")[2]
    assert (NOTES[case] in notes) == (case != "default")
    assert "helm test r --namespace default" in notes
    assert "there is no handler" not in notes


def test_the_notes_say_that_there_is_no_handler() -> None:
    came = run("helm4", "install", "r", str(CHART), "--dry-run=client")
    assert "WARNING: there is no handler: every event will count as unmatched" in came.stdout
