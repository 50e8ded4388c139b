"""Replays with workers at work: of history, and of dead letters; what a receiver sees, and what the account says."""

import pytest

from streamhooks.delivery.request import webhook_id
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.store.connection import ask
from tests.doors.command import Ran, command
from tests.flow.rig import Config, Rig
from tests.servers import Answer, Endpoint
from tests.waiting import eventually

WINDOW = 10
PERMANENT = {"permanent_statuses": [404]}
"""A status that ends an event at once."""


async def replay(rig: Rig, handlers: list[Config], *words: str) -> Ran:
    return await command("replay", *words, "--config", rig.written(*handlers))


async def dead_replay(rig: Rig, *words: str) -> Ran:
    return await command("dead", "replay", *words, "--redis-url", rig.url)


def webhook_ids(endpoint: Endpoint) -> list[str]:
    return [request.headers["webhook-id"] for request in endpoint.received]


async def forget(rig: Rig) -> None:
    """Lets every cool-down be over."""
    names = [f"{rig.keys.tag}:cool:{name}" for name in await rig.cool_downs()]
    await ask(rig.redis, "DEL", *names)


# History.


async def test_a_past_event_is_delivered_again_with_a_new_webhook_id_and_is_accepted_anew(rig: Rig) -> None:
    handler = rig.handler()
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        ran = await replay(rig, [handler], entry, "--json")
        assert (ran.code, ran.err) == (0, "")
        await rig.settled(delivered=2)
    assert webhook_ids(rig.endpoint) == [webhook_id(entry, 0, "h"), webhook_id(entry, 0, "h", ran.json["run"])]
    first, second = rig.endpoint.received
    assert first.body == second.body


async def test_every_replay_is_a_message_of_its_own(rig: Rig) -> None:
    handler = rig.handler()
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        for _ in range(2):
            await replay(rig, [handler], entry)
        await rig.settled(delivered=3)
    assert len(set(webhook_ids(rig.endpoint))) == 3
    assert {id.partition("_r")[0] for id in webhook_ids(rig.endpoint)} == {webhook_id(entry, 0, "h")}


async def test_a_replay_fires_every_handler_that_the_event_fires_now_and_handler_narrows_it(rig: Rig) -> None:
    before = rig.handler("old")
    async with rig.working(before) as worker:
        yes, no = await rig.publish("yes"), await rig.publish("no")
        await rig.settled(delivered=2)
        now = [
            rig.handler("all"),
            rig.handler("yes", when='{{ eq .Meta.Key "yes" }}'),
            rig.handler("other", on=["KeyExpired"]),
        ]
        worker.lanes.replace(Catalogue(rig.loaded(*now).handlers))
        rig.endpoint.received.clear()
        assert (await replay(rig, now, yes, no)).out.startswith("3 replayed, of 2 events, run ")
        await rig.settled(delivered=5)
        assert sorted(request.path for request in rig.endpoint.received) == ["/all", "/all", "/yes"]
        assert (await replay(rig, now, "--all", "--handler", "yes")).out.startswith("1 replayed, of 1 event, run ")
        await rig.settled(delivered=6)
    assert rig.endpoint.received[-1].path == "/yes"


async def test_a_webhook_id_replays_the_webhook_that_it_names_and_no_other(rig: Rig) -> None:
    handlers = [rig.handler("a"), rig.handler("b")]
    async with rig.working(*handlers):
        await rig.publish("abc")
        await rig.settled(delivered=2)
        (named,) = (r.headers["webhook-id"] for r in rig.endpoint.received if r.path == "/b")
        ran = await replay(rig, handlers, named, "--json")
        assert ran.json["replayed"] == 1
        await rig.settled(delivered=3)
        again = webhook_ids(rig.endpoint)[-1]
        assert again == f"{named}_r{ran.json['run']}"
        await replay(rig, handlers, again)
        await rig.settled(delivered=4)
    assert [request.path for request in rig.endpoint.received[2:]] == ["/b", "/b"]


async def test_a_replay_inside_the_cool_down_of_a_delivery_is_suppressed(rig: Rig) -> None:
    handler = rig.handler(event_timeout=WINDOW)
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        assert (await replay(rig, [handler], entry)).code == 0
        await rig.settled(delivered=1, suppressed=1)
    assert len(rig.endpoint.received) == 1


async def test_force_delivers_inside_a_cool_down_and_leaves_it_as_it_is(rig: Rig) -> None:
    handler = rig.handler(event_timeout=WINDOW)
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        before = await rig.cool_downs()
        assert (await replay(rig, [handler], entry, "--force")).code == 0
        await rig.settled(delivered=2)
        assert await rig.cool_downs() == before


async def test_of_two_equal_replays_the_second_is_among_itself_a_duplicate(rig: Rig) -> None:
    handler = rig.handler(event_timeout=WINDOW)
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        await forget(rig)
        await replay(rig, [handler], entry)
        await rig.settled(delivered=2)
        await replay(rig, [handler], entry)
        await rig.settled(delivered=2, suppressed=1)
    assert len(rig.endpoint.received) == 2


