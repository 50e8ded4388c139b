"""`replay`: what of history is meant, what is told of the rest, and how an interrupted one is gone on with."""

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.cli.pace import Pace
from streamhooks.store.connection import ask
from streamhooks.store.record import Record
from tests.doors.command import GROUP, KEYS, Ran, command, handed_out
from tests.waiting import eventually

CONFIG: dict[str, Any] = {
    "handlers": [
        {"id": "security", "on": ["AuthFailure", "Key*"], "target_path": "http://hooks.example.com/a"},
        {"id": "audit", "on": ["*"], "apis": ["payments"], "target_path": "http://hooks.example.com/b"},
    ],
}


@pytest.fixture
def config(tmp_path: Path, redis_url: str) -> str:
    return written(tmp_path, redis_url)


def written(folder: Path, url: str, **sections: Any) -> str:
    file = folder / "streamhooks.json"
    file.write_text(json.dumps({"redis": {"url": url}, **CONFIG, **sections}))
    return str(file)


async def past(redis: Redis, *fields: dict[str, str], first: int = 1795428000000) -> list[str]:
    """Entries that the group was handed and that are acknowledged; ids from `first` on, a second apart."""
    ids = [f"{first + 1000 * number}-0" for number in range(len(fields))]
    for id, one in zip(ids, fields, strict=True):
        await ask(redis, "XADD", KEYS.stream, id, *[word for pair in one.items() for word in pair])
    await handed_out(redis, count=len(fields))
    await ask(redis, "XACK", KEYS.stream, GROUP, *ids)
    return ids


async def fired(redis: Redis) -> list[tuple[str, str]]:
    """The entry and the handler of every carrier, in order."""
    records = [Record.read(fields) for _, fields in await ask(redis, "XRANGE", KEYS.retry, "-", "+")]
    return [(record.origin, record.handler) for record in records]


FAILURE = {"type": "AuthFailure", "message": "no", "key": "abc"}


async def test_everything_that_the_stream_has_kept_is_fired_again(redis: Redis, config: str) -> None:
    one, two = await past(redis, FAILURE, {"type": "KeyExpired", "api_id": "payments"})
    ran = await command("replay", "--all", "--config", config)
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(r"3 replayed, of 2 events, run [0-9a-f]{8}\n", ran.out)
    assert await fired(redis) == [(one, "security"), (two, "security"), (two, "audit")]
    status = await command("status", "--json", "--config", config)
    assert status.json["partitions"][0]["balances"] is True
    assert status.json["partitions"][0]["account"]["stored"] == 3


async def test_json_says_the_run_how_far_it_came_and_what_was_left_out(redis: Redis, config: str) -> None:
    ids = await past(redis, FAILURE, {"d": "[1]"}, {"type": "Other"}, FAILURE)
    await ask(redis, "XADD", KEYS.stream, "*", "type", "AuthFailure")
    ran = await command("replay", "--all", "--json", "--config", config)
    assert ran.code == 0
    (run,) = {Record.read(fields).run for _, fields in await ask(redis, "XRANGE", KEYS.retry, "-", "+")}
    assert ran.json == {
        "run": run,
        "replayed": 2,
        "events": 2,
        "up_to": ids[3],
        "left_out": {"not_acknowledged": 1, "undecodable": 1, "unmatched": 1},
    }


async def test_what_was_left_out_is_counted_and_told(redis: Redis, config: str) -> None:
    await past(redis, FAILURE, {"d": "[1]"}, {"type": "Other"}, {"type": "Other"})
    await ask(redis, "XADD", KEYS.stream, "*", "type", "AuthFailure")
    await ask(redis, "XADD", KEYS.stream, "*", "d", "[2]")
    ran = await command("replay", "--all", "--config", config)
    assert ran.err.splitlines() == [
        "2 entries are not acknowledged yet and left out: what is undelivered or pending ends by itself",
        "1 entry cannot be decoded; streamhooks dead list --reason undecodable shows why",
        "2 events match no handler of the configuration",
    ]


class Filter(Struct, frozen=True):
    words: list[str]
    takes: list[int]
    """Of the carriers of the three events below: security, security, audit, audit."""


