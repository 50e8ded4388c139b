"""`status` and `pending`: what waits, who has it, and how to take it from a dead worker."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.keys import Keys
from streamhooks.store.release import NOBODY
from streamhooks.store.stream import Stream
from tests.doors.command import GROUP, KEYS, added, buried, command, handed_out

HANDLERS = """
handlers:
  - {id: security, on: [AuthFailure, "Breaker*"], target_path: "https://hooks.example.com/secret/path"}
"""


async def test_a_stream_that_nobody_reads_is_found_wrong(redis: Redis, redis_url: str) -> None:
    await added(redis, type="AuthFailure")
    ran = await command("status", "--redis-url", redis_url)
    assert ran.code == 1
    assert ran.err == (
        "stream gateway:events has no consumer group streamhooks: start a worker with streamhooks serve\n"
    )
    assert "group           streamhooks (not there yet)\nlength          1\nlag             -\n" in ran.out


async def test_what_waits_and_what_came_of_it_all_is_told(redis: Redis, redis_url: str) -> None:
    await buried(redis)
    await added(redis, type="AuthFailure")
    await handed_out(redis, "worker-2")
    await added(redis, type="AuthFailure")
    await added(redis, type="AuthFailure")
    await redis.zadd(KEYS.parked, {"past": 1, "future": 9_999_999_999_999})
    ran = await command("status", "--json", "--redis-url", redis_url)
    assert (ran.code, ran.err) == (0, "")
    told = ran.json["partitions"][0]
    figures = {"length": 4, "lag": 2, "pending": 1, "parked": 2, "due": 1, "held": 0, "dead": 1, "backlog": 4}
    assert {name: told[name] for name in figures} == figures
    assert told["stream"] == "gateway:events"
    assert told["oldest_pending"] < 60
    assert told["balances"] is True
    assert told["account"]["accepted"] == told["account"]["dead"] == 1
    assert {one["name"]: one["pending"] for one in told["consumers"]} == {"worker-1": 0, "worker-2": 1}
    assert ran.json["group"] == "streamhooks"


async def test_the_same_is_told_in_plain_words(redis: Redis, redis_url: str) -> None:
    await buried(redis)
    ran = await command("status", "--redis-url", redis_url)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "stream          gateway:events"
    assert "parked          0 (0 due, 0 held)" in lines
    assert "account         accepted 1, dead 1 (balances)" in lines
    assert lines[-2].split() == ["CONSUMER", "IDLE", "PENDING", "UP"]
    assert lines[-1].startswith("worker-1  ")


async def test_an_account_that_does_not_balance_is_found_wrong(redis: Redis, redis_url: str) -> None:
    await handed_out(redis)
    await redis.hset(KEYS.totals, mapping={"accepted": "3", "delivered": "2"})
    ran = await command("status", "--redis-url", redis_url)
    assert ran.code == 1
    assert ran.err == "the account of gateway:events does not balance: accepted is not the sum of the ends\n"
    assert "(DOES NOT BALANCE)" in ran.out


async def test_handlers_of_the_configuration_are_named_without_their_paths(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "streamhooks.yaml"
    on = ["AuthFailure", "Breaker*"]
    file.write_text(HANDLERS)
    await handed_out(redis)
    plain = await command("status", "--config", str(file), "--redis-url", redis_url)
    told = await command("status", "--config", str(file), "--redis-url", redis_url, "--json")
    assert plain.out.splitlines()[-1].split() == ["security", "active", *["-"] * 8]
    assert told.json["handlers"] == [
        {"id": "security", "state": "active", "on": on, "origin": "https://hooks.example.com", "figures": None}
    ]
    assert "secret" not in plain.out + told.out


async def test_every_partition_is_told(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "streamhooks.yaml"
    file.write_text("stream: {key: many, partitions: 3}\n")
    ran = await command("status", "--json", "--config", str(file), "--redis-url", redis_url)
    assert [one["stream"] for one in ran.json["partitions"]] == ["many:0", "many:1", "many:2"]


async def test_watching_looks_again_until_it_is_interrupted(redis: Redis, redis_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "status", "--watch", "--redis-url", redis_url,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    seen = 0
    async for line in process.stdout:
        seen += line.startswith(b"stream  ")
        if seen == 2:
            break
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 130


# pending


async def test_nothing_pending_is_said(redis: Redis, redis_url: str) -> None:
    ran = await command("pending", "--redis-url", redis_url)
    assert (ran.code, ran.out) == (0, "nothing is pending\n")


async def test_pending_entries_are_listed_with_who_has_them(redis: Redis, redis_url: str) -> None:
    id = await added(redis, type="AuthFailure")
    await handed_out(redis)
    plain = await command("pending", "--redis-url", redis_url)
    told = await command("pending", "list", "--json", "--redis-url", redis_url)
    assert plain.out.splitlines()[0].split() == ["ID", "STREAM", "CONSUMER", "IDLE", "DELIVERIES"]
    assert plain.out.splitlines()[1].split()[:3] == [id, "gateway:events", "worker-1"]
    one = told.json[0]
    assert 0 <= one.pop("idle") < 60
    assert one == {
        "stream": "gateway:events", "source": "stream", "id": id, "consumer": "worker-1", "deliveries": 1,
    }  # fmt: skip


async def test_more_pending_entries_than_a_page_are_all_listed(redis: Redis, redis_url: str) -> None:
    ids = [await added(redis, type="AuthFailure") for _ in range(1001)]
    await handed_out(redis, count=2000)
    ran = await command("pending", "--json", "--redis-url", redis_url)
    assert [one["id"] for one in ran.json] == ids


async def test_only_entries_that_are_idle_for_long_are_listed(redis: Redis, redis_url: str) -> None:
    await added(redis, type="AuthFailure")
    await handed_out(redis)
    ran = await command("pending", "--idle", "1h", "--json", "--redis-url", redis_url)
    assert ran.json == []


async def test_a_claimed_entry_is_taken_over_by_the_next_sweep_of_any_worker(redis: Redis, redis_url: str) -> None:
    first, second = await added(redis, type="AuthFailure"), await added(redis, type="AuthFailure")
    await handed_out(redis, "dead-worker")
    ran = await command("pending", "claim", first, "--redis-url", redis_url)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "1 claimed: the next sweep of any worker takes them over\n"
    live = Stream(redis, redis, KEYS, KEYS.stream, GROUP, "live-worker")
    taken = await live.take("0-0", 600.0, 100)
    # A claim by hand is no delivery: this is the second.
    assert [(entry.id, entry.deliveries) for entry in taken.entries] == [(first, 2)]
    left = await command("pending", "--json", "--redis-url", redis_url)
    assert {one["id"]: one["consumer"] for one in left.json} == {first: "live-worker", second: "dead-worker"}


async def test_all_entries_idle_for_long_are_claimed_and_no_others(redis: Redis, redis_url: str) -> None:
    old, fresh = await added(redis, type="AuthFailure"), await added(redis, type="AuthFailure")
    await handed_out(redis, "dead-worker")
    await redis.xclaim(KEYS.stream, GROUP, "dead-worker", 0, [old], idle=3_600_000, justid=True)
    ran = await command("pending", "claim", "--all", "--idle", "30m", "--json", "--redis-url", redis_url)
    left = await command("pending", "--json", "--redis-url", redis_url)
    assert ran.json == [old]
    assert {one["id"]: one["consumer"] for one in left.json} == {old: NOBODY, fresh: "dead-worker"}


async def test_retries_are_listed_and_claimed_too(redis: Redis, redis_url: str) -> None:
    await redis.xadd(KEYS.retry, {"v": "1"}, id="5-0")
    retries = Stream(redis, redis, KEYS, KEYS.retry, GROUP, "dead-worker")
    await retries.ensure_group("0")
    await retries.read(10, 0.05)
    listed = await command("pending", "--redis-url", redis_url)
    ran = await command("pending", "claim", "5-0", "--json", "--redis-url", redis_url)
    assert listed.out.splitlines()[1].split()[:3] == ["5-0", Keys.of("gateway:events").retry, "dead-worker"]
    assert ran.json == ["5-0"]


async def test_an_id_that_is_not_pending_is_told_and_not_achieved(redis: Redis, redis_url: str) -> None:
    ran = await command("pending", "claim", "1-1", "--redis-url", redis_url)
    assert (ran.code, ran.out, ran.err) == (1, "0 claimed\n", "1-1 was not claimed: it is not pending\n")


class Case(Struct, frozen=True):
    words: list[str]
    said: str


WRONG = {
    "nothing": Case(["claim"], "claim: needs either ids or --all; streamhooks pending lists them"),
    "both": Case(["claim", "1-1", "--all"], "claim: needs either ids or --all; streamhooks pending lists them"),
    "all without idle": Case(
        ["claim", "--all"],
        "--idle: is missing; --all needs it, so that entries of live workers stay theirs, such as 30s",
    ),
    "list with ids": Case(
        ["list", "1-1"], "list: takes no ids and no --all; it lists every entry, or those of --idle"
    ),
    "no duration": Case(
        ["claim", "--all", "--idle", "soon"], '--idle: is "soon"; must be a duration such as "30s" or "1m30s"'
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
async def test_wrong_usage_of_pending_is_told(case: Case) -> None:
    ran = await command("pending", *case.words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"command line: {case.said}\n1 fault\n")
