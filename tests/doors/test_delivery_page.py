"""docs/delivery.md says what is: its configurations load, its commands are commands, its figures are the defaults."""

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest

from streamhooks.cli import main
from streamhooks.files import load
from streamhooks.model import DeadReason
from streamhooks.own_events import MEANINGS
from streamhooks.settings import Defaults
from streamhooks.store.pauses import RESUME_RATE

PAGE = (Path(__file__).parents[2] / "docs/delivery.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^    (streamhooks .*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_configuration_of_the_page_loads(block: str, tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir()
    for name in ("ca.pem", "us.pem", "us.key"):
        (tmp_path / "certs" / name).write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    file = tmp_path / "streamhooks.yaml"
    file.write_text(block)
    loaded = load([file], {})
    assert [warning for warning in loaded.warnings if "handlers: there is none" not in str(warning)] == []
    assert len(loaded.handlers) == block.count("  - id:")


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_is_understood(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(line)[1:]
    assert main([*words, "--help"]) == 0
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert {word for word in words if word.startswith("--")} <= options


def test_the_defaults_that_the_page_names_are_the_defaults() -> None:
    retry, breaker, others = Defaults().retry, Defaults().breaker, Defaults()
    assert "delays: [5s, 30s, 2m, 10m, 30m, 1h, 3h, 6h, 12h]" in PAGE
    assert list(retry.delays) == [5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200]
    assert [retry.jitter, retry.max_age, others.timeout, others.concurrency] == [0.2, 86400, 15, 32]
    assert "{consecutive: 20, ratio: 0.7, window: 5m, min_calls: 10, open: 30s, open_cap: 10m}" in PAGE
    assert [breaker.consecutive, breaker.ratio, breaker.window, breaker.min_calls] == [20, 0.7, 300, 10]
    assert [breaker.open, breaker.open_cap] == [30, 600]
    assert f"{RESUME_RATE:g} a second by default" in PAGE


def test_the_reasons_that_the_page_names_are_reasons() -> None:
    named = set(re.findall(r"reason `([a-z_]+)`", PAGE))
    assert named == {"gone", "permanent_status", "destination_denied", "overflow"}
    assert named <= set(get_args(DeadReason))


def test_the_own_events_are_those_of_the_page() -> None:
    rows = [f"| `{kind}` | {meaning} |" for kind, meaning in MEANINGS.items()]
    assert "\n".join(rows) in PAGE
