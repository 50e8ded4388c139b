"""`dead`: letters listed, shown with their credentials masked, replayed and purged."""

import os
import pty
import subprocess
import sys
from typing import Any

import pytest
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.delivery.request import webhook_id
from streamhooks.store.connection import ask
from streamhooks.store.record import Record
from tests.doors.command import FINGERPRINT, KEYS, buried, buried_raw, command

COOL = KEYS.cool("security", FINGERPRINT)


async def carriers(redis: Redis) -> list[Record]:
    """What a replay has put on its way."""
    entries: Any = await redis.xrange(KEYS.retry)
    return [Record.read(fields) for _, fields in entries]


# list


async def test_no_letters_are_said_to_be_none(redis: Redis, redis_url: str) -> None:
    assert (await command("dead", "list", "--redis-url", redis_url)).out == "no dead letters\n"
    assert (await command("dead", "list", "--json", "--redis-url", redis_url)).json == []


async def test_letters_are_listed_without_payload(redis: Redis, redis_url: str) -> None:
    id, raw = await buried(redis), await buried_raw(redis)
    plain = await command("dead", "list", "--redis-url", redis_url)
    told = await command("dead", "list", "--json", "--redis-url", redis_url)
    heading, first, second = (line.split() for line in plain.out.splitlines())
    assert heading == ["ID", "BURIED", "HANDLER", "TYPE", "REASON", "ATTEMPTS", "STATUS", "WHY"]
    assert first[0] == id
    assert first[2:] == ["security", "AuthFailure", "exhausted", "10", "503", "503", "ten", "times"]
    assert second[0] == raw
    assert second[2:] == ["-", "-", "undecodable", "0", "-", "d:", "is", "no", "map"]
    assert [(one["id"], one["replayable"], one["attempts"]) for one in told.json] == [(id, True, 10), (raw, False, 0)]
    assert "5d8e" not in plain.out + told.out


class Filter(Struct, frozen=True):
    words: list[str]
    takes: list[int]
    """Of the three letters below."""


FILTERS = {
    "handler": Filter(["--handler", "audit"], [1]),
    "type": Filter(["--type", "BreakerTripped"], [1]),
    "types": Filter(["--type", "Breaker*"], [1]),
    "reason": Filter(["--reason", "undecodable"], [2]),
    "since long ago": Filter(["--since", "1h"], [0, 1, 2]),
    "since the future": Filter(["--since", "2999-01-01"], []),
    "until long ago": Filter(["--until", "2001-01-01T00:00:00+01:00"], []),
    "until now": Filter(["--until", "0s"], [0, 1, 2]),
    "both": Filter(["--handler", "audit", "--reason", "undecodable"], []),
}


@pytest.mark.parametrize("case", FILTERS.values(), ids=FILTERS.keys())
async def test_filters_choose_letters(case: Filter, redis: Redis, redis_url: str) -> None:
    ids = [await buried(redis), await buried(redis, type="BreakerTripped", handler="audit"), await buried_raw(redis)]
    ran = await command("dead", "list", "--json", *case.words, "--redis-url", redis_url)
    assert [one["id"] for one in ran.json] == [ids[number] for number in case.takes]


async def test_letters_of_every_partition_are_listed(redis: Redis, redis_url: str, tmp_path: Any) -> None:
    file = tmp_path / "streamhooks.yaml"
    file.write_text("stream: {key: many, partitions: 2}\n")
    for number in range(2):
        await redis.xadd(f"{{many:{number}}}:dead", {"v": "1", "origin": f"{number}-1", "why": "x"}, id="7-0")
    ran = await command("dead", "list", "--json", "--config", str(file), "--redis-url", redis_url)
    assert [(one["stream"], one["event"]) for one in ran.json] == [("many:0", "0-1"), ("many:1", "1-1")]


async def test_what_an_event_holds_cannot_forge_a_line(redis: Redis, redis_url: str) -> None:
    await buried(redis, type="X\u202e\u2028Y")
    ran = await command("dead", "list", "--redis-url", redis_url)
    assert r"X\u202e\u2028Y" in ran.out


# show