FILTERS = {
    "handler": Filter(["--handler", "audit"], [2, 3]),
    "type": Filter(["--type", "AuthFailure"], [0]),
    "types": Filter(["--type", "Key*"], [1, 2]),
    "since an id": Filter(["--since", "1795428001000-0"], [1, 2, 3]),
    "since a time": Filter(["--since", "2026-11-23T10:00:02+00:00"], [3]),
    "until an id": Filter(["--until", "1795428000000-0"], [0]),
    "until an epoch": Filter(["--until", "1795428001"], [0, 1, 2]),
    "both ends": Filter(["--since", "1795428000001", "--until", "1795428001999"], [1, 2]),
    "id and handler": Filter(["1795428001000-0", "--handler", "audit"], [2]),
    "ids in any order": Filter(["1795428002000-0", "1795428000000-0", "1795428002000-0"], [0, 3]),
}


@pytest.mark.parametrize("case", FILTERS.values(), ids=FILTERS.keys())
async def test_filters_choose_events_and_handlers(case: Filter, redis: Redis, config: str) -> None:
    pays = {"api_id": "payments"}
    one, two, three = await past(redis, FAILURE, {"type": "KeyExpired", **pays}, {"type": "BreakerTripped", **pays})
    everything = [(one, "security"), (two, "security"), (two, "audit"), (three, "audit")]
    tried = await command("replay", "--dry-run", "--json", *case.words, "--config", config)
    assert await fired(redis) == []
    ran = await command("replay", *case.words, "--config", config)
    meant = [everything[number] for number in case.takes]
    assert (tried.code, ran.code, ran.err) == (0, 0, "")
    assert [(row["event"], handler) for row in tried.json for handler in row["handlers"]] == meant
    assert await fired(redis) == meant


async def test_a_dry_run_lists_and_changes_nothing(redis: Redis, config: str) -> None:
    (id,) = await past(redis, {**FAILURE, "api_id": "payments"})
    ran = await command("replay", id, "--dry-run", "--config", config)
    assert ran.code == 0
    heading, line, empty, last = ran.out.splitlines()
    assert heading.split() == ["EVENT", "ADDED", "TYPE", "HANDLERS"]
    assert line.split() == [id, "2026-11-23T10:00:00Z", "AuthFailure", "security", "audit"]
    assert (empty, last) == ("", "2 would be replayed, of 1 event")
    assert await redis.exists(KEYS.retry, KEYS.totals) == 0


async def test_nothing_that_matches_is_not_achieved(redis: Redis, config: str) -> None:
    await past(redis, FAILURE)
    for more in ([], ["--dry-run"]):
        ran = await command("replay", "--type", "Other", *more, "--config", config)
        assert (ran.code, ran.err) == (1, "nothing matched\n")
    assert await fired(redis) == []


async def test_an_id_that_the_stream_does_not_hold_is_told_and_the_others_are_fired(redis: Redis, config: str) -> None:
    (id,) = await past(redis, FAILURE)
    ran = await command("replay", "5-5", id, "evt_6-6_0_0123abcd", "--config", config)
    assert (ran.code, ran.out.startswith("1 replayed")) == (1, True)
    why = "the stream does not hold it any more, or the filters leave it out"
    assert ran.err == f"5-5: {why}\nevt_6-6_0_0123abcd: {why}\n"
    assert await fired(redis) == [(id, "security")]


async def test_an_empty_server_holds_nothing_to_be_replayed(redis: Redis, config: str) -> None:
    assert await redis.dbsize() == 0
    ran = await command("replay", "--all", "--config", config)
    assert (ran.code, ran.err) == (1, "nothing matched\n")


async def test_more_than_one_call_takes_is_fired_in_order(redis: Redis, config: str) -> None:
    ids = await past(redis, *[FAILURE] * 250)
    ran = await command("replay", "--all", "--config", config)
    assert ran.out.startswith("250 replayed, of 250 events")
    assert [origin for origin, _ in await fired(redis)] == ids


async def test_a_rate_is_kept(redis: Redis, config: str) -> None:
    await past(redis, *[FAILURE] * 5)
    ran = await command("replay", "--all", "--rate", "20/s", "--config", config)
    found: Any = await redis.xrange(KEYS.retry)
    times = [int(id.partition(b"-")[0]) for id, _ in found]
    assert ran.out.startswith("5 replayed")
    assert times[4] - times[0] >= 195  # batches of two, a tenth of a second apart


async def test_a_batch_that_was_held_up_makes_no_burst_of_those_behind_it() -> None:
    pace, clock = Pace(20.0), asyncio.get_running_loop().time
    begun, ended = [], []
    for held_up in (0.25, 0.0, 0.0):
        async with pace.turn(pace.size):
            begun.append(clock())
            await _fires(held_up)
            ended.append(clock())
    waits = [after - before for before, after in zip(ended, begun[1:], strict=False)]
    assert pace.size == 2
    assert min(waits) >= 0.099, waits


