"""The alerts and the dashboard that the chart ships: right by promtool, and about metrics that there are."""

import re
import shutil
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.alerts import dashboard
from tests.flow.rig import Rig

HERE = Path(__file__).parent
RULES = HERE.parents[1] / "helm/streamhooks/files/alerts.yaml"
_METRIC = re.compile(r"streamhooks_[a-z_]+")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("words", [["check", "rules", str(RULES)], ["test", "rules", str(HERE / "alerts.test.yaml")]])
def test_promtool_finds_the_rules_right_and_each_alert_fires_when_it_must(words: list[str]) -> None:
    ran = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_has_a_test() -> None:
    alerts = set(re.findall(r"alert: (\w+)", RULES.read_text()))
    assert alerts == set(re.findall(r"alertname: (\w+)", (HERE / "alerts.test.yaml").read_text()))


def test_the_dashboard_is_what_its_table_says() -> None:
    assert dashboard.FILE.read_text() == dashboard.text(), "run scripts/dashboard"


async def test_every_metric_of_alerts_and_dashboard_is_one_that_a_worker_shows(rig: Rig) -> None:
    rig.endpoint.script(422)
    async with rig.working(rig.handler(), admin={"listen": "127.0.0.1:0"}) as worker:
        await rig.publish("abc")
        await rig.settled(dead=1)
        (said,) = rig.records.of("admin_listens")
        async with aiohttp.ClientSession() as session, session.get(f"http://{said['address']}/metrics") as answer:
            shown = set(re.findall(r"^(streamhooks_[a-z_]+)", await answer.text(), re.MULTILINE))
        assert worker.reached
    asked = set(_METRIC.findall(dashboard.text())) | set(_METRIC.findall(RULES.read_text()))
    assert asked - shown == set()
    assert _plain(shown) - _plain(asked) == dashboard.NOT_DRAWN, "draw it, or say that nobody needs to see it"


def _plain(names: set[str]) -> set[str]:
    """Without what Prometheus's form adds to them."""
    return {re.sub(r"_(?:total|created|bucket|sum|count)$", "", name) for name in names}