async def test_a_letter_is_shown_with_its_key_masked_also_in_the_answer(redis: Redis, redis_url: str) -> None:
    meta = {"Key": "5d8e1c0fa2b7", "deep": [{"key": "abc"}], "OriginatingRequest": "R0VUIC8=", "Path": "/a"}
    id = await buried(redis, meta, answer=b"unknown key 5d8e1c0fa2b7\n\x1b[2J")
    plain = await command("dead", "show", id, "--redis-url", redis_url)
    told = await command("dead", "show", id, "--json", "--redis-url", redis_url)
    assert told.json[0]["event_content"]["meta"] == {
        "Key": "5d8e***", "deep": [{"key": "***"}], "OriginatingRequest": "***", "Path": "/a",
    }  # fmt: skip
    assert told.json[0]["answer"] == "unknown key 5d8e***\n\x1b[2J"
    assert plain.out.endswith("answer:\nunknown key 5d8e***\n\\x1b[2J\n")
    for out in (plain.out, told.out):
        assert "1c0fa2b7" not in out
        assert "R0VUIC8=" not in out


async def test_reveal_shows_the_key_and_still_not_the_originating_request(redis: Redis, redis_url: str) -> None:
    id = await buried(redis, {"Key": "5d8e1c0fa2b7", "OriginatingRequest": "R0VUIC8="})
    ran = await command("dead", "show", id, "--reveal", "--json", "--redis-url", redis_url)
    assert ran.json[0]["event_content"]["meta"] == {"Key": "5d8e1c0fa2b7", "OriginatingRequest": "***"}


async def test_what_could_not_be_decoded_is_shown_on_demand_only(redis: Redis, redis_url: str) -> None:
    id = await buried_raw(redis)
    hidden = await command("dead", "show", id, "--redis-url", redis_url)
    revealed = await command("dead", "show", id, "--reveal", "--redis-url", redis_url)
    assert hidden.out.endswith("raw:\n*** (--reveal shows it)\n")
    assert "5d8e" not in hidden.out
    assert revealed.out.endswith("raw:\nd=not an event\nkey=5d8e1c0fa2b7\n\n")


async def test_a_letter_is_found_by_its_event_and_by_its_webhook_id(redis: Redis, redis_url: str) -> None:
    id = await buried(redis)
    listed = (await command("dead", "list", "--json", "--redis-url", redis_url)).json[0]
    for name in (listed["event"], webhook_id(listed["event"], 0, "security")):
        ran = await command("dead", "show", name, "--json", "--redis-url", redis_url)
        assert (ran.code, [one["id"] for one in ran.json]) == (0, [id])


async def test_a_webhook_id_names_the_letter_of_one_handler_and_an_event_those_of_all(
    redis: Redis, redis_url: str
) -> None:
    for id, handler, run in (("7-0", "a", ""), ("8-0", "b", ""), ("9-0", "b", "12ab")):
        words = Record(origin="5-0", handler=handler, event=b"{}", id_run=run).words()
        await ask(redis, "XADD", KEYS.dead, id, *words)
    meant = {
        "5-0": ["7-0", "8-0", "9-0"],
        webhook_id("5-0", 0, "b"): ["8-0"],
        webhook_id("5-0", 0, "b", "12ab"): ["9-0"],
        webhook_id("5-0", 1, "b"): [],
    }
    for name, ids in meant.items():
        ran = await command("dead", "list", name, "--json", "--redis-url", redis_url)
        assert [one["id"] for one in ran.json] == ids
        assert ran.code == (not ids)


async def test_a_time_narrows_ids_too(redis: Redis, redis_url: str) -> None:
    id = await buried(redis)
    ran = await command("dead", "list", id, "--until", "2001-01-01", "--redis-url", redis_url)
    assert (ran.code, ran.out) == (1, "no dead letters\n")
    assert ran.err == f"{id}: there is no such dead letter, or the filters leave it out\n"


async def test_an_event_that_cannot_be_read_any_more_is_shown_as_that(redis: Redis, redis_url: str) -> None:
    await ask(redis, "XADD", KEYS.dead, "7-0", *Record(origin="5-0", handler="a", event=b"\x81[").words())
    ran = await command("dead", "show", "--json", "--redis-url", redis_url)
    assert ran.json[0]["event_content"] == {"unreadable": "2 bytes: changed by hand, or written by another release"}


