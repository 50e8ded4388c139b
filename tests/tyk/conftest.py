"""Tyk's files of our own making, and workers that run them."""

import shutil
from pathlib import Path

import pytest

from tests.flow.conftest import records, rig
from tests.servers import Endpoint

__all__ = ["records", "rig"]

DEFINITIONS = Path(__file__).parent / "definitions"


@pytest.fixture
def tyk_files(tmp_path: Path, endpoint: Endpoint) -> Path:
    """A gateway's folder, tmp_path itself, whose webhooks all lead to the endpoint."""
    shutil.copytree(DEFINITIONS, tmp_path, dirs_exist_ok=True)
    host = endpoint.url.removeprefix("http://")
    for path in [tmp_path / "tyk.conf", *(tmp_path / "apps").iterdir()]:
        path.write_text(path.read_text().replace("127.0.0.1:9/", f"{host}/"))
    return tmp_path