async def _fires(seconds: float) -> None:
    """A batch on its way to Redis."""
    await asyncio.sleep(seconds)


async def test_an_interrupted_replay_says_where_to_go_on_and_nothing_is_left_out(redis: Redis, config: str) -> None:
    ids = await past(redis, *[FAILURE] * 8)
    words = [sys.executable, "-m", "streamhooks", "replay", "--all", "--rate", "5/s", "--config", config]
    running = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE)

    async def some_are_fired() -> bool:
        return len(await fired(redis)) >= 2

    await eventually(some_are_fired, 15)
    running.send_signal(signal.SIGINT)
    _, err = await running.communicate()
    assert running.returncode == 130
    # The answer to the last one may be on its way when the signal comes.
    said = re.fullmatch(
        r"(\d) replayed before this; go on with --since (\S+)(?: \(at most (\d) may be fired twice\))?\n", err.decode()
    )
    assert said is not None, err
    before, unsure = len(await fired(redis)), int(said[3] or 0)
    assert int(said[1]) <= before <= int(said[1]) + unsure < 8
    ran = await command("replay", "--since", said[2], "--config", config)
    assert ran.code == 0
    assert sorted({origin for origin, _ in await fired(redis)}) == ids
    assert len(await fired(redis)) <= 8 + unsure


async def test_a_server_that_takes_no_writes_ends_a_replay_with_its_reason(redis: Redis, config: str) -> None:
    await past(redis, *[FAILURE] * 3)
    await ask(redis, "CONFIG SET", "maxmemory", 1)
    try:
        ran = await command("replay", "--all", "--config", config)
    finally:
        await ask(redis, "CONFIG SET", "maxmemory", 0)
    assert (ran.code, ran.out) == (1, "")
    first, second = ran.err.splitlines()
    assert first == "0 replayed before this; run it again (at most 3 may be fired twice)"
    assert "takes no writes" in second
    assert await fired(redis) == []


class Case(Struct, frozen=True):
    words: list[str]
    said: str


WRONG = {
    "everything": Case([], "replay: needs ids, a filter, or --all for everything that the stream has kept"),
    "id": Case(
        ["x"], 'ID: "x" is no id; streamhooks publish prints them, and a webhook bears one in webhook-id'
    ),
    "great id": Case(
        [f"{2**64}-0"],
        f'ID: "{2**64}-0" is no id; streamhooks publish prints them, and a webhook bears one in webhook-id',
    ),
    "rate": Case(
        ["--all", "--rate", "0"], '--rate: must be a rate such as "10/s", "30/m" or "500/h", or empty for none'
    ),
    "time": Case(
        ["--until", "so\x1bon"],
        r'--until: "so\x1bon" is no time; write 2h (ago), 2026-11-23T10:00:00Z, or the id of an entry',
    ),
    "times": Case(["--since", "1h", "--until", "2h"], "--since: 1h is later than --until 2h"),
    "handler": Case(
        ["--handler", "x"], '--handler: "x" is no handler of the configuration; it has security, audit'
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
async def test_wrong_usage_of_replay_is_told(case: Case, config: str) -> None:
    ran = await command("replay", *case.words, "--config", config)
    assert (ran.code, ran.out, ran.err) == (2, "", f"command line: {case.said}\n1 fault\n")


async def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    ran: Ran = await command("replay", "--all", "--config", written(tmp_path, "redis://127.0.0.1:1"))
    assert (ran.code, ran.out) == (3, "")
    assert "Redis at redis://127.0.0.1:1 cannot be reached" in ran.err


@pytest.mark.parametrize(("answer", "code", "left"), [(b"y\n", 0, 2), (b"n\n", 1, 0)], ids=["yes", "no"])
async def test_on_a_terminal_a_replay_asks_first(
    answer: bytes, code: int, left: int, redis: Redis, config: str
) -> None:
    await past(redis, FAILURE, FAILURE)
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    words = [sys.executable, "-m", "streamhooks", "replay", "--all", "--config", config]
    ran = subprocess.run(words, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, check=False, timeout=30)  # noqa: ASYNC221  nothing else runs on this loop
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert "replay 2 webhooks of past events? [y/N] " in shown
    assert ran.returncode == code
    assert len(await fired(redis)) == left