@pytest.mark.parametrize("action", ["list", "show", "replay", "purge"])
async def test_a_letter_that_is_not_there_is_told_and_not_achieved(action: str, redis: Redis, redis_url: str) -> None:
    ran = await command("dead", action, "1-1", "--redis-url", redis_url)
    assert ran.code == 1
    assert ran.err == "1-1: there is no such dead letter, or the filters leave it out\n"


# replay


async def test_a_replayed_letter_becomes_a_carrier_and_frees_its_cool_down(redis: Redis, redis_url: str) -> None:
    id = await buried(redis)
    assert bytes(await ask(redis, "GET", COOL)).startswith(b"x|")
    ran = await command("dead", "replay", id, "--redis-url", redis_url)
    assert (ran.code, ran.out, ran.err) == (0, "1 replayed\n", "")
    carrier = (await carriers(redis))[0]
    assert (carrier.handler, carrier.attempt, carrier.force) == ("security", 1, False)
    assert carrier.owner == f"{carrier.origin}~{carrier.run}|security"
    assert carrier.run == id
    assert wire.unpack_event(carrier.event).meta["Key"] == "5d8e1c0fa2b7"
    assert await redis.xlen(KEYS.dead) == 0
    assert await redis.exists(COOL) == 0
    status = await command("status", "--json", "--redis-url", redis_url)
    assert status.json["partitions"][0]["balances"] is True


async def test_every_letter_is_replayed_in_a_run_of_its_own(redis: Redis, redis_url: str) -> None:
    ids = [await buried(redis, fingerprint=f"{number:032x}") for number in range(3)]
    ran = await command("dead", "replay", "--json", "--force", "--redis-url", redis_url)
    assert ran.json == {"replayed": ids, "gone": []}
    found = await carriers(redis)
    assert len({carrier.run for carrier in found}) == 3
    assert all(carrier.force for carrier in found)


async def test_a_letter_that_was_never_an_event_cannot_be_replayed(redis: Redis, redis_url: str) -> None:
    raw = await buried_raw(redis)
    await buried(redis)
    ran = await command("dead", "replay", "--redis-url", redis_url)
    assert (ran.code, ran.out) == (1, "1 replayed\n")
    why = "it holds no event that can be read"
    assert ran.err == f"{raw} cannot be replayed: {why}; streamhooks dead show {raw} tells why\n"
    assert await redis.xlen(KEYS.dead) == 1


async def test_of_many_letters_that_cannot_be_replayed_ten_are_named(redis: Redis, redis_url: str) -> None:
    for number in range(12):
        await ask(redis, "XADD", KEYS.dead, f"{number + 1}-0", "v", 1, "origin", "5-0", "reason", "undecodable")
    ran = await command("dead", "replay", "--redis-url", redis_url)
    assert (ran.code, ran.out) == (1, "0 replayed\n")
    *named, last = ran.err.splitlines()
    assert [line.partition(" ")[0] for line in named] == [f"{number + 1}-0" for number in range(10)]
    assert last == "2 more letters cannot be replayed"


async def test_more_letters_than_one_call_takes_are_replayed_in_order(redis: Redis, redis_url: str) -> None:
    for number in range(250):
        words = Record(origin=f"{number + 1}-0", handler="a", event=b"{}").words()
        await ask(redis, "XADD", KEYS.dead, f"{number + 1}-0", *words)
    ran = await command("dead", "replay", "--redis-url", redis_url)
    assert ran.out == "250 replayed\n"
    assert [carrier.origin for carrier in await carriers(redis)] == [f"{number + 1}-0" for number in range(250)]
    assert await redis.xlen(KEYS.dead) == 0


async def test_a_server_that_is_out_of_memory_loses_no_letter(redis: Redis, redis_url: str) -> None:
    """A letter goes as its carrier comes: such a server lets a script end that has begun to write."""
    await buried(redis)
    await ask(redis, "CONFIG SET", "maxmemory", 1)
    try:
        await command("dead", "replay", "--redis-url", redis_url)
    finally:
        await ask(redis, "CONFIG SET", "maxmemory", 0)
    assert await redis.xlen(KEYS.dead) + len(await carriers(redis)) == 1


