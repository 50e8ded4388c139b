"""What a machine without Kubernetes is set up with: each file is read by the tool that will read it."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from compose_spec import PyCompose

from streamhooks.settings.duration import seconds
from streamhooks.settings.model import Worker

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "scripts" / "systemd" / "streamhooks@.service"
COMPOSE = (ROOT / "compose.yaml").read_text()
DRAIN = Worker().drain_timeout


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as an instance, with a program that is there: systemd looks for it."""
    place = tmp_path / "streamhooks@1.service"
    place.write_text(UNIT.read_text().replace("/opt/streamhooks/bin/streamhooks", "/bin/true"))
    return place


def _systemd(*command: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    return subprocess.run(["systemd-analyze", *command], capture_output=True, text=True, check=False)


def test_systemd_takes_the_unit_without_a_word(unit: Path) -> None:
    done = _systemd("verify", "--man=no", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_unit_exposes_less_than_one_and_a_half_of_ten_points(unit: Path) -> None:
    done = _systemd("security", "--offline=true", "--no-pager", "--threshold=15", str(unit))
    assert done.returncode == 0, done.stdout[-300:]


def test_the_unit_lets_a_worker_drain_and_does_not_restart_a_faulty_configuration() -> None:
    said = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if "=" in line and line[0] not in "#[")
    assert float(said["TimeoutStopSec"]) >= DRAIN + 5
    assert said["RestartPreventExitStatus"] == "2"


def test_the_compose_file_is_what_the_compose_specification_asks_for() -> None:
    assert PyCompose.from_yaml(COMPOSE).service_names() == ["valkey", "worker"]


@pytest.mark.parametrize(
    ("right", "wrong"), [("read_only:", "readonly:"), ("stop_grace_period: 30s", "stop_grace_period: soon")]
)
def test_a_compose_file_with_a_slip_is_refused(right: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=r"services\.worker"):
        PyCompose.from_yaml(COMPOSE.replace(right, wrong))


def test_a_worker_of_the_compose_file_drains_and_may_do_nothing_else_than_work() -> None:
    worker: dict[str, Any] = PyCompose.from_yaml(COMPOSE).to_dict()["services"]["worker"]
    assert seconds(worker["stop_grace_period"]) >= DRAIN + 5
    assert worker["read_only"] is True
    assert worker["cap_drop"] == ["ALL"]
    assert worker["security_opt"] == ["no-new-privileges:true"]
