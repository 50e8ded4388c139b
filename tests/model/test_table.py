"""The table of the cool-down is what lua/claim.lua answers, row by row: also rows that no walk comes by."""

import pytest
from redis.asyncio import Redis

from streamhooks.store.claims import Claims
from streamhooks.store.keys import Keys
from tests.model.crew import WORDS
from tests.model.rules import CLAIMS, REPLAYS, Verdict, Whose
from tests.model.state import OLD_D, OLD_X, C, D, R, X
from tests.store.given import LEASE, WINDOW, claim, mark, state

LETTERS = {C: "c", R: "r", D: "d", X: "x", OLD_D: "d", OLD_X: "x"}
ROWS = [
    (found, whose, replay, verdict)
    for replay, table in ((False, CLAIMS), (True, REPLAYS))
    for (found, whose), verdict in table.items()
]


@pytest.mark.parametrize(("found", "whose", "replay", "verdict"), ROWS)
async def test_a_claim_is_answered_by_the_table(
    redis: Redis, found: int, whose: Whose, replay: bool, verdict: Verdict
) -> None:
    keys = Keys.of("gateway:events")
    owner = "1-1~r1|slack" if replay else "1-1|slack"
    by = owner if whose == "own" else "2-1|slack"
    if found:
        await mark(redis, keys, LETTERS[found], by, age=2 * WINDOW if found in {OLD_D, OLD_X} else 1.0)
    (answer,) = await Claims(redis, keys, LEASE).claim([claim(owner, replay=replay)])
    assert WORDS[type(answer)] == verdict
    assert await state(redis, keys) == (f"c|{owner}" if verdict == "send" else f"{LETTERS[found]}|{by}")


def test_the_table_has_a_row_for_everything_that_may_be_found() -> None:
    assert (
        set(CLAIMS)
        == set(REPLAYS)
        == {(0, "nobody"), *((found, whose) for found in LETTERS for whose in ("own", "another"))}
    )
