"""docs/redis.md says what is: its URLs are read as it says, its TLS settings are those of the configuration."""

import re
from pathlib import Path

import yaml

from streamhooks.connecting.address import read
from streamhooks.connecting.sentinels import ASK_EVERY
from streamhooks.secret import Secret
from streamhooks.settings.model import Redis, Tls

PAGE = (Path(__file__).parents[2] / "docs/redis.md").read_text()


def test_the_urls_of_the_page_are_read_as_the_page_says() -> None:
    told = dict(re.findall(r"^\| (one server|by TLS|on this machine|by Sentinel) \| `(\S+)` \|$", PAGE, re.MULTILINE))
    found = {form: read(Secret(url)) for form, url in told.items()}
    assert {form: (address.form, address.tls) for form, address in found.items()} == {
        "one server": ("server", False),
        "by TLS": ("server", True),
        "on this machine": ("unix", False),
        "by Sentinel": ("sentinel", False),
    }
    assert found["by Sentinel"].service == "mymaster"


def test_the_settings_of_the_page_are_those_of_the_configuration() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    redis = yaml.safe_load(block)["redis"]
    assert set(redis) == set(Redis.__struct_fields__)
    assert set(redis["tls"]) == set(Tls.__struct_fields__)


def test_how_often_the_sentinels_are_asked_is_told() -> None:
    assert ASK_EVERY == 1.0
    assert "asked again every second" in PAGE
