"""How many duplicates a cool-down held back goes with the next delivery, and is forgotten by just what was told."""

import json

from msgspec.structs import replace
from redis.asyncio import Redis

from streamhooks.store.claims import Send
from streamhooks.store.keys import Keys
from tests.flow.rig import Rig
from tests.servers import Answer
from tests.store.given import HOOK, PRINT, add, claim, mark, owner_of, settlement, worker
from tests.waiting import eventually

KEYS = Keys.of("gateway:events")
HEADER = "x-streamhooks-suppressed"
COOL = 2
"""Seconds; a count lives for as long again, which is what a slow machine has to read it."""
BODY = '{"key": "{{.Meta.Key}}", "suppressed": {{.Suppressed}}}'


async def until_cool(rig: Rig) -> None:
    """Waits until no cool-down suppresses any more."""
    stamps = [int(value.rpartition("|")[2]) for value in (await rig.cool_downs()).values()]

    async def is_over() -> bool:
        return await rig.now() > max(stamps) + COOL * 1000

    await eventually(is_over)


async def test_the_next_delivery_tells_how_many_duplicates_were_held_back(rig: Rig) -> None:
    handler = rig.handler(event_timeout=COOL, template_path=rig.template("body.json", BODY))
    async with rig.working(handler):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        for _ in range(3):
            await rig.publish("abc")
        await rig.publish("another")
        await rig.settled(delivered=2, suppressed=3)
        (held,) = [int(await rig.redis.get(name) or 0) for name in await held_counts(rig.redis)]
        assert held == 3
        fingerprints = set(await rig.cool_downs())

        await until_cool(rig)
        await rig.publish("abc")
        (*before, told) = await rig.endpoint.wait_for(3)
        await rig.settled(delivered=3, suppressed=3)
        assert not await held_counts(rig.redis)

        await until_cool(rig)
        await rig.publish("abc")
        (*_, after) = await rig.endpoint.wait_for(4)
        await rig.settled(delivered=4, suppressed=3)
        assert set(await rig.cool_downs()) <= fingerprints, "the fingerprint is that of the body with 0"

    assert (told.headers[HEADER], json.loads(told.body)) == ("3", {"key": "abc", "suppressed": 3})
    for request in (*before, after):
        assert HEADER not in request.headers
        assert json.loads(request.body)["suppressed"] == 0


async def held_counts(redis: Redis) -> list[bytes]:
    return [name async for name in redis.scan_iter(match=f"{KEYS.tag}:held:*", count=1000)]


async def test_what_was_held_back_while_a_retry_waited_goes_with_the_retry(rig: Rig) -> None:
    rig.endpoint.script(503, 200)
    async with rig.working(rig.handler(event_timeout=60, retry={"delays": [30]})):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await eventually(rig.stored)
        await rig.publish("abc")
        await rig.publish("abc")

        async def both_held() -> bool:
            return (await rig.totals()).get("suppressed", 0) == 2

        await eventually(both_held)
        await rig.due_now()
        await rig.wake()
        (_, retried) = await rig.endpoint.wait_for(2)
        await rig.settled(delivered=1, suppressed=2)
    assert retried.headers[HEADER] == "2"


async def test_a_delivery_that_fails_forgets_nothing(rig: Rig) -> None:
    async with rig.working(rig.handler(event_timeout=COOL)):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await rig.publish("abc")
        await rig.settled(delivered=1, suppressed=1)
        await until_cool(rig)
        rig.endpoint.script(Answer(503), Answer(200))
        await rig.publish("abc")
        (_, failed, delivered) = await rig.endpoint.wait_for(3)
        await rig.settled(delivered=2, suppressed=1)
        assert not await held_counts(rig.redis)
    assert (failed.headers[HEADER], delivered.headers[HEADER]) == ("1", "1")


