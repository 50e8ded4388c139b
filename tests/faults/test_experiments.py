"""The smoke set of the fault experiments: every law holds, on the server that --server names."""

from collections.abc import Callable

import pytest

from tests.faults.engines import engines
from tests.faults.experiments import CannotRunError, Experiment, experiments
from tests.faults.run import lacking, perform
from tests.figures import Figures

SMOKE = [one for one in experiments().values() if one.smoke]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("one", SMOKE, ids=lambda one: one.name.replace(" ", "-"))
async def test_nothing_is_lost_and_nothing_invented_when(
    one: Experiment, figures: Figures, record_property: Callable[[str, object], None], pytestconfig: pytest.Config
) -> None:
    on = str(pytestconfig.getoption("server"))
    engine = engines().get(on, engines()["valkey"])
    if on != engine.name and not one.anywhere:
        pytest.skip("this experiment does something to one server")
    if missing := lacking(one):
        pytest.skip(f"{', '.join(missing)} is not installed")
    try:
        verdict = await perform(one, engine, seed=1, on=on)
    except CannotRunError as why:
        pytest.skip(str(why))
    recovery = "" if verdict.recovery is None else f", went on after {verdict.recovery:.1f} s"
    figures(
        f"{verdict.events} events: lost {verdict.lost}, unexpected {verdict.unexpected}, duplicated "
        f"{verdict.duplicated}, dead {verdict.dead}{recovery}{verdict.notes and f', {verdict.notes}'}"
    )
    record_property("lost", verdict.lost)
    record_property("duplicates", verdict.duplicated)
    if "failover" in one.name and verdict.recovery is not None:
        record_property("recovery", verdict.recovery)
    assert not verdict.broken