@pytest.mark.parametrize("action", ["replay", "purge"])
async def test_a_dry_run_lists_and_changes_nothing(action: str, redis: Redis, redis_url: str) -> None:
    id = await buried(redis)
    ran = await command("dead", action, "--dry-run", "--reason", "exhausted", "--redis-url", redis_url)
    told = await command("dead", action, "--dry-run", "--reason", "exhausted", "--json", "--redis-url", redis_url)
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == f"1 would be {action}{'ed' if action == 'replay' else 'd'}"
    assert [one["id"] for one in told.json] == [id]
    assert await redis.xlen(KEYS.dead) == 1
    assert await carriers(redis) == []


async def test_a_rate_is_kept(redis: Redis, redis_url: str) -> None:
    for number in range(3):
        await buried(redis, fingerprint=f"{number:032x}")
    ran = await command("dead", "replay", "--rate", "20/s", "--redis-url", redis_url)
    entries: Any = await redis.xrange(KEYS.retry)
    times = [int(id.partition(b"-")[0]) for id, _ in entries]
    assert ran.out == "3 replayed\n"
    assert times[2] - times[0] >= 95  # two intervals of 50 ms, measured by a clock of whole milliseconds


class Case(Struct, frozen=True):
    words: list[str]
    said: str


WRONG = {
    "rate": Case(
        ["replay", "--rate", "fast"], '--rate: must be a rate such as "10/s", "30/m" or "500/h", or empty for none'
    ),
    "time": Case(
        ["list", "--since", "soon"],
        '--since: "soon" is no time; write 2h (ago), 2026-11-23T10:00:00Z, or the id of an entry',
    ),
    "id": Case(["show", "x"], 'ID: "x" is no id; streamhooks dead list shows them, such as 1795428000000-0'),
    "everything": Case(["purge"], "purge: needs ids, a filter, or --all for every letter there is"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
async def test_wrong_usage_of_dead_is_told(case: Case) -> None:
    ran = await command("dead", *case.words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"command line: {case.said}\n1 fault\n")


# purge


async def test_a_purged_letter_is_gone_with_its_mark_on_the_cool_down(redis: Redis, redis_url: str) -> None:
    id = await buried(redis)
    ran = await command("dead", "purge", id, "--redis-url", redis_url)
    assert (ran.code, ran.out) == (0, "1 purged\n")
    assert await redis.xlen(KEYS.dead) == 0
    assert await redis.exists(COOL) == 0
    assert await carriers(redis) == []
    status = (await command("status", "--json", "--redis-url", redis_url)).json["partitions"][0]
    assert status["balances"] is True
    assert (status["account"]["dead"], status["account"]["dead_purged"]) == (1, 1)


async def test_a_purge_leaves_the_mark_of_another_owner(redis: Redis, redis_url: str) -> None:
    id = await buried(redis)
    await redis.set(COOL, "d|9-9|security|1", px=60_000)
    await command("dead", "purge", id, "--redis-url", redis_url)
    assert await redis.get(COOL) == b"d|9-9|security|1"


async def test_everything_is_purged_only_when_that_is_said(redis: Redis, redis_url: str) -> None:
    ids = [await buried(redis), await buried_raw(redis)]
    ran = await command("dead", "purge", "--all", "--json", "--redis-url", redis_url)
    assert ran.json == {"purged": ids, "gone": []}


@pytest.mark.parametrize(
    ("answer", "code", "left"), [(b"y\n", 0, 0), (b"n\n", 1, 1), (b"\n", 1, 1)], ids=["yes", "no", "nothing"]
)
async def test_on_a_terminal_a_purge_asks_first(
    answer: bytes, code: int, left: int, redis: Redis, redis_url: str
) -> None:
    await buried(redis)
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    words = [sys.executable, "-m", "streamhooks", "dead", "purge", "--all", "--redis-url", redis_url]
    ran = subprocess.run(words, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, check=False, timeout=30)  # noqa: ASYNC221  nothing else runs on this loop
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert "purge 1 dead letter? [y/N] " in shown
    assert ran.returncode == code
    assert await redis.xlen(KEYS.dead) == left
