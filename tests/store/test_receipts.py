"""An entry that fires several handlers: acknowledged once the last of them has its end, and none is run twice."""

import pytest
from redis.asyncio import Redis

from streamhooks.store.dead import DeadLetters
from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked
from streamhooks.store.settle import Kind, Settlement
from tests.store.given import Worker, account, add, everything, owner_of, pending, settlement, state

ALL = ("mail", "pager", "slack")
DAY = 24 * 3600 * 1000


def end(kind: Kind, id: str, handler: str, handlers: tuple[str, ...] = ALL) -> Settlement:
    return settlement(kind, id, handler=handler, handlers=handlers)


async def read_one(redis: Redis, keys: Keys, by: Worker) -> str:
    await add(redis, keys)
    (entry,) = await by.read()
    return entry.id


@pytest.mark.parametrize("last", ["delivered", "suppressed", "retry", "dead"])
async def test_an_entry_waits_until_every_handler_has_its_end(
    redis: Redis, keys: Keys, one: Worker, last: Kind
) -> None:
    id = await read_one(redis, keys, one)
    assert await one.settle(end("delivered", id, "pager")) == "waits"
    assert await one.settle(end("dead", id, "slack")) == "waits"
    assert await pending(redis, keys.stream) == {id: ("one", 1)}
    assert await one.entries.receipts([keys.done(id), keys.done("1-1")]) == [{"pager", "slack"}, frozenset()]
    assert 0 < await redis.pttl(keys.done(id)) <= DAY

    assert await one.settle(end(last, id, "mail")) == "acked"

    assert await pending(redis, keys.stream) == {}
    assert await redis.exists(keys.done(id)) == 0
    assert (await account(redis, keys))["accepted"] == 3


async def test_every_end_writes_a_receipt_and_each_refreshes_their_lifetime(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    id = await read_one(redis, keys, one)
    handlers = ("a", "b", "c", "d", "never")
    kinds: tuple[Kind, ...] = ("delivered", "suppressed", "retry", "dead")
    for handler, kind in zip(handlers, kinds, strict=False):
        await redis.pexpire(keys.done(id), 60_000)
        assert await one.settle(end(kind, id, handler, handlers)) == "waits"
        assert await redis.pttl(keys.done(id)) > DAY / 2
    assert await one.entries.receipts([keys.done(id)]) == [{"a", "b", "c", "d"}]


@pytest.mark.parametrize("kind", ["delivered", "suppressed", "retry", "dead"])
async def test_a_handler_that_has_its_receipt_is_not_settled_again(
    redis: Redis, keys: Keys, one: Worker, kind: Kind
) -> None:
    id = await read_one(redis, keys, one)
    await one.settle(end("delivered", id, "slack"))
    before = await everything(redis)
    assert await one.settle(end(kind, id, "slack")) == "late"
    assert await everything(redis) == before


async def test_receipts_are_asked_for_by_name_and_never_counted(redis: Redis, keys: Keys, one: Worker) -> None:
    """A handler that a new configuration took away has left its receipt: it stands for no other one."""
    id = await read_one(redis, keys, one)
    await one.settle(end("delivered", id, "removed", (*ALL, "removed")))
    await one.settle(end("delivered", id, "mail"))
    assert await one.settle(end("delivered", id, "pager")) == "waits"
    assert await one.settle(end("delivered", id, "slack")) == "acked"


async def test_a_handler_whose_name_begins_like_anothers_has_a_receipt_of_its_own(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    id = await read_one(redis, keys, one)
    assert await one.settle(end("delivered", id, "slack", ("slack", "slack-eu"))) == "waits"
    assert await one.settle(end("delivered", id, "slack-eu", ("slack", "slack-eu"))) == "acked"


async def test_the_worker_that_takes_an_entry_over_sees_what_is_finished_and_ends_the_rest(
    redis: Redis, keys: Keys, one: Worker, two: Worker
) -> None:
    id = await read_one(redis, keys, one)
    await one.settle(end("delivered", id, "mail"))
    (entry,) = (await two.entries.take("0-0", 0.0, 10)).entries
    assert (entry.id, entry.deliveries) == (id, 2)
    assert await two.entries.receipts([keys.done(id)]) == [{"mail"}]
    assert await one.settle(end("delivered", id, "pager")) == "late"
    assert await two.ledger.settle([end("delivered", id, "pager"), end("delivered", id, "slack")]) == ["waits", "acked"]
    assert await account(redis, keys) == {"accepted": 3, "delivered": 3}


async def test_an_entry_whose_handlers_all_have_receipts_is_finished_without_counting_it_again(
    redis: Redis, keys: Keys, one: Worker
) -> None:
    """A new configuration took the last open handler away: nothing is left to do but to acknowledge."""
    id = await read_one(redis, keys, one)
    await one.settle(end("delivered", id, "mail"))
    assert await one.settle(Settlement("finished", "stream", id)) == "acked"
    assert await pending(redis, keys.stream) == {}
    assert await redis.exists(keys.done(id)) == 0
    assert await account(redis, keys) == {"accepted": 1, "delivered": 1}


async def test_finishing_what_is_acknowledged_already_changes_nothing(redis: Redis, keys: Keys, one: Worker) -> None:
    id = await read_one(redis, keys, one)
    await one.settle(settlement("delivered", id))
    before = await everything(redis)
    assert await one.settle(Settlement("finished", "stream", id)) == "acked"
    assert await everything(redis) == before


async def test_the_retry_of_one_handler_needs_no_receipt_and_does_not_wait_for_the_others(
    redis: Redis, keys: Keys, one: Worker, parked: Parked, dead: DeadLetters
) -> None:
    """What is stored travels alone: the entry is free of it before the slowest handler has ended."""
    id = await read_one(redis, keys, one)
    assert await one.settle(end("retry", id, "mail")) == "waits"
    assert (await parked.wake(10)).moved == 1
    carrier = await one.read_retry()
    again = settlement("delivered", carrier.id, origin=id, source="retry", handler="mail")
    assert await one.settle(again) == "acked"
    assert await state(redis, keys, handler="mail") == f"d|{owner_of(id, 'mail')}"
    assert await pending(redis, keys.stream) == {id: ("one", 1)}
    assert await one.entries.receipts([keys.done(id)]) == [{"mail"}]
    assert await dead.count() == 0
    assert await account(redis, keys) == {"accepted": 1, "delivered": 1}
