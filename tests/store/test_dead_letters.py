"""Dead letters: found, replayed once, thrown away for good."""

from typing import Any

import pytest
from redis.asyncio import Redis

from streamhooks.errors import StoreError
from streamhooks.store.claims import Covered, Send
from streamhooks.store.dead import PAGE, DeadLetters, Letter
from streamhooks.store.keys import Keys
from streamhooks.store.purge import purge
from streamhooks.store.record import Record
from tests.store.given import HOOK, PRINT, Worker, account, add, claim, mark, owner_of, record_of, settlement, state


async def bury(redis: Redis, keys: Keys, by: Worker, dead: DeadLetters, **more: Any) -> Letter:
    """A letter whose event has failed for good, with its `x` in the cool-down."""
    (id,) = await add(redis, keys, first=7)
    await by.read()
    await by.claims.claim([claim(owner_of(id))])
    await by.settle(settlement("dead", id, record=record_of(id, reason="exhausted", attempt=9, **more)))
    letter = await dead.find(id)
    assert letter is not None
    return letter


async def test_a_letter_is_found_by_its_own_id_and_by_that_of_its_event(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters
) -> None:
    letter = await bury(redis, keys, one, dead)
    assert letter.record.origin != letter.id
    assert await dead.find(letter.id) == await dead.find("7-1") == letter
    assert await dead.find("5-5") is None


async def test_letters_are_listed_from_the_oldest_over_many_pages_and_between_two_ids(
    redis: Redis, keys: Keys, dead: DeadLetters
) -> None:
    pipeline = redis.pipeline(transaction=False)
    for n in range(1, 2 * PAGE + 2):
        pipeline.xadd(keys.dead, {"v": "1", "origin": f"{n}-0"}, id=f"{n}-0")
    await pipeline.execute()
    assert [letter.id async for letter in dead.letters()] == [f"{n}-0" for n in range(1, 2 * PAGE + 2)]
    assert [letter.id async for letter in dead.letters("7", "9-0")] == ["7-0", "8-0", "9-0"]
    assert [letter.id async for letter in dead.newest()] == [f"{n}-0" for n in range(2 * PAGE + 1, 0, -1)]
    assert [letter.id async for letter in dead.newest("(9-0", "7")] == ["8-0", "7-0"]
    assert await dead.count() == 2 * PAGE + 1


async def test_a_letter_of_another_release_is_listed_and_not_guessed_at(
    redis: Redis, keys: Keys, dead: DeadLetters
) -> None:
    await redis.xadd(keys.dead, {"v": "2", "origin": "1-0"})
    (letter,) = [letter async for letter in dead.letters()]
    assert letter.record == Record(origin="", why="not written by this release of streamhooks")


async def test_a_replay_puts_the_event_back_as_a_first_attempt_of_a_new_owner(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters
) -> None:
    letter = await bury(redis, keys, one, dead, status=503, answer=b"busy", id_run="r0")
    old = letter.record
    assert await dead.replay([letter])
    new = Record.read((await one.read_retry()).fields)
    assert new == Record(
        origin=old.origin, handler=HOOK, owner=f"{old.origin}~{letter.id}|{HOOK}", attempt=1, fingerprint=PRINT,
        type=old.type, event=old.event, run=letter.id, id_run="r0", why="replayed",
    )  # fmt: skip
    assert await dead.count() == 0


async def test_a_forced_replay_says_so(redis: Redis, keys: Keys, one: Worker, dead: DeadLetters) -> None:
    assert await dead.replay([await bury(redis, keys, one, dead)], force=True)
    assert Record.read((await one.read_retry()).fields).force


async def test_a_letter_is_replayed_once(redis: Redis, keys: Keys, one: Worker, dead: DeadLetters) -> None:
    letter = await bury(redis, keys, one, dead)
    assert [await dead.replay([letter]), await dead.replay([letter])] == [[letter.id], []]
    assert await redis.xlen(keys.retry) == 1
    assert await account(redis, keys) == {"accepted": 1, "stored": 1}


async def test_a_replay_takes_its_letters_own_mark_away(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters
) -> None:
    letter = await bury(redis, keys, one, dead)
    assert await state(redis, keys) == f"x|{letter.record.owner}"
    await dead.replay([letter])
    assert await state(redis, keys) == ""


@pytest.mark.parametrize("way", ["replay", "purge"])
@pytest.mark.parametrize("found", ["x|99-1|slack", "c|99-1|slack", "r|99-1|slack", "d|99-1|slack", "d|mine"])
async def test_no_other_mark_goes_with_a_letter(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters, found: str, way: str
) -> None:
    letter = await bury(redis, keys, one, dead)
    found = found.replace("mine", letter.record.owner)
    await mark(redis, keys, found[0], found[2:])
    assert await (dead.replay([letter]) if way == "replay" else purge(redis, keys, [letter]))
    assert await state(redis, keys) == found


@pytest.mark.parametrize("way", ["replay", "purge"])
@pytest.mark.parametrize("left", ["x", "r", "c"])
async def test_whatever_mark_a_letters_own_carrier_left_goes_with_the_letter(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters, left: str, way: str
) -> None:
    """A carrier that ends without a claim (its handler is gone, its worker crash-looped) leaves the `r` of its
    storing, and that would suppress the replay on the strength of the very letter that it came from.
    """
    letter = await bury(redis, keys, one, dead)
    await mark(redis, keys, left, letter.record.owner)
    assert await (dead.replay([letter]) if way == "replay" else purge(redis, keys, [letter]))
    assert await state(redis, keys) == ""


async def test_a_replay_of_a_letter_that_is_gone_leaves_the_mark(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters
) -> None:
    letter = await bury(redis, keys, one, dead)
    await redis.xdel(keys.dead, letter.id)
    assert not await dead.replay([letter])
    assert not await purge(redis, keys, [letter])
    assert await state(redis, keys) == f"x|{letter.record.owner}"


async def test_what_was_never_an_event_cannot_be_replayed(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters
) -> None:
    (id,) = await add(redis, keys)
    await one.read()
    undecodable = Record(origin=id, reason="undecodable", raw=b"\xff", raw_length=1, raw_sha256="0" * 64)
    await one.settle(settlement("dead", id, handler="", claimed=False, record=undecodable))
    letter = await dead.find(id)
    assert letter is not None
    with pytest.raises(StoreError) as caught:
        await dead.replay([letter])
    assert caught.value.kind == "no_event"
    assert str(caught.value) == f"dead letter {letter.id} was never an event (undecodable): it has no handler"
    assert await dead.count() == 1


async def test_a_purged_letter_is_gone_with_its_mark_and_counted(
    redis: Redis, keys: Keys, one: Worker, dead: DeadLetters
) -> None:
    """The mark alone would suppress the next event of its kind on the strength of a letter that is not there."""
    letter = await bury(redis, keys, one, dead)
    assert await one.claims.claim([claim("200-1|slack")]) == [Covered(letter.record.owner)]
    assert [await purge(redis, keys, [letter]), await purge(redis, keys, [letter])] == [[letter.id], []]
    assert await dead.count() == 0
    assert await one.claims.claim([claim("200-1|slack")]) == [Send()]
    assert await account(redis, keys) == {"accepted": 1, "dead": 1, "dead_purged": 1}
