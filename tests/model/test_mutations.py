"""The laws are no idle talk: a rule that is changed breaks one of them, and the search finds it."""

import pytest

from tests.model.mutations import MUTATIONS, Mutation
from tests.model.rules import DESIGN
from tests.model.search import search
from tests.model.telling import MEANING, told

MOST = 50_000


def _named(mutation: Mutation) -> str:
    return mutation.name.replace(" ", "-")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=_named)
def test_the_search_finds_what_a_changed_rule_breaks(mutation: Mutation) -> None:
    found = search(mutation.scene, mutation.rules, most=MOST, law=mutation.breaks)
    trace = told(found)
    print(trace)
    assert found.law == mutation.breaks, trace
    assert found.path
    assert trace.startswith(f"{mutation.name}: {mutation.breaks}: {MEANING[mutation.breaks]}\n  1 worker 1: read")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=_named)
def test_the_same_scene_breaks_nothing_by_the_design(mutation: Mutation) -> None:
    found = search(mutation.scene, DESIGN, most=MOST)
    assert found.law is None, told(found)
    assert found.complete


def test_a_trace_tells_in_words_what_happened() -> None:
    mutation = next(one for one in MUTATIONS if one.name == "a claim made before counts as sent")
    found = search(mutation.scene, mutation.rules, most=MOST, law=mutation.breaks)
    assert told(found).splitlines() == [
        f"a claim made before counts as sent: lost: {MEANING['lost']}",
        "  1 worker 1: read event 1",
        "      event 1 pending at worker 1",
        "  2 worker 1: claim event 1: send",
        "      cool-down in flight (c) by event 1; event 1 pending at worker 1",
        "  3 worker 1: crash",
        "      cool-down in flight (c) by event 1; event 1 pending at a dead worker",
        "  4 worker 1: take event 1",
        "      cool-down in flight (c) by event 1; event 1 pending at worker 1",
        "  5 worker 1: claim event 1: done",
        "      cool-down in flight (c) by event 1; event 1 pending at worker 1",
        "  6 worker 1: settle event 1",
        "      cool-down delivered (d) by event 1; event 1 gone; event 1 counts as delivered",
    ]
