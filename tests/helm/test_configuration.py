"""What the chart writes is what the worker reads: the rendered configuration is loaded by our own loader."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamhooks.files import Loaded, load
from tests.helm.chart import CASES, documents, of_kind, pods, worker

PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
IN_SECRETS = {"url": "rediss://redis.example.com:6379/0", "user": "alice"}
"""What the Secrets of the cases hold, by key; any other key holds SIGNING."""
SIGNING = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
WANTED = {
    "cluster": "redis+cluster://alice@redis-0.redis:6379,redis-1.redis:6379",
    "minimal": "redis://redis",
    "secrets": "rediss://alice@redis.data.svc:6380/2",
    "sentinel": "redis+sentinel://streamhooks@sentinel-0.redis:26379,sentinel-1.redis:26379,sentinel-2.redis:26379/gateway/1",
    "url-secret": "rediss://redis.example.com:6379/0",
}


def environment(container: dict[str, Any]) -> dict[str, str]:
    """The variables as the kubelet makes them: from Secrets, with $(X) filled in."""
    environ: dict[str, str] = {}
    for variable in container["env"]:
        of_secret = variable.get("valueFrom", {}).get("secretKeyRef")
        text = IN_SECRETS.get(of_secret["key"], SIGNING) if of_secret else variable.get("value", "pod")
        if variable["name"] == "PROXY_URL":
            text = "http://user:password@proxy:3128"
        environ[variable["name"]] = re.sub(r"\$\((\w+)\)", lambda match: environ[match[1]], text)
    return environ


def mounted(made: list[dict[str, Any]], root: Path) -> Loaded:
    """The configuration as the pod sees it, its file system under `root`."""
    pod, container = pods(made)[0], worker(made)
    maps = {document["metadata"]["name"]: document.get("data", {}) for document in of_kind(made, "ConfigMap")}
    sources = {volume["name"]: volume for volume in pod["volumes"]}
    for mount in container["volumeMounts"]:
        folder = root / mount["mountPath"].strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        name = sources[mount["name"]].get("configMap", {}).get("name", "")
        for file, text in maps.get(name, {}).items():
            (folder / file).write_text(text.replace("/etc/streamhooks", f"{root}/etc/streamhooks"))
        if "/more/" in mount["mountPath"]:
            handler = {"id": folder.name, "on": ["*"], "target_path": "https://hooks.example.com/"}
            (folder / "more.yaml").write_text(yaml.safe_dump({"handlers": [handler]}))
    for path in re.findall(rf"{root}/etc/streamhooks/(?:secrets|redis)/[^\"]+", str(maps_text(root))):
        Path(path).write_text(PEM if path.endswith((".crt", ".key")) else SIGNING)
    given = [container["args"][place + 1] for place, word in enumerate(container["args"]) if word == "--config"]
    return load([root / path.strip("/") for path in given], environment(container))


def maps_text(root: Path) -> str:
    return (root / "etc/streamhooks/config/config.json").read_text()


@pytest.mark.parametrize("case", CASES)
def test_the_worker_reads_what_the_chart_writes(case: str, tmp_path: Path) -> None:
    made = documents(case)
    loaded = mounted(made, tmp_path)
    settings = loaded.settings
    assert settings.reload is False
    assert settings.admin.listen == ("[::]:8080" if case == "minimal" else "0.0.0.0:8080")
    assert settings.redis.url.reveal() == WANTED.get(case, "redis://redis:6379/0")
    assert loaded.handlers
    assert [str(warning) for warning in loaded.warnings if "tyk" not in warning.path] == []


def test_secrets_come_by_reference(tmp_path: Path) -> None:
    loaded = mounted(documents("secrets"), tmp_path)
    handlers = {handler.id: handler for handler in loaded.handlers}
    assert set(handlers) == {"signed", "more-handlers", "secret-handlers"}
    assert [secret.reveal() for secret in handlers["signed"].secrets] == [SIGNING, SIGNING]
    assert loaded.settings.redis.password.reveal() == SIGNING
    assert loaded.settings.redis.tls.key_file == f"{tmp_path}/etc/streamhooks/redis/client/tls.key"
    assert loaded.settings.admin.token.reveal() == SIGNING
    assert loaded.settings.defaults.proxy.reveal() == "http://user:password@proxy:3128"
    assert SIGNING not in maps_text(tmp_path)


def test_numbers_and_durations_arrive_as_they_were_written(tmp_path: Path) -> None:
    loaded = mounted(documents("extras"), tmp_path)
    settings = loaded.settings
    assert (settings.worker.max_parked, settings.worker.drain_timeout) == (1_000_000, 5.5)
    assert settings.stream.retention.age == 7 * 86400
    (handler,) = loaded.handlers
    assert handler.body.source == '{"text": "{{ .Meta.Message }}", "n": {{ .Meta.Count }}}'


def test_the_http_door_listens_beside_the_admin_address(tmp_path: Path) -> None:
    ingest = mounted(documents("ingest-route"), tmp_path).settings.ingest
    assert (ingest.listen, ingest.token.reveal()) == ("0.0.0.0:8081", SIGNING)
