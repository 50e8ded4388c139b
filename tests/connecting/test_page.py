"""docs/redis.md says what is: its URLs are read as it says, its TLS settings are those of the configuration."""

import re
from pathlib import Path

import pytest
import yaml

from streamhooks.connecting.address import read
from streamhooks.connecting.sentinels import ASK_EVERY
from streamhooks.files import load_mapping
from streamhooks.secret import Secret
from streamhooks.settings.model import Redis, Tls

PAGE = (Path(__file__).parents[2] / "docs/redis.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_urls_of_the_page_are_read_as_the_page_says() -> None:
    forms = r"one server|by TLS|on this machine|by Sentinel|a \[Cluster\]\(#cluster\)"
    told = dict(re.findall(rf"^\| ({forms}) \| `(\S+)` \|$", PAGE, re.MULTILINE))
    found = {form: read(Secret(url)) for form, url in told.items()}
    assert {form: (address.form, address.tls) for form, address in found.items()} == {
        "one server": ("server", False),
        "by TLS": ("server", True),
        "on this machine": ("unix", False),
        "by Sentinel": ("sentinel", False),
        "a [Cluster](#cluster)": ("cluster", False),
    }
    assert found["by Sentinel"].service == "mymaster"


def test_the_settings_of_the_page_are_those_of_the_configuration() -> None:
    redis = yaml.safe_load(BLOCKS[0])["redis"]
    assert set(redis) == set(Redis.__struct_fields__)
    assert set(redis["tls"]) == set(Tls.__struct_fields__)


@pytest.mark.parametrize("block", BLOCKS[1:])
def test_what_the_page_says_of_partitions_and_clusters_can_be_used(block: str, tmp_path: Path) -> None:
    loaded = load_mapping(yaml.safe_load(block), tmp_path, {"REDIS_PASSWORD": "secret"})
    assert loaded.settings.stream.partitions == 12


def test_how_often_the_sentinels_are_asked_is_told() -> None:
    assert ASK_EVERY == 1.0
    assert "asked again every second" in PAGE
