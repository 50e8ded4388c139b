"""Every law of the cool-down holds in every state that can be reached."""

import time

import pytest

from tests.figures import Figures
from tests.model.scenes import SUITE
from tests.model.search import Scene, search
from tests.model.telling import told

MOST = 300_000
"""States of one scene. All are smaller: what is searched is searched to the end."""


def _named(scene: Scene) -> str:
    return scene.name.replace(" ", "-")


@pytest.mark.parametrize("scene", SUITE, ids=_named)
def test_no_law_is_broken_whatever_happens_in_whatever_order(scene: Scene, figures: Figures) -> None:
    began = time.monotonic()
    found = search(scene, most=MOST)
    assert found.law is None, told(found)
    assert found.complete
    figures(f"{found.states:,} states, {found.steps:,} steps, all of them, in {time.monotonic() - began:.1f} s")
