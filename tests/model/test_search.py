"""Every law of the cool-down holds in every state that can be reached."""

from collections.abc import Iterator

import pytest

from tests.figures import Figures
from tests.model.scenes import SUITE
from tests.model.search import Found, Scene, search
from tests.model.telling import told

MOST = 300_000
"""States of one scene. All have fewer: what is searched is searched to the end."""


def _named(scene: Scene) -> str:
    return scene.name.replace(" ", "-")


@pytest.fixture(scope="module")
def searched(request: pytest.FixtureRequest) -> Iterator[list[Found]]:
    """Every search of this run."""
    all_of_them: list[Found] = []
    yield all_of_them
    states, steps = (sum(getattr(found, name) for found in all_of_them) for name in ("states", "steps"))
    tell = Figures(request.config, "the cool-down's model")
    tell(f"{states:,} states and {steps:,} steps of {len(all_of_them)} scenes, none left out: no law is broken")


@pytest.mark.parametrize("scene", SUITE, ids=_named)
def test_no_law_is_broken_whatever_happens_in_whatever_order(scene: Scene, searched: list[Found]) -> None:
    found = search(scene, most=MOST)
    searched.append(found)
    assert found.law is None, told(found)
    assert found.complete
