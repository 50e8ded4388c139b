"""Both ways of sending, see ways.py."""

from typing import cast

import pytest

from tests.sender.ways import WAYS, Way


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """A test that asks for it is run by `send` and by `ask`."""
    return cast("Way", request.param)
