"""The cool-down's table: what is found, and what is done. One test for each row."""

import pytest
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.claims import CLAIMS_PER_CALL, Claim, Covered, Done, Park, Send, Verdict
from streamhooks.store.keys import Keys
from tests.store.given import HOOK, LEASE, PRINT, WINDOW, Worker, claim, mark, now, stamp, state

MINE = "100-1|slack"
OTHER = "99-1|slack"
RUN = "100-1~r1|slack"


class Row(Struct, frozen=True):
    found: str
    """`state|owner`; empty: nothing."""
    verdict: Verdict
    age: float = 0.0
    replay: bool = False

    @property
    def name(self) -> str:
        return f"{self.found or 'nothing'}, {self.age:g} s old{', replay' if self.replay else ''}"


TABLE = [
    Row("", Send()),
    Row(f"c|{MINE}", Send()),
    Row(f"r|{MINE}", Send()),
    Row(f"d|{MINE}", Done()),
    Row(f"d|{MINE}", Done(), age=WINDOW + 1),
    Row(f"x|{MINE}", Send()),
    Row(f"x|{OTHER}", Send(), replay=True),
    Row(f"x|{MINE}", Send(), replay=True),
    Row(f"d|{OTHER}", Covered(OTHER), age=WINDOW - 10),
    Row(f"x|{OTHER}", Covered(OTHER), age=WINDOW - 10),
    Row(f"d|{OTHER}", Covered(OTHER), age=WINDOW - 10, replay=True),
    Row(f"d|{OTHER}", Send(), age=WINDOW),
    Row(f"x|{OTHER}", Send(), age=WINDOW),
    Row(f"r|{OTHER}", Covered(OTHER)),
    Row(f"r|{OTHER}", Covered(OTHER), age=WINDOW + 1),
    Row(f"r|{OTHER}", Covered(OTHER), replay=True),
    Row(f"c|{OTHER}", Park()),
    Row(f"c|{OTHER}", Park(), age=WINDOW + 1),
    Row(f"c|{OTHER}", Park(), replay=True),
]


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
async def test_the_table_of_claims(redis: Redis, keys: Keys, one: Worker, row: Row) -> None:
    if row.found:
        await mark(redis, keys, row.found[0], row.found[2:], age=row.age)
    found = await redis.get(keys.cool(HOOK, PRINT))

    (verdict,) = await one.claims.claim([claim(MINE, replay=row.replay)])

    assert verdict == row.verdict
    if verdict == Send():
        assert await state(redis, keys) == f"c|{MINE}"
        assert 0 <= await now(redis) - await stamp(redis, keys) < 5_000
        assert 0 < await redis.pttl(keys.cool(HOOK, PRINT)) <= LEASE * 1000
    else:
        assert await redis.get(keys.cool(HOOK, PRINT)) == found
        assert await redis.pttl(keys.cool(HOOK, PRINT)) > LEASE * 1000


async def test_a_replay_is_another_owner_than_its_event(redis: Redis, keys: Keys, one: Worker) -> None:
    await mark(redis, keys, "d", MINE)
    assert await one.claims.claim([claim(RUN, replay=True)]) == [Covered(MINE)]


async def test_an_owner_whose_id_begins_like_ours_is_another(redis: Redis, keys: Keys, one: Worker) -> None:
    await mark(redis, keys, "c", MINE + "-eu")
    assert await one.claims.claim([claim(MINE)]) == [Park()]


async def test_a_cool_down_that_nobody_of_ours_wrote_suppresses_nothing(redis: Redis, keys: Keys, one: Worker) -> None:
    await redis.set(keys.cool(HOOK, PRINT), "1", px=60_000)
    assert await one.claims.claim([claim(MINE)]) == [Send()]
    assert await state(redis, keys) == f"c|{MINE}"


async def test_of_two_owners_in_one_call_the_first_sends_and_the_second_waits(keys: Keys, one: Worker) -> None:
    assert await one.claims.claim([claim(MINE), claim(OTHER), claim(MINE)]) == [Send(), Park(), Send()]


async def test_handlers_and_requests_do_not_share_a_cool_down(keys: Keys, one: Worker) -> None:
    others = [claim(OTHER, fingerprint="f" * 32), Claim("pager", PRINT, OTHER, WINDOW)]
    assert await one.claims.claim([claim(MINE), *others]) == [Send(), Send(), Send()]


async def test_more_claims_than_one_call_holds_are_answered_in_order(keys: Keys, one: Worker) -> None:
    many = [claim(f"{n}-1|slack", fingerprint=f"{n:032x}") for n in range(CLAIMS_PER_CALL + 2)]
    assert await one.claims.claim(many) == [Send()] * len(many)
    assert await one.claims.claim([*many[1:], claim("x-1|slack", fingerprint=f"{0:032x}")]) == [
        *[Send()] * (len(many) - 1),
        Park(),
    ]


async def test_claiming_nothing_asks_nothing(one: Worker) -> None:
    assert await one.claims.claim([]) == []


@pytest.mark.parametrize("found", [f"c|{OTHER}", f"r|{MINE}", f"d|{MINE}", f"x|{MINE}"])
async def test_extending_touches_nothing_but_our_own_claim(redis: Redis, keys: Keys, one: Worker, found: str) -> None:
    await mark(redis, keys, found[0], found[2:])
    await one.claims.extend([claim(MINE)])
    assert await state(redis, keys) == found
    assert await redis.pttl(keys.cool(HOOK, PRINT)) > LEASE * 1000


async def test_extending_keeps_our_own_claim_for_another_lease(redis: Redis, keys: Keys, one: Worker) -> None:
    await one.claims.claim([claim(MINE)])
    await redis.pexpire(keys.cool(HOOK, PRINT), 5_000)
    await one.claims.extend([claim("50-1|slack", fingerprint="f" * 32), claim(MINE)])
    assert 5_000 < await redis.pttl(keys.cool(HOOK, PRINT)) <= LEASE * 1000
    assert await redis.exists(keys.cool(HOOK, "f" * 32)) == 0
