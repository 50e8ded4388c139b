"""The smoke set of the fault experiments: every law holds, on the server that comes with the packages."""

import pytest

from tests.faults.engines import engines
from tests.faults.experiments import CannotRunError, Experiment, experiments
from tests.faults.run import lacking, perform
from tests.figures import Figures

SMOKE = [one for one in experiments().values() if one.smoke]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("one", SMOKE, ids=lambda one: one.name.replace(" ", "-"))
async def test_nothing_is_lost_and_nothing_invented_when(one: Experiment, figures: Figures) -> None:
    if missing := lacking(one):
        pytest.skip(f"{', '.join(missing)} is not installed")
    try:
        verdict = await perform(one, engines()["valkey"], seed=1)
    except CannotRunError as why:
        pytest.skip(str(why))
    recovery = "" if verdict.recovery is None else f", went on after {verdict.recovery:.1f} s"
    figures(
        f"{verdict.events} events: lost {verdict.lost}, unexpected {verdict.unexpected}, duplicated "
        f"{verdict.duplicated}, dead {verdict.dead}{recovery}{verdict.notes and f', {verdict.notes}'}"
    )
    assert not verdict.broken
