"""What values may be: the files made of them are current, and a wrong one is refused by its name."""

from typing import Any

import pytest

from tests.helm.chart import HELMS, Helm, file_of, run, setting
from tests.helm.generated import CHART, README, SCHEMA, readme_text, schema_text


def test_the_schema_and_the_page_are_what_the_values_and_the_structs_say() -> None:
    assert SCHEMA.read_text() == schema_text(), "run scripts/chart"
    assert README.read_text() == readme_text(), "run scripts/chart"


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicaCount": "two"}, "replicaCount"),
        ({"replicas": 2}, "replicas"),
        ({"redis.mode": "single"}, "redis"),
        ({"redis.url": "redis://user:secret@redis:6379/0"}, "redis"),
        ({"image.tag": "latest"}, "tag"),
        ({"autoscaling.mode": "both"}, "autoscaling"),
        ({"terminationGracePeriodSeconds": 20}, "terminationGracePeriodSeconds: is 20; must be at least 30"),
        ({"config": {"worker": {"drain_timeout": "2m"}}}, "config.worker.drain_timeout (2m)"),
        ({"config": {"worker": {"in_fligth": 4}}}, "in_fligth"),
        ({"config": {"worker": {"batch": 0}}}, "batch"),
        ({"handlers": [{"id": "a", "on": ["*"], "tagret_path": "https://a.example/"}]}, "tagret_path"),
        ({"handlers": [{"id": "A b", "on": ["*"], "target_path": "https://a.example/"}]}, "id"),
        (
            {"handlers": [{"id": "a", "on": ["*"], "target_path": "https://a.example/",
                           "header_map": {"Authorization": "Bearer 123"}}]},
            "handlers[0].header_map.Authorization: holds a credential",
        ),
        ({"ingest.enabled": True}, "ingest"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_name(helm: Helm, values: dict[str, Any], named: str) -> None:
    came = run(helm, "template", "r", str(CHART), "--values", str(file_of("default")), *setting(values))
    assert came.returncode != 0, f"{values} was taken"
    assert named in came.stderr, came.stderr