async def test_a_name_of_the_configuration_wins_over_ours(rig: Rig) -> None:
    handler = rig.handler(event_timeout=COOL, header_map={"x-streamhooks-suppressed": "mine"})
    async with rig.working(handler):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await rig.publish("abc")
        await rig.settled(delivered=1, suppressed=1)
        await until_cool(rig)
        await rig.publish("abc")
        (_, request) = await rig.endpoint.wait_for(2)
    assert [value for name, value in request.raw_headers if name.lower() == HEADER.encode()] == [b"mine"]


async def test_what_is_held_back_after_a_claim_is_kept_for_the_delivery_after_it(redis: Redis) -> None:
    one = worker(redis, KEYS, "one")
    await one.entries.ensure_group("0")
    (first, second) = await add(redis, KEYS, 2)
    await one.read()
    await mark(redis, KEYS, "d", "1-1|slack", age=61)
    await redis.set(KEYS.held(HOOK, PRINT), 2, px=60_000)
    assert await one.claims.claim([claim(owner_of(first))]) == [Send(2)]
    await redis.set(KEYS.held(HOOK, PRINT), 5, px=60_000)

    assert await one.settle(replace(settlement("delivered", first), told=2)) == "acked"
    assert await redis.get(KEYS.held(HOOK, PRINT)) == b"3"
    assert 0 < await redis.pttl(KEYS.held(HOOK, PRINT)) <= 60_000
    assert await one.settle(settlement("suppressed", second)) == "acked"
    assert await redis.get(KEYS.held(HOOK, PRINT)) == b"4"


async def test_the_mark_lives_as_long_as_the_count_and_suppresses_no_longer(redis: Redis) -> None:
    one = worker(redis, KEYS, "one")
    await one.entries.ensure_group("0")
    (id,) = await add(redis, KEYS, 1)
    await one.read()
    await mark(redis, KEYS, "d", "1-1|slack", age=30)
    before = await redis.get(KEYS.cool(HOOK, PRINT))
    await one.settle(settlement("suppressed", id))
    assert await redis.get(KEYS.cool(HOOK, PRINT)) == before
    assert abs(await redis.pttl(KEYS.cool(HOOK, PRINT)) - await redis.pttl(KEYS.held(HOOK, PRINT))) < 1000


async def test_a_retry_that_is_stored_again_keeps_the_count_alive(redis: Redis) -> None:
    one = worker(redis, KEYS, "one")
    await one.entries.ensure_group("0")
    (id,) = await add(redis, KEYS, 1)
    await one.read()
    await one.claims.claim([claim(owner_of(id))])
    await redis.set(KEYS.held(HOOK, PRINT), 2, px=1_000)
    assert await one.settle(settlement("retry", id, amount=3600.0)) == "acked"
    assert await redis.pttl(KEYS.held(HOOK, PRINT)) > 3_500_000


async def test_a_request_that_nobody_has_sent_before_costs_no_look_at_a_count(redis: Redis) -> None:
    async def looks() -> int:
        return int((await redis.info("commandstats")).get("cmdstat_get", {"calls": 0})["calls"])

    one = worker(redis, KEYS, "one")
    before = await looks()
    claims = [claim(f"100-{number}|slack", fingerprint=f"{number:032d}") for number in range(10)]
    assert await one.claims.claim(claims) == [Send()] * 10
    assert await looks() - before == 10


async def test_a_count_that_the_template_fails_on_is_a_dead_letter_and_not_silence(rig: Rig) -> None:
    body = '{"key": "{{.Meta.Key}}"{{if .Suppressed}}, "x": "{{index .Meta.Key 99}}"{{end}}}'
    async with rig.working(rig.handler(event_timeout=COOL, template_path=rig.template("body.json", body))):
        await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await rig.publish("abc")
        await rig.settled(delivered=1, suppressed=1)
        await until_cool(rig)
        await rig.publish("abc")
        await rig.settled(delivered=1, suppressed=1, dead=1)
    (letter,) = await rig.letters()
    assert letter.reason == "template"
