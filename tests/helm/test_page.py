"""docs/kubernetes.md: its commands and values are those of the chart, and its other YAML is YAML."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from streamhooks import __version__
from tests.helm.chart import HELMS, Helm, run
from tests.helm.generated import CHART

PAGE = (CHART.parents[1] / "docs" / "kubernetes.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("helm", HELMS)
def test_the_helm_commands_of_the_page_work_with_its_values(helm: Helm, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(BLOCKS[0].replace("REGISTRY", "registry.example.com"))
    commands = [shlex.split(line) for line in PAGE.splitlines() if line.startswith("    helm ")]
    assert [words[:2] for words in commands] == [["helm", "install"]]
    for _, _, *words in commands:
        local = [str(tmp_path / word) if word == "values.yaml" else word for word in words]
        came = run(helm, "template", *[str(CHART) if word == "helm/streamhooks" else word for word in local])
        assert came.returncode == 0, came.stderr
        assert f"image: registry.example.com/streamhooks:{__version__}" in came.stdout


def test_the_values_that_the_page_names_are_there() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    named = [name.split(".") for name in re.findall(r"`(\w+\.\w+)(?:: \w+)?`", PAGE)]
    ours = [(first, second) for first, second in named if first in values]
    assert len(ours) >= 5
    assert [f"{first}.{second}" for first, second in ours if second not in values[first]] == []


def test_every_block_is_yaml() -> None:
    assert [isinstance(yaml.safe_load(block), dict) for block in BLOCKS] == [True, True]