async def test_equal_events_of_one_replay_are_delivered_once(rig: Rig) -> None:
    handler = rig.handler(event_timeout=WINDOW)
    async with rig.working(handler):
        for delivered in (1, 2, 3):
            await rig.publish("abc")
            await rig.settled(delivered=delivered)
            await forget(rig)
        await replay(rig, [handler], "--all")
        await rig.settled(delivered=4, suppressed=2)
    assert len(rig.endpoint.received) == 4


async def test_a_dead_letter_in_the_cool_down_does_not_suppress_a_replay_of_history(rig: Rig) -> None:
    rig.endpoint.script(404, 200)
    handler = rig.handler(event_timeout=WINDOW, retry=PERMANENT)
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(dead=1)
        await replay(rig, [handler], entry)
        await rig.settled(dead=1, delivered=1)


async def test_a_replay_fails_retries_and_dies_like_any_event_and_its_letter_keeps_the_new_webhook_id(
    rig: Rig,
) -> None:
    handler = rig.handler()
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        rig.endpoint.script(503)
        run = (await replay(rig, [handler], entry, "--json")).json["run"]
        await rig.settled(delivered=1, dead=1)
        (letter,) = await rig.letters()
        assert (letter.attempt, letter.run, letter.id_run) == (3, run, run)
        assert letter.owner == f"{entry}~{run}|h"
        rig.endpoint.script(200)
        assert (await dead_replay(rig, webhook_id(entry, 0, "h", run))).out == "1 replayed\n"
        await rig.settled(delivered=2)
    assert webhook_ids(rig.endpoint) == [webhook_id(entry, 0, "h"), *[webhook_id(entry, 0, "h", run)] * 4]


async def test_a_worker_that_is_killed_while_it_replays_loses_nothing(rig: Rig) -> None:
    handlers = [rig.handler("a", event_timeout=WINDOW), rig.handler("b")]
    async with rig.working(*handlers):
        await rig.publish_many(20)
        await rig.settled(delivered=40)
    await forget(rig)
    rig.endpoint.received.clear()
    async with rig.doomed(*handlers):
        rig.endpoint.script(*[200] * 10, Answer(then="hang"))
        assert (await replay(rig, handlers, "--all")).out.startswith("40 replayed, of 20 events")
        await eventually(lambda: rig.endpoint.at_once >= 10)
    rig.endpoint.script(200)
    async with rig.working(*handlers):
        await rig.settled(delivered=80)
    sent = {(request.path, id) for request, id in zip(rig.endpoint.received, webhook_ids(rig.endpoint), strict=True)}
    assert len(sent) == 40, "each of them, by its id"


async def test_what_is_pending_or_undelivered_is_left_to_its_own_delivery_and_told(rig: Rig) -> None:
    handler = rig.handler(concurrency=4)
    async with rig.working(handler):
        await rig.publish("done")
        await rig.settled(delivered=1)
        rig.endpoint.script(Answer(then="hang"))
        pending = await rig.publish("pending")
        await rig.endpoint.wait_for(2)
        ran = await replay(rig, [handler], "--all")
        assert (ran.code, ran.out[:24]) == (0, "1 replayed, of 1 event, ")
        why = "what is undelivered or pending ends by itself"
        assert ran.err == f"1 entry is not acknowledged yet and left out: {why}\n"
        alone = await replay(rig, [handler], pending)
        assert (alone.code, alone.out[:12]) == (1, "0 replayed, ")
        rig.endpoint.release()
        await rig.settled(delivered=3)
    await rig.publish("nobody reads it")
    ran = await replay(rig, [handler], "--all", "--dry-run")
    assert ran.err.startswith("1 entry is not acknowledged yet")


async def test_a_condition_that_fails_on_a_past_event_leaves_a_letter_and_no_silent_no(rig: Rig) -> None:
    before, now = rig.handler(), rig.handler(when="{{ index .Meta.list 3 }}")
    async with rig.working(before) as worker:
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        worker.lanes.replace(Catalogue(rig.loaded(now).handlers))
        assert (await replay(rig, [now], entry)).code == 0
        await rig.settled(delivered=1, dead=1)
    assert [letter.reason for letter in await rig.letters()] == ["template"]


async def test_partitions_are_replayed_together_in_the_order_of_ids(rig: Rig) -> None:
    handler = rig.handler(concurrency=1)
    stream = {"partitions": 2}
    async with rig.working(handler, stream=stream) as worker:
        for number in range(4):
            words = ("type", "AuthFailure", "key", f"k{number}")
            await ask(rig.redis, "XADD", f"gateway:events:{number % 2}", f"{number + 1}-0", *words)
        await rig.endpoint.wait_for(4)

        async def all_acknowledged() -> bool:
            return all([await line.idle() for line in worker.lines])

        await eventually(all_acknowledged)
        rig.endpoint.received.clear()
        file = rig.written(handler, stream=stream)
        listed = await command("replay", "--all", "--dry-run", "--json", "--config", file)
        assert [(one["event"], one["stream"][-1]) for one in listed.json] == [
            ("1-0", "0"), ("2-0", "1"), ("3-0", "0"), ("4-0", "1"),
        ]  # fmt: skip
        ran = await command("replay", "--since", "2-0", "--json", "--config", file)
        assert (ran.json["replayed"], ran.json["up_to"]) == (3, "4-0")
        await rig.endpoint.wait_for(3)
        one = await command("replay", webhook_id("2-0", 1, "h"), "--json", "--config", file)
        assert one.json["replayed"] == 1
        await rig.endpoint.wait_for(4)
        none = await command("replay", webhook_id("2-0", 0, "h"), "--config", file)
        assert (none.code, "does not hold it" in none.err) == (1, True)
        await eventually(all_acknowledged)
    assert sorted(rig.arrived) == ["k1", "k1", "k2", "k3"]


