"""Settling: what each end stores, marks and acknowledges, and what it may do only while the carrier is ours."""

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from streamhooks.store.claims import Send
from streamhooks.store.connection import ask
from streamhooks.store.dead import DeadLetters
from streamhooks.store.keys import Keys, tyk_mark
from streamhooks.store.parked import Parked
from streamhooks.store.settle import Kind, Ledger
from tests.store.given import (
    GROUP,
    HOOK,
    LEASE,
    PRINT,
    WINDOW,
    Worker,
    account,
    add,
    claim,
    everything,
    mark,
    now,
    owner_of,
    pending,
    record_of,
    settlement,
    stamp,
    state,
    worker,
)

FENCED: tuple[Kind, ...] = ("delivered", "retry", "dead")
OTHER = "99-1|slack"


async def claimed(redis: Redis, keys: Keys, by: Worker) -> str:
    """A new entry that this worker has read and may send."""
    await add(redis, keys)
    (entry,) = await by.read()
    assert await by.claims.claim([claim(owner_of(entry.id))]) == [Send()]
    return entry.id


async def test_a_delivery_is_marked_and_acknowledged(redis: Redis, keys: Keys, one: Worker) -> None:
    id = await claimed(redis, keys, one)
    assert await one.settle(settlement("delivered", id)) == "acked"
    assert await state(redis, keys) == f"d|{id}|slack"
    assert await pending(redis, keys.stream) == {}
    assert await account(redis, keys) == {"accepted": 1, "delivered": 1}


async def test_the_mark_of_a_delivery_bears_the_time_of_the_reply(redis: Redis, keys: Keys, one: Worker) -> None:
    """A stall between the reply and the settling cannot make a cool-down longer."""
    id = await claimed(redis, keys, one)
    await one.settle(settlement("delivered", id, amount=20.0))
    age = await now(redis) - await stamp(redis, keys)
    assert 20_000 <= age < 25_000


async def test_a_mark_lives_for_the_cool_down_where_that_is_the_longer(redis: Redis, keys: Keys, one: Worker) -> None:
    id = await claimed(redis, keys, one)
    long = 10 * LEASE
    await one.settle(replace(settlement("delivered", id), window=long))
    assert 2 * LEASE * 1000 < await redis.pttl(keys.cool(HOOK, PRINT)) <= long * 1000


@pytest.mark.parametrize("kind", ["delivered", "dead"])
async def test_a_mark_lives_for_two_leases_where_the_cool_down_is_shorter(
    redis: Redis, keys: Keys, one: Worker, kind: Kind
) -> None:
    id = await claimed(redis, keys, one)
    await one.settle(replace(settlement(kind, id), window=1.0))
    assert LEASE * 1000 < await redis.pttl(keys.cool(HOOK, PRINT)) <= 2 * LEASE * 1000


@pytest.mark.parametrize("found", ["", f"c|{OTHER}", f"r|{OTHER}", f"d|{OTHER}", f"x|{OTHER}"])
async def test_a_delivery_is_marked_whatever_has_become_of_the_claim(
    redis: Redis, keys: Keys, one: Worker, found: str
) -> None:
    """Never fence on the key itself: it may be evicted, or its lease may have run out under a slow request."""
    id = await claimed(redis, keys, one)
    await redis.delete(keys.cool(HOOK, PRINT))
    if found:
        await mark(redis, keys, found[0], found[2:])
    assert await one.settle(settlement("delivered", id)) == "acked"
    assert await state(redis, keys) == f"d|{id}|slack"


async def test_a_handler_without_a_cool_down_leaves_no_mark(redis: Redis, keys: Keys, one: Worker) -> None:
    for kind in FENCED:
        await add(redis, keys)
        (entry,) = await one.read()
        assert await one.settle(settlement(kind, entry.id, claimed=False)) == "acked"
    assert await redis.keys("*:cool:*") == []
    assert await account(redis, keys) == {"accepted": 3, "delivered": 1, "stored": 1, "dead": 1}


