"""Scripts are called by their SHA-1, and sent again to a server that has forgotten them."""

import msgspec
from redis.asyncio import Redis

from streamhooks.store.claims import Send
from streamhooks.store.keys import Keys
from streamhooks.store.parked import Parked
from streamhooks.store.retention import Retention
from streamhooks.store.scripts import Script
from tests.store.given import GROUP, Worker, account, add, claim, owner_of, settlement


async def calls(redis: Redis, command: str) -> int:
    stats = await redis.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_a_script_is_sent_once_and_called_by_its_name_afterwards(redis: Redis) -> None:
    claim_script = Script("claim")
    await redis.script_flush()
    sent, called = await calls(redis, "eval"), await calls(redis, "evalsha")
    asked = msgspec.msgpack.encode([("1-1|h", 0, False)])
    for _ in range(3):
        assert await claim_script(redis, ["{s}:cool:h:1"], [1000, asked]) == [b"send"]
    assert (await calls(redis, "eval") - sent, await calls(redis, "evalsha") - called) == (1, 3)


async def test_every_script_works_on_a_server_that_has_forgotten_all_of_them(
    redis: Redis, keys: Keys, one: Worker, two: Worker, parked: Parked
) -> None:
    retention = Retention(redis, keys, GROUP, age=60, entries=100, dead_age=60)
    (id, other) = await add(redis, keys, 2)
    await one.read()
    await redis.script_flush()
    assert await one.claims.claim([claim(owner_of(id))]) == [Send()]
    await redis.script_flush()
    await one.claims.extend([claim(owner_of(id))])
    await redis.script_flush()
    assert await one.entries.keep([id, other]) == []
    await redis.script_flush()
    assert await one.settle(settlement("retry", id)) == "acked"
    await redis.script_flush()
    assert (await parked.wake(1)).moved == 1
    await redis.script_flush()
    assert await one.entries.hand_back([other]) == 1
    await redis.script_flush()
    assert len((await two.entries.take("0-0", 60.0, 10)).entries) == 1
    await redis.script_flush()
    assert await two.entries.begin(other) == 2
    await redis.script_flush()
    assert await retention.trim() == 0
    await redis.script_flush()
    assert not await two.ledger.all_settled()
    await redis.script_flush()
    await one.entries.leave()
    assert await account(redis, keys) == {"accepted": 1, "stored": 1}
