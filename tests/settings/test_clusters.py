"""What a configuration says of a cluster and its partitions."""

from pathlib import Path
from typing import Any

import pytest

from streamhooks.files import load_mapping

SAID = (
    "a.yaml: stream.key: holds a hash tag, so all partitions are in one slot of the cluster, and on one node; "
    "take it out"
)


@pytest.mark.parametrize(
    ("url", "stream", "warned"),
    [
        ("redis+cluster://h1:6379", {"key": "{gateway}:events", "partitions": 3}, True),
        ("rediss+cluster://h1:6379", {"key": "{gateway}:events", "partitions": 3}, True),
        ("redis+cluster://h1:6379", {"key": "{gateway}:events"}, False),
        ("redis+cluster://h1:6379", {"key": "gateway:events", "partitions": 3}, False),
        ("redis://h1:6379", {"key": "{gateway}:events", "partitions": 3}, False),
    ],
)
def test_partitions_that_share_a_hash_tag_share_a_node(
    url: str, stream: dict[str, Any], warned: bool, tmp_path: Path
) -> None:
    loaded = load_mapping({"redis": {"url": url}, "stream": stream}, tmp_path, name="a.yaml")
    assert (SAID in [str(warning) for warning in loaded.warnings]) == warned
