"""What waits in the stream stays in the stream."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.backlog import watch
from tests.figures import Figures

ENTRIES = 100_000
BOUND = 150_000_000


@pytest.mark.timeout(120)
async def test_a_long_backlog_does_not_make_the_worker_large(
    redis: Redis, redis_url: str, tmp_path: Path, figures: Figures
) -> None:
    seen = await watch(redis, redis_url, tmp_path, ENTRIES, 5.0)
    figures(f"{ENTRIES} entries waiting: peak {seen.peak / 1e6:.1f} MB, {seen.delivered} delivered")
    assert seen.delivered > 1000
    assert seen.peak < BOUND
