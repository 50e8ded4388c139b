"""`explain` of any id: gone, unknown, wrong, of several handlers or partitions, and with less to go by."""

import pytest

from streamhooks.delivery.request import webhook_id
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.store.connection import ask
from streamhooks.store.keys import partitions
from streamhooks.store.pauses import Pauses
from tests.doors.command import command
from tests.flow.explaining import explained, page, total
from tests.flow.rig import STREAM, Config, Rig
from tests.flow.test_recovery import hand_out, make_group
from tests.servers import Answer
from tests.waiting import eventually

NO_CONFIGURATION = "there are no handlers here to judge by: which of them it fires is not known; name a configuration"
HINT = "streamhooks publish prints ids, streamhooks tail and streamhooks dead list show them\n"


# What is not there, and what is no id.


async def test_trimmed_is_told_from_what_is_left_of_it(rig: Rig) -> None:
    rig.endpoint.script(503)
    handler = rig.handler(retry={"delays": [600]})
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await eventually(rig.stored)
        newer = await rig.publish("newer")
    await ask(rig.redis, "XTRIM", STREAM, "MINID", newer)
    told = await explained(rig, entry, handler)
    assert told["now"][0].startswith("h  stored (status 503): attempt 2 is due at ")
    assert told["handlers"][0] == "h  fires: it is for *"
    assert told["to be known"] == [f"it is older than the first entry that {STREAM} holds, {newer}: trimmed"]


async def test_trimmed_without_a_trace_is_not_found(rig: Rig) -> None:
    async with rig.working(rig.handler()):
        entry, middle, newest = await rig.publish_many(3)
        await rig.settled(delivered=3)
    await ask(rig.redis, "XTRIM", STREAM, "MINID", middle)
    ran = await command("explain", entry, "--redis-url", rig.url)
    why = f"it is older than the first entry that {STREAM} holds, {middle}: trimmed, if it was ever there"
    assert (ran.code, ran.out, ran.err) == (1, "", f"{entry}: {why}\n{HINT}")
    await ask(rig.redis, "XTRIM", STREAM, "MAXLEN", 0)
    ran = await command("explain", newest, "--redis-url", rig.url)
    why = f"{STREAM} is empty: the entry was trimmed or deleted, if it was ever there"
    assert (ran.code, ran.err) == (1, f"{newest}: {why}\n{HINT}")


async def test_deleted_while_it_was_pending_is_lost(rig: Rig) -> None:
    await make_group(rig)
    entry, other = await rig.publish_many(2)
    await hand_out(rig, [entry, other], 1)
    await ask(rig.redis, "XDEL", STREAM, entry)
    told = await explained(rig, entry, rig.handler())
    assert told["now"] == ["it was deleted from the stream while gone had it: lost"]
    assert told["what to do"][0] == "publish it again, and let nobody else trim the stream"


async def test_unknown_ids_say_why(rig: Rig) -> None:
    ran = await command("explain", "5-5", "--redis-url", rig.url)
    why = f"there is no stream {STREAM}: nothing was ever published to it"
    assert (ran.code, ran.out, ran.err) == (1, "", f"5-5: {why}\n{HINT}")
    first, middle, last = [await rig.publish("abc", id=f"{number}-1") for number in (10, 20, 30)]
    for id, why in (
        ("99-0", f"{STREAM} has not given this id yet: its newest is {last}"),
        ("5-5", f"{STREAM} never had this entry, and none has ever gone from it"),
    ):
        ran = await command("explain", id, "--redis-url", rig.url)
        assert (ran.code, ran.out, ran.err) == (1, "", f"{id}: {why}\n{HINT}")
    await ask(rig.redis, "XDEL", STREAM, middle)
    ran = await command("explain", middle, "--redis-url", rig.url, "--json")
    why = f"{STREAM} holds older and newer entries: it was deleted, if it was ever there"
    assert (ran.code, ran.json) == (1, {"id": middle, "stories": [], "unknown": {STREAM: why}})
    assert first == "10-1"


@pytest.mark.parametrize("id", ["", "abc", "5", "5-", "99999999999999999999-0", "evt_5-5_0_xyz", "evt_5-5"])
async def test_what_is_no_id_is_refused(id: str) -> None:
    ran = await command("explain", id)
    said = "is no id; give that of an entry or of a dead letter, such as 1795428000000-0, or a webhook-id"
    assert (ran.code, ran.out, ran.err) == (2, "", f'command line: ID: "{id}" {said}\n1 fault\n')


async def test_a_webhook_id_of_a_partition_that_is_not_configured(rig: Rig) -> None:
    ran = await command("explain", "evt_5-5_7_0123abcd", "--redis-url", rig.url)
    why = "the id is of partition 7, and stream.partitions is 1"
    assert (ran.code, ran.out, ran.err) == (1, "", f"evt_5-5_7_0123abcd: {why}\n{HINT}")