# Dead letters.


async def test_a_dead_letter_is_replayed_whoever_left_an_x_and_keeps_its_webhook_id(rig: Rig) -> None:
    rig.endpoint.script(404, 200)
    loaded = rig.loaded(rig.handler(event_timeout=WINDOW, retry=PERMANENT))
    async with rig.running(loaded):
        entry = await rig.publish("abc")
        await rig.settled(dead=1)
        await rig.redis.set(rig.cool_key(loaded, "abc"), f"x|9-9|h|{await rig.now()}", px=60_000)
        assert (await dead_replay(rig)).out == "1 replayed\n"
        await rig.settled(delivered=1)
    assert webhook_ids(rig.endpoint) == [webhook_id(entry, 0, "h")] * 2


async def test_a_letter_whose_handler_is_gone_dies_again_and_that_is_told_before(rig: Rig) -> None:
    rig.endpoint.script(404)
    async with rig.working(rig.handler("old", retry=PERMANENT)) as worker:
        await rig.publish_many(2)
        await rig.settled(dead=2)
        now = rig.handler("new")
        worker.lanes.replace(Catalogue(rig.loaded(now).handlers))
        file = rig.written(now)
        said = (
            "no handler old in the configuration any more: "
            "what is replayed of it becomes a dead letter again, reason handler_removed\n"
        )
        tried = await command("dead", "replay", "--dry-run", "--config", file)
        assert (tried.code, tried.err) == (0, said)
        ran = await command("dead", "replay", "--config", file)
        assert (ran.code, ran.out, ran.err) == (0, "2 replayed\n", said)
        await rig.settled(dead=2)
    assert {(letter.reason, letter.handler) for letter in await rig.letters()} == {("handler_removed", "old")}


async def test_a_letter_of_a_removed_handler_is_delivered_once_the_handler_is_back(rig: Rig) -> None:
    """Though the mark of its storing is still on the cool-down, which nobody claimed since."""
    rig.endpoint.script(503, 200)
    handler = rig.handler(event_timeout=WINDOW, retry={"delays": [60]})
    loaded = rig.loaded(handler)
    async with rig.running(loaded) as worker:
        await rig.publish("abc")
        await eventually(rig.stored)
        worker.lanes.replace(Catalogue(()))
        await rig.due_now()
        await rig.settled(dead=1)
        assert [mark[0] for mark in (await rig.cool_downs()).values()] == ["r"]
        worker.lanes.replace(Catalogue(loaded.handlers))
        await dead_replay(rig)
        await rig.settled(delivered=1)


async def test_letters_that_die_again_while_they_are_replayed_are_not_met_a_second_time(rig: Rig) -> None:
    rig.endpoint.script(404)
    async with rig.working(rig.handler(retry=PERMANENT)):
        await rig.publish_many(4)
        await rig.settled(dead=4)
        ran = await dead_replay(rig, "--rate", "10/s")
        assert ran.out == "4 replayed\n"
        await rig.settled(dead=4)
    assert len(rig.endpoint.received) == 8


async def test_two_letters_of_one_event_and_handler_are_replayed_as_two(rig: Rig) -> None:
    """As two replays of history leave them: each has an owner and a webhook-id of its own."""
    handler = rig.handler(retry=PERMANENT)
    rig.endpoint.script(404)
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(dead=1)
        await replay(rig, [handler], entry)
        await rig.settled(dead=2)
        rig.endpoint.script(200)
        assert (await dead_replay(rig, entry)).out == "2 replayed\n"
        await rig.settled(delivered=2)
    assert len(set(webhook_ids(rig.endpoint)[2:])) == 2


@pytest.mark.parametrize("force", [False, True])
async def test_a_replayed_letter_is_suppressed_by_a_delivery_inside_its_cool_down_unless_forced(
    rig: Rig, force: bool
) -> None:
    rig.endpoint.script(404, 200)
    loaded = rig.loaded(rig.handler(event_timeout=WINDOW, retry=PERMANENT))
    async with rig.running(loaded):
        await rig.publish("abc")
        await rig.settled(dead=1)
        await rig.redis.delete(rig.cool_key(loaded, "abc"))
        await rig.publish("abc")
        await rig.settled(dead=1, delivered=1)
        await dead_replay(rig, *["--force"] * force)
        await rig.settled(delivered=1 + force, suppressed=1 - force)
