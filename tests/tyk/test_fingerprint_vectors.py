"""The fingerprints that Go makes of requests are those of handlers that are read from Tyk's files."""

import json
from pathlib import Path
from typing import Any

import pytest

from streamhooks.delivery.request import RequestMaker
from streamhooks.event_types import example
from tests.tyk.loading import api, classic, loaded

VECTORS = json.loads((Path(__file__).parent.parent / "delivery/request-checksums.json").read_text())["requests"]
OPEN = {"allow_cidrs": ["0.0.0.0/0", "::/0"]}
REFUSED = (" ", "%25en0", "%zz")
"""URLs with these are faults here: a space, an IPv6 zone, half an escape."""
USABLE = [
    vector
    for vector in VECTORS
    if vector["URL"].lower().startswith(("http://", "https://"))
    and not vector["Err"]
    and not any(part in vector["URL"] for part in REFUSED)
]


def test_most_of_the_vectors_are_used() -> None:
    assert len(USABLE) >= 14


@pytest.mark.parametrize("vector", USABLE, ids=[f"{v['Method']} {v['URL']} {len(v['Body'])}" for v in USABLE])
def test_a_webhook_has_the_fingerprint_that_tyk_would_look_for(vector: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/body.json").write_text(vector["Body"])
    meta = {"method": vector["Method"], "target_path": vector["URL"], "template_path": "templates/body.json"}
    api(tmp_path, classic(meta))
    (handler,) = loaded(tmp_path, {"compat": "tyk"}, defaults=OPEN).handlers
    request = RequestMaker(handler).make(example("AuthFailure"))
    assert request.fingerprint == vector["MD5"]
    assert request.body == vector["Body"].encode()
