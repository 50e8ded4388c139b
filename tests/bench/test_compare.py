"""`scripts/bench compare`: whoever is set beside us does the same work, or the ratio would mean nothing."""

import pytest

from streamhooks.bench.ground import ground
from tests.bench.server import server
from tests.bench_compare import MISSING, drained, sides


@pytest.mark.timeout(120)
async def test_every_side_delivers_every_event_once_and_leaves_nothing() -> None:
    async with server() as url, ground(url) as here:
        compared, left_out = sides(here.folder)
        names = [side.name for side in compared]
        assert names in (["streamhooks", "go", "python", "floor"], ["streamhooks", "python", "floor"])
        assert left_out == ([] if "go" in names else [MISSING])
        for side in compared[1:]:
            spent = await drained(here, side, 300)
            assert 0 < spent.cpu < spent.wall * 4
