"""docs/kubernetes.md: its values are values of the chart, and its other YAML is YAML."""

import re
from pathlib import Path

import yaml

from tests.helm.chart import run
from tests.helm.generated import CHART

PAGE = (CHART.parents[1] / "docs" / "kubernetes.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_values_of_the_page_make_a_worker(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(BLOCKS[0].replace("REGISTRY", "registry.example.com"))
    came = run("helm4", "template", "streamhooks", str(CHART), "--values", str(file))
    assert came.returncode == 0, came.stderr
    assert "image: registry.example.com/streamhooks:0.1.0" in came.stdout


def test_the_values_that_the_page_names_are_there() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    for name in re.findall(r"`(\w+(?:\.\w+)?)(?:: \w+)?`", PAGE):
        first, _, second = name.partition(".")
        if first in values and second:
            assert second in values[first], name


def test_every_block_is_yaml() -> None:
    assert [isinstance(yaml.safe_load(block), dict) for block in BLOCKS] == [True, True]
