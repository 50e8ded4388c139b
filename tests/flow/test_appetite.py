"""How many entries a reader asks for: more and more, and few where they are large."""

import tracemalloc

import pytest

from streamhooks.flow.appetite import FIRST, Appetite
from streamhooks.model import Entry
from streamhooks.store.stream import BYTES_PER_CALL
from tests.flow.rig import Rig

BATCH = 100
LARGE = 20


def entries(count: int, size: int = 100) -> list[Entry]:
    return [Entry(f"{number}-1", {b"d": b"x" * size}) for number in range(count)]


def test_a_reader_begins_small_and_asks_for_twice_as_much_as_it_was_given() -> None:
    appetite = Appetite(BATCH)
    asked = []
    for _ in range(7):
        asked.append(appetite.count)
        appetite.had(entries(appetite.count))
    assert asked == [4, 8, 16, 32, 64, 100, 100]


def test_a_batch_that_is_smaller_than_the_first_read_is_kept_to() -> None:
    appetite = Appetite(2)
    assert appetite.count == 2
    appetite.had(entries(2))
    assert appetite.count == 2


@pytest.mark.parametrize(
    ("size", "next_one"),
    [
        pytest.param(0, BATCH, id="empty ones"),
        pytest.param(BYTES_PER_CALL // 10, 10, id="a tenth of what may come at once"),
        pytest.param(BYTES_PER_CALL, 1, id="all of it"),
        pytest.param(BYTES_PER_CALL * 3, 1, id="more than that"),
    ],
)
def test_the_largest_entry_decides_how_many_may_come_next(size: int, next_one: int) -> None:
    appetite = Appetite(BATCH)
    appetite.had([*entries(BATCH - 1), *entries(1, size)])
    assert appetite.count == next_one


def test_after_large_entries_it_grows_again() -> None:
    appetite = Appetite(BATCH)
    appetite.had(entries(1, BYTES_PER_CALL))
    appetite.had(entries(1))
    assert appetite.count == FIRST


async def test_a_backlog_of_large_entries_is_never_in_memory_all_at_once(rig: Rig) -> None:
    for _ in range(LARGE):
        await rig.add({"type": "A", "text": b"x" * (BYTES_PER_CALL // 2)})
    tracemalloc.start()
    try:
        async with rig.working(rig.handler()):
            await rig.settled(dead=LARGE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < LARGE * BYTES_PER_CALL // 2