# Several.


async def test_several_handlers_with_different_ends(rig: Rig) -> None:
    handlers = [rig.handler(id, on=["AuthFailure"], concurrency=1) for id in ("good", "held", "dead")]
    handlers[2]["template_path"] = rig.template("fails.json", '{{ fail "so" }}')
    handlers.append(rig.handler("other", on=["KeyExpired"]))
    await Pauses(rig.redis, rig.keys).pause("held", "operator", "")
    async with rig.working(*handlers):
        entry = await rig.publish("abc")
        await eventually(rig.letters)
        await eventually(rig.stored)
        await eventually(lambda: total(rig, "delivered"))
        told = await explained(rig, entry, *handlers)
        only = await explained(rig, webhook_id(entry, 0, "held"), *handlers)
    good, held, dead = told["now"]
    assert good == "good   acknowledged, no problem recorded: delivered at the first attempt"
    assert held.startswith("held   held: its handler is paused since ")
    assert dead.startswith("dead   dead letter ")
    assert [line.split()[0] for line in told["handlers"] if not line.startswith("webhook-id")] == [
        "good", "held", "dead", "other",
    ]  # fmt: skip
    assert [line.split()[0] for line in only["now"]] == ["held"]


async def test_one_handler_is_finished_while_another_is_still_sending(rig: Rig) -> None:
    rig.endpoint.script(Answer(then="hang"))
    handlers = (rig.handler("slow"), rig.handler("dead", template_path=rig.template("fails.json", '{{ fail "so" }}')))
    async with rig.working(*handlers) as worker:
        entry = await rig.publish("abc")
        await rig.endpoint.wait_for(1)
        await eventually(rig.letters)
        told = await explained(rig, entry, *handlers)
        rig.endpoint.release()
    assert told["now"][0].startswith(f"slow  pending at {worker.consumer}, ")
    assert told["now"][1].startswith("dead  dead letter ")


async def test_an_id_is_looked_for_in_every_partition(rig: Rig) -> None:
    sections = {"stream": {"partitions": 2}}
    given, later = f"{await rig.now()}-5", f"{await rig.now() + 60_000}-6"  # retention trims what is of yesterday
    async with rig.working(rig.handler(), **sections) as worker:
        for keys in partitions(STREAM, 2):
            await ask(rig.redis, "XADD", keys.stream, given, "type", "AuthFailure")
        await rig.endpoint.wait_for(2)
        await eventually(lambda: worker.held == 0)
        config = rig.written(rig.handler(), **sections)
        both = await command("explain", given, "--config", config, "--json")
        one = await command("explain", webhook_id(given, 1, "h"), "--config", config, "--json")
        none = await command("explain", later, "--config", config)
    assert [story["stream"] for story in both.json["stories"]] == [f"{STREAM}:0", f"{STREAM}:1"]
    assert [story["partition"] for story in one.json["stories"]] == [1]
    assert none.code == 1
    assert none.err.splitlines()[:2] == [
        f"{later}: {STREAM}:{number} has not given this id yet: its newest is {given}" for number in range(2)
    ]


# With less to go by, and what is not shown.


async def test_without_a_configuration_handlers_cannot_be_judged(rig: Rig) -> None:
    rig.endpoint.script(422, 200)
    async with rig.working(rig.handler(event_timeout=60), worker={"journal": "all"}):
        dead = await rig.publish("dead")
        await rig.settled(dead=1)
        delivered = await rig.publish("delivered")
        await rig.settled(dead=1, delivered=1)
    told = page(await command("explain", dead, "--redis-url", rig.url))
    assert told["handlers"][0] == "h  cannot be judged without a configuration"
    assert told["now"][0].startswith("h  dead letter ")
    assert NO_CONFIGURATION in told["to be known"]
    told = page(await command("explain", delivered, "--redis-url", rig.url))
    assert told["now"][0].startswith("h  delivered at ")
    await ask(rig.redis, "DEL", rig.keys.journal)
    told = page(await command("explain", delivered, "--redis-url", rig.url))
    assert told["now"] == ["acknowledged, no problem recorded"]
    assert "handlers" not in told.blocks


async def test_a_handler_that_was_removed_is_told_of_by_its_traces(rig: Rig) -> None:
    rig.endpoint.script(503)
    async with rig.working(rig.handler(retry={"delays": [60]})) as worker:
        entry = await rig.publish("abc")
        await eventually(rig.stored)
        worker.lanes.replace(Catalogue(()))
        told = await explained(rig, entry, rig.handler("other", on=["Never"]))
        ran = await command("explain", webhook_id(entry, 0, "nobody"), "--config", rig.written(rig.handler("other")))
    assert told["handlers"][1] == "h      is not in the configuration any more"
    assert told["now"][0].startswith("h      stored (status 503): ")
    said = f"no handler has a webhook-id with {webhook_id(entry, 0, 'nobody')[-8:]}: it was renamed or removed"
    assert said in ran.out