async def test_a_retry_is_stored_then_marked_and_acknowledged(
    redis: Redis, keys: Keys, one: Worker, parked: Parked
) -> None:
    id = await claimed(redis, keys, one)
    assert await one.settle(settlement("retry", id, amount=40.0)) == "acked"
    assert await state(redis, keys) == f"r|{id}|slack"
    assert (await parked.count(), await parked.due()) == (1, 0)
    due = await redis.zscore(keys.parked, owner_of(id))
    assert due == await stamp(redis, keys)
    assert 35_000 < due - await now(redis) <= 40_000
    assert 40_000 < await redis.pttl(keys.cool(HOOK, PRINT)) <= 40_000 + LEASE * 1000
    assert await pending(redis, keys.stream) == {}
    assert await account(redis, keys) == {"accepted": 1, "stored": 1}


async def test_a_dead_letter_is_stored_then_marked_and_acknowledged(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters
) -> None:
    id = await claimed(redis, keys, one)
    before = await now(redis)
    ended = record_of(id, attempt=9, reason="exhausted", status=503, answer=b"busy")
    assert await one.settle(settlement("dead", id, record=ended)) == "acked"
    assert await state(redis, keys) == f"x|{id}|slack"
    assert await pending(redis, keys.stream) == {}
    assert await account(redis, keys) == {"accepted": 1, "dead": 1}
    (letter,) = [letter async for letter in dead.letters()]
    assert replace(letter.record, first=0, last=0) == ended
    assert before <= letter.record.first == letter.record.last <= await now(redis)


async def test_the_time_of_the_first_attempt_stays_through_a_retry(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters
) -> None:
    id = await claimed(redis, keys, one)
    await one.settle(settlement("dead", id, record=record_of(id, first=1234)))
    (letter,) = [letter async for letter in dead.letters()]
    assert letter.record.first == 1234
    assert letter.record.last > 1234


async def test_a_suppressed_event_is_counted_at_its_cool_down(redis: Redis, keys: Keys, one: Worker) -> None:
    await mark(redis, keys, "d", OTHER)
    await add(redis, keys, 2)
    for entry in await one.read():
        assert await one.settle(settlement("suppressed", entry.id, claimed=False)) == "acked"
    assert await state(redis, keys) == f"d|{OTHER}"
    assert await redis.get(keys.held(HOOK, PRINT)) == b"2"
    assert WINDOW * 1000 < await redis.pttl(keys.held(HOOK, PRINT)) <= 2 * WINDOW * 1000
    assert await account(redis, keys) == {"accepted": 2, "suppressed": 2}


