"""The rig of the tests of the whole journey, see rig.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from redis.asyncio import Redis

from tests.flow.rig import Records, Rig
from tests.served import Served
from tests.servers import Endpoint


@pytest.fixture
def records() -> Iterator[Records]:
    """What is logged at the default level."""
    yield Records()
    structlog.reset_defaults()


@pytest.fixture
def rig(
    redis: Redis,
    served: Served,
    tmp_path: Path,
    endpoint: Endpoint,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> Rig:
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    return Rig(redis, served.url, tmp_path, endpoint, records, tls=served.tls)