async def test_a_request_that_cannot_be_made_is_foretold_with_the_key_masked(rig: Rig) -> None:
    body = rig.template("fails.json", "{{ fail .Meta.Key }}")
    handlers = (rig.handler("a", template_path=body), rig.handler("b", when="{{ fail .Meta.Key }}"))
    entry = await rig.publish("5d8e1c0fa2b7")
    told = await explained(rig, entry, *handlers)
    first, second = (line for line in told["handlers"] if not line.startswith("webhook-id"))
    assert first.startswith("a  fires, and fails: its request cannot be made: template: fails.json:1:")
    assert second.startswith("b  fires, and fails: its condition (when) cannot be rendered: template: ")
    assert "5d8e***" in first
    async with rig.working(*handlers):
        await rig.settled(dead=2)
        ran = await command("explain", entry, "--config", rig.written(*handlers))
        noted = await ask(rig.redis, "XRANGE", rig.keys.journal, "-", "+")
    assert "1c0fa2b7" not in ran.out
    assert b"1c0fa2b7" not in str(noted).encode(), "the journal holds no credential"


async def test_the_event_is_shown_only_where_it_is_asked_for_and_masked(rig: Rig) -> None:
    entry = await rig.add({"type": "KeyExpired", "message": "expi\x1b[31mred", "key": "5d8e1c0fa2b7"})
    config = rig.written(rig.handler())
    without = await command("explain", entry, "--config", config, "--json")
    shown = await command("explain", entry, "--config", config, "--event")
    told = await command("explain", entry, "--config", config, "--event", "--json")
    assert without.json["stories"][0]["content"] is None
    assert told.json["stories"][0]["content"] == {"Message": "expi\x1b[31mred", "Key": "5d8e***"}
    assert "\x1b" not in shown.out
    assert "1c0fa2b7" not in without.out + shown.out + told.out


async def test_as_data_it_is_the_same(rig: Rig) -> None:
    rig.endpoint.script(Answer(503, b"busy"))
    handler = rig.handler(event_timeout=60, retry={"delays": [600], "jitter": 0})
    async with rig.working(handler) as worker:
        entry = await rig.add({"type": "AuthFailure", "key": "abc", "api_id": "pay", "org_id": "acme", "source": "gw"})
        ((owner, record),) = (await eventually(rig.stored)).items()
        ran = await command("explain", entry, "--config", rig.written(handler), "--json")
    (story,) = ran.json["stories"]
    assert (ran.json["id"], ran.json["unknown"], owner) == (entry, {}, f"{entry}|h")
    assert {name: story[name] for name in ("id", "stream", "partition", "kept")} == {
        "id": entry, "stream": STREAM, "partition": 0, "kept": True,
    }  # fmt: skip
    assert {name: story["event"][name] for name in ("type", "api_id", "org_id", "source")} == {
        "type": "AuthFailure", "api_id": "pay", "org_id": "acme", "source": "gw",
    }  # fmt: skip
    added, read, attempt = story["steps"]
    assert (added["what"], added["at"]) == ("added", int(entry.partition("-")[0]))
    assert (read["what"], read["worker"]) == ("read", worker.consumer)
    names = ("what", "handler", "attempt", "status", "answer", "worker", "at")
    assert [attempt[name] for name in names] == ["attempt", "h", 1, 503, "busy", worker.consumer, record.last]
    (part,) = story["handlers"]
    assert (part["verdict"], part["webhook_id"]) == ("fires", webhook_id(entry, 0, "h"))
    cooling = part["cool_down"]
    assert (cooling["state"], cooling["own"], cooling["window"]) == ("stored", True, 60)
    assert cooling["fingerprint"] == record.fingerprint
    (place,) = story["now"]
    assert (place["state"], place["handler"], place["until"]) == ("parked", "h", record.last + 600_000)
    assert story["to_do"][0]["command"] == "streamhooks fire --handler h"


async def test_records_of_another_release_do_not_hide_the_rest(rig: Rig) -> None:
    rig.endpoint.script(503)
    handler = rig.handler(retry={"delays": [600]})
    async with rig.working(handler):
        entry = await rig.publish("abc")
        ((owner, record),) = (await eventually(rig.stored)).items()
    pack = "return redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack({'v', '2'}))"
    await ask(rig.redis, "EVAL", pack, 1, rig.keys.parked_data, owner)
    await ask(rig.redis, "XADD", rig.keys.retry, "*", "v", "2", "origin", entry, "handler", "h")
    await ask(rig.redis, "SET", rig.keys.cool("h", record.fingerprint), "nonsense", "PX", 60_000)
    told = await explained(rig, entry, replaced(handler))
    assert told["now"][0].startswith("h  stored (not written by this release): ")


def replaced(handler: Config) -> Config:
    return handler | {"event_timeout": 60}