async def test_an_entry_that_no_handler_wants_is_acknowledged_and_counted(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    await add(redis, keys)
    (entry,) = await one.read()
    assert await one.settle(settlement("unmatched", entry.id, handler="", claimed=False)) == "acked"
    assert await pending(redis, keys.stream) == {}
    assert await account(redis, keys) == {"accepted": 1, "unmatched": 1}


@pytest.mark.parametrize("kind", FENCED)
async def test_an_end_of_what_another_worker_holds_changes_nothing(
    redis: Redis, keys: Keys, one: Worker, two: Worker, kind: Kind
) -> None:
    """A worker that stalled beyond its lease comes back: the other one speaks for the entry now."""
    id = await claimed(redis, keys, one)
    taken = await two.entries.take("0-0", 0.0, 10)
    assert [entry.id for entry in taken.entries] == [id]
    before = await everything(redis)
    assert await one.settle(settlement(kind, id)) == "late"
    assert await everything(redis) == before


@pytest.mark.parametrize("kind", [*FENCED, "suppressed", "unmatched"])
async def test_an_end_of_what_is_acknowledged_already_changes_nothing(
    redis: Redis, keys: Keys, one: Worker, kind: Kind
) -> None:
    """So it is safe to settle again when the answer of Redis was lost."""
    id = await claimed(redis, keys, one)
    ended = settlement(kind, id)
    assert await one.settle(ended) == "acked"
    before = await everything(redis)
    assert await one.ledger.settle([ended, ended]) == ["late", "late"]
    assert await everything(redis) == before


@pytest.mark.parametrize("kind", FENCED)
async def test_of_the_same_end_twice_in_one_call_the_second_is_late(
    redis: Redis, keys: Keys, one: Worker, kind: Kind
) -> None:
    ended = settlement(kind, await claimed(redis, keys, one))
    assert await one.ledger.settle([ended, ended]) == ["acked", "late"]
    assert (await account(redis, keys))["accepted"] == 1


@pytest.mark.parametrize("kind", ["suppressed", "unmatched"])
async def test_what_needs_no_sending_ends_also_where_another_worker_holds_it(
    redis: Redis, keys: Keys, one: Worker, two: Worker, kind: Kind
) -> None:
    """Unfenced: whoever holds it would come to the same end."""
    await add(redis, keys)
    (entry,) = await one.read()
    assert await two.settle(settlement(kind, entry.id, claimed=False)) == "acked"
    assert await pending(redis, keys.stream) == {}


@pytest.mark.parametrize("kind", ["retry", "dead"])
async def test_a_failure_of_what_was_delivered_ends_as_delivered(
    redis: Redis, keys: Keys, one: Worker, parked: Parked, dead: DeadLetters, kind: Kind
) -> None:
    """The other worker's success stands in the cool-down: nothing is stored, and the mark stays."""
    id = await claimed(redis, keys, one)
    await mark(redis, keys, "d", owner_of(id), age=5)
    found = await redis.get(keys.cool(HOOK, PRINT))
    assert await one.settle(settlement(kind, id)) == "acked"
    assert await redis.get(keys.cool(HOOK, PRINT)) == found
    assert (await parked.count(), await dead.count()) == (0, 0)
    assert await account(redis, keys) == {"accepted": 1, "delivered": 1}


@pytest.mark.parametrize("found", ["", f"c|{OTHER}", f"r|{OTHER}", f"d|{OTHER}", f"x|{OTHER}"])
@pytest.mark.parametrize("kind", ["retry", "dead"])
async def test_a_failure_is_stored_but_marks_nothing_but_our_own_claim(
    redis: Redis, keys: Keys, one: Worker, parked: Parked, dead: DeadLetters, kind: Kind, found: str
) -> None:
    id = await claimed(redis, keys, one)
    await redis.delete(keys.cool(HOOK, PRINT))
    if found:
        await mark(redis, keys, found[0], found[2:])
    value = await redis.get(keys.cool(HOOK, PRINT))
    assert await one.settle(settlement(kind, id)) == "acked"
    assert await redis.get(keys.cool(HOOK, PRINT)) == value
    assert (await parked.count(), await dead.count()) == ((1, 0) if kind == "retry" else (0, 1))


async def test_a_deferral_before_its_claim_leaves_the_cool_down_alone(
    redis: Redis, keys: Keys, one: Worker, parked: Parked
) -> None:
    await mark(redis, keys, "c", OTHER)
    await add(redis, keys)
    (entry,) = await one.read()
    assert await one.settle(settlement("retry", entry.id, claimed=False, amount=30.0)) == "acked"
    assert await state(redis, keys) == f"c|{OTHER}"
    assert await parked.count() == 1


@pytest.mark.parametrize("kind", ["retry", "dead"])
async def test_no_mark_is_left_where_the_record_could_not_be_stored(
    redis: Redis, keys: Keys, one: Worker, kind: Kind
) -> None:
    """Never mark before storing: a duplicate would be given up on the strength of a record that is not there."""
    id = await claimed(redis, keys, one)
    broken = keys.parked if kind == "retry" else keys.dead
    await redis.set(broken, "not what it should be", px=60_000)
    with pytest.raises(Exception, match="WRONGTYPE"):
        await one.settle(settlement(kind, id))
    assert await state(redis, keys) == f"c|{id}|slack"
    assert await pending(redis, keys.stream) == {id: ("one", 1)}
    await redis.delete(broken)


async def test_beyond_the_limit_of_stored_retries_an_event_is_dead_lettered(
    redis: Redis, keys: Keys, parked: Parked, dead: DeadLetters
) -> None:
    narrow = worker(redis, keys, "one", most_parked=1)
    first = await claimed(redis, keys, narrow)
    assert await narrow.settle(settlement("retry", first)) == "acked"
    await redis.delete(keys.cool(HOOK, PRINT))
    second = await claimed(redis, keys, narrow)
    assert await narrow.settle(settlement("retry", second)) == "overflow"
    assert await state(redis, keys) == f"x|{second}|slack"
    assert await parked.count() == 1
    (letter,) = [letter async for letter in dead.letters()]
    assert (letter.record.origin, letter.record.reason) == (second, "overflow")
    assert letter.record.event == record_of(second).event
    assert await pending(redis, keys.stream) == {}
    assert await account(redis, keys) == {"accepted": 2, "stored": 1, "dead": 1}


async def test_dead_letters_are_bounded_and_those_that_had_to_go_are_counted(
    redis: Redis, keys: Keys, dead: DeadLetters
) -> None:
    wide, narrow = worker(redis, keys, "one", most_dead=5), worker(redis, keys, "one", most_dead=2)
    ids = await add(redis, keys, 7)
    await narrow.read()
    for id in ids[:5]:
        await wide.settle(settlement("dead", id, claimed=False))
    assert (await account(redis, keys)).get("dead_trimmed") is None
    assert await narrow.ledger.settle([settlement("dead", id, claimed=False) for id in ids[5:]]) == ["acked"] * 2
    assert [letter.record.origin async for letter in dead.letters()] == ids[5:]
    assert await account(redis, keys) == {"accepted": 7, "dead": 7, "dead_trimmed": 5}


async def test_many_ends_of_every_kind_are_answered_in_order_by_one_call(redis: Redis, keys: Keys, one: Worker) -> None:
    ids = await add(redis, keys, 5)
    await one.read()
    kinds: tuple[Kind, ...] = ("delivered", "suppressed", "retry", "dead", "unmatched")
    ends = [settlement(kind, id, fingerprint=f"{n:032x}") for n, (kind, id) in enumerate(zip(kinds, ids, strict=True))]
    late = settlement("delivered", "1-1")
    assert await one.ledger.settle([ends[0], late, *ends[1:]]) == ["acked", "late", *["acked"] * 4]
    assert await account(redis, keys) == {
        "accepted": 5, "delivered": 1, "suppressed": 1, "stored": 1, "dead": 1, "unmatched": 1,
    }  # fmt: skip


@pytest.mark.parametrize("shared", [False, True], ids=["marks of our own", "marks shared with Tyk"])
async def test_ends_that_need_more_keys_and_fewer_in_one_call_each_meet_their_own(
    redis: Redis, keys: Keys, one: Worker, shared: bool
) -> None:
    """A delivery that is its entry's only end names its cool-down alone, whatever stands before and behind it."""
    ledger = Ledger(redis, keys, GROUP, one.name, lease=LEASE, most_parked=9, most_dead=9, share_with_tyk=shared)
    prints = [f"{number}" * 32 for number in range(5)]
    alone, held_back, telling, of_two, last = await add(redis, keys, 5)
    await one.read()
    await ask(redis, "SET", keys.held(HOOK, prints[2]), 3, "PX", 60_000)
    ends = [
        settlement("delivered", alone, fingerprint=prints[0]),
        settlement("suppressed", held_back, fingerprint=prints[1], claimed=False),
        replace(settlement("delivered", telling, fingerprint=prints[2]), told=2),
        settlement("delivered", of_two, fingerprint=prints[3], handlers=[HOOK, "other"]),
        settlement("delivered", last, fingerprint=prints[4]),
    ]
    assert await ledger.settle(ends) == ["acked", "acked", "acked", "waits", "acked"]
    assert [await state(redis, keys, fingerprint) for fingerprint in prints] == [
        f"d|{owner_of(alone)}", "", f"d|{owner_of(telling)}", f"d|{owner_of(of_two)}", f"d|{owner_of(last)}",
    ]  # fmt: skip
    assert [await ask(redis, "GET", keys.held(HOOK, fingerprint)) for fingerprint in prints] == [
        None, b"1", b"1", None, None,
    ]  # fmt: skip
    assert await ask(redis, "SMEMBERS", keys.done(of_two)) == {HOOK.encode()}
    marks = [await ask(redis, "EXISTS", tyk_mark(fingerprint)) for fingerprint in prints]
    assert marks == ([1, 0, 1, 1, 1] if shared else [0] * 5)


async def test_settling_nothing_is_nothing(one: Worker) -> None:
    assert await one.ledger.settle([]) == []


async def test_an_end_is_late_where_the_group_is_gone(redis: Redis, keys: Keys, one: Worker) -> None:
    id = await claimed(redis, keys, one)
    await redis.xgroup_destroy(keys.stream, "streamhooks")
    assert await one.settle(settlement("delivered", id)) == "late"
    assert await state(redis, keys) == f"c|{id}|slack"
