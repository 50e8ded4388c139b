"""The configuration that the chart writes is one that the worker reads; a change of it is a rollout."""

import json
import re
from pathlib import Path

import pytest

from streamhooks.files import load_mapping
from tests.helm.chart import CASES, configuration, documents, rendered, setting, the, worker

TOKEN = "a-token-of-32-characters-or-more"
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
HANDLER = {"id": "all", "on": ["*"], "target_path": "https://hooks.example.com/"}


def _environment(case: str) -> dict[str, str]:
    """What Kubernetes would put into the container's variables, with something for each secret."""
    said = {one["name"]: one.get("value", TOKEN) for one in worker(documents(case))["env"]}
    urls = {name: "redis://redis:6379/0" for name in said if name.endswith("REDIS_URL")}
    return said | urls | {name: "http://proxy.example.com:3128" for name in said if "PROXY" in name}


def _with_files(text: str, folder: Path) -> str:
    """The configuration with the mounted files in a folder of the test, and something in each of them."""
    for path in re.findall(r"/etc/streamhooks/(?:secrets|redis)/[^\"]+", text):
        place = folder / path.removeprefix("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" if "/hook" in path else PEM)
    return re.sub(r"/etc/streamhooks/(secrets|redis)/", lambda found: f"{folder}/etc/streamhooks/{found[1]}/", text)


@pytest.mark.parametrize("case", [case for case in CASES if case not in ("tyk", "minimal")])
def test_the_worker_reads_what_the_chart_writes(case: str, tmp_path: Path) -> None:
    config = json.loads(_with_files(json.dumps(configuration(documents(case))), tmp_path))
    config["templates"]["path"] = str(tmp_path)
    for document in documents(case):
        if document["metadata"]["name"].endswith("-templates"):
            for name, text in document.get("data", {}).items():
                (tmp_path / name).write_text(text)
    loaded = load_mapping(config, tmp_path, _environment(case))
    assert loaded.settings.reload is False
    assert loaded.handlers


def _checksums(*words: str) -> dict[str, str]:
    template = the(documents("default", "helm4", "1.37", *words), "Deployment")["spec"]["template"]
    return {name: value for name, value in template["metadata"]["annotations"].items() if name.startswith("checksum/")}


def test_a_changed_handler_or_template_is_a_rollout_and_nothing_else_is() -> None:
    before = _checksums()
    assert _checksums(*setting({"commonLabels": {"team": "gateway"}})) == before
    handler = _checksums(*setting({"handlers": [HANDLER | {"event_timeout": 10}]}))
    assert handler["checksum/config"] != before["checksum/config"]
    assert handler["checksum/templates"] == before["checksum/templates"]
    template = _checksums(*setting({"templates.files": {"a.json": "{}"}}))
    assert template["checksum/templates"] != before["checksum/templates"]


@pytest.mark.parametrize("case", CASES)
def test_no_document_holds_a_secret(case: str) -> None:
    assert "kind: Secret\n" not in rendered(case)
    assert not re.search(r"whsec_|://[^/\s\"@]+:[^/\s\"@]+@", rendered(case))
