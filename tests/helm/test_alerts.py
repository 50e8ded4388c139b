"""The alerts that the chart installs: those of files/alerts.yaml, as promtool takes them."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.helm.chart import ROOT, documents, setting, the
from tests.helm.generated import CHART, alerts

WITH_RULES = setting({"prometheusRule.enabled": True})


def test_every_alert_is_installed_as_it_stands_in_the_file() -> None:
    (group,) = the(documents("default", "helm4", "1.37", *WITH_RULES), "PrometheusRule")["spec"]["groups"]
    (shipped,) = yaml.safe_load((CHART / "files/alerts.yaml").read_text())["groups"]
    assert group["rules"] == shipped["rules"]


def test_an_alert_can_be_left_out_and_changed() -> None:
    (group,) = the(documents("monitoring"), "PrometheusRule")["spec"]["groups"]
    rules = {rule["alert"]: rule for rule in group["rules"]}
    assert set(rules) == set(alerts()) - {"StreamhooksHandlerPaused"}
    grows = rules["StreamhooksBacklogGrows"]
    assert grows["expr"].startswith("max(streamhooks_backlog) > 50000")
    assert (grows["for"], grows["labels"]) == ("15m", {"severity": "critical"})
    assert "summary" in grows["annotations"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_installed_rules_and_each_fires_when_it_must(tmp_path: Path) -> None:
    rules = the(documents("default", "helm4", "1.37", *WITH_RULES), "PrometheusRule")["spec"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    tests = yaml.safe_load((ROOT / "tests/alerts/alerts.test.yaml").read_text())
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({**tests, "rule_files": [str(tmp_path / "rules.yaml")]}))
    for words in (["check", "rules", "rules.yaml"], ["test", "rules", "tests.yaml"]):
        ran = subprocess.run(["promtool", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
