"""`publish`: one event from the command line, and files of them."""

import asyncio
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.model import Entry, Event
from streamhooks.partitioning import stream_names, stream_of
from streamhooks.store.connection import ask
from tests.doors.command import KEYS, command
from tests.faults.engines import engines
from tests.faults.server import Server


class Case(Struct, frozen=True):
    words: list[str]
    said: str


async def published(redis: Redis, key: str = KEYS.stream) -> list[Event]:
    """What a worker would read."""
    entries: Any = await redis.xrange(key)
    return [wire.decode(Entry(id.decode(), fields), 262_144) for id, fields in entries]


def ndjson(folder: Path, *lines: str | bytes) -> str:
    file = folder / "events.ndjson"
    file.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n")
    return str(file)


def event(number: int) -> str:
    return json.dumps({"type": "AuthFailure", "meta": {"Message": f"number {number}"}})


async def test_an_event_is_added_and_its_id_printed(redis: Redis, redis_url: str) -> None:
    ran = await command(
        "publish", "AuthFailure", "message=Auth Failure", "Path=/a=b", "custom=1", "--api-id", "payments",
        "--org-id", "acme", "--source", "edge-1", "--ts", "2026-11-23T10:00:00Z", "--redis-url", redis_url,
    )  # fmt: skip
    found = await published(redis)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{found[0].id}\n"
    assert found == [
        Event(
            id=found[0].id,
            type="AuthFailure",
            meta={"Message": "Auth Failure", "Path": "/a=b", "custom": "1"},
            timestamp="2026-11-23T10:00:00Z",
            api_id="payments",
            org_id="acme",
            source="edge-1",
        )
    ]


async def test_meta_is_given_as_json_and_members_lie_over_it(redis: Redis, redis_url: str) -> None:
    ran = await command(
        "publish", "X", "a=1", "--meta", '{"a": 2, "b": [true, null]}', "--json", "--redis-url", redis_url
    )
    found = await published(redis)
    assert ran.json == [found[0].id]
    assert found[0].meta == {"a": "1", "b": [True, None]}


async def test_both_spellings_of_a_member_are_kept_when_both_are_given(redis: Redis, redis_url: str) -> None:
    await command("publish", "AuthFailure", "message=a", "Message=b", "--redis-url", redis_url)
    assert (await published(redis))[0].meta == {"message": "a", "Message": "b"}


LARGE = json.dumps({"a": "x" * 262_144})
WRONG = {
    "nothing": Case([], "TYPE: is missing; give the type of an event, or a file of events by --ndjson FILE"),
    "both": Case(
        ["X", "--ndjson", "f"], "--ndjson: cannot stand beside a TYPE or --meta; every line is an event of its own"
    ),
    "no member": Case(["X", "abc"], "abc: is no member; write NAME=VALUE"),
    "no name": Case(["X", "=abc"], "=abc: is no member; write NAME=VALUE"),
    "meta no object": Case(
        ["X", "--meta", "[]"], '--meta: is no JSON object; give one, such as {"Message": "Auth Failure"}'
    ),
    "meta no JSON": Case(
        ["X", "--meta", "{"],
        "--meta: is no JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1)); "
        'give an object, such as {"Message": "Auth Failure"}',
    ),
    "type too long": Case(["x" * 129], "type: has 129 characters: a type has 1 to 128"),
    "no time": Case(
        ["X", "--ts", "1\x07"],
        "ts: is no time: write RFC 3339 or an epoch, at most 128 characters, none a control one",
    ),
    "too large": Case(
        ["X", "--meta", LARGE],
        "event: the event has 262172 bytes, at most 262144 are read (worker.max_event_bytes): send less",
    ),
    "no file": Case(["--ndjson", "/nowhere"], "--ndjson: /nowhere cannot be read: No such file or directory"),
    "line 0": Case(["--ndjson", "f", "--from-line", "0"], "--from-line: is 0; the first line is 1"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
async def test_what_is_wrong_is_told_and_nothing_is_added(case: Case, redis: Redis, redis_url: str) -> None:
    ran = await command("publish", *case.words, "--redis-url", redis_url)
    assert (ran.code, ran.out, ran.err) == (2, "", f"command line: {case.said}\n1 fault\n")
    assert await published(redis) == []


async def test_a_file_is_published_line_by_line_in_order(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    file = ndjson(tmp_path, *(event(number) for number in range(1201)))
    ran = await command("publish", "--ndjson", file, "--redis-url", redis_url)
    assert (ran.code, ran.out, ran.err) == (0, "1201 published\n", "")
    assert [one.meta["Message"] for one in await published(redis)] == [f"number {number}" for number in range(1201)]


async def test_a_bad_line_is_named_and_the_rest_goes_on(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    file = ndjson(
        tmp_path, b"\xef\xbb\xbf" + event(1).encode(), "", '{"meta": {}}', "  " + event(2) + "\r", "nonsense",
        '{"type": "X", "meta": {"a": "' + "x" * 300_000 + '"}}', '{"type": "X", "meta": 3}', event(3),
    )  # fmt: skip
    ran = await command("publish", "--ndjson", file, "--redis-url", redis_url)
    assert (ran.code, ran.out) == (1, "3 published\n")
    assert ran.err.splitlines() == [
        "line 3: type: is missing: every event has a type of 1 to 128 characters",
        "line 5: is no map: write a JSON object that begins with { or a MessagePack map",
        "line 6: the event has 300032 bytes, at most 262144 are read (worker.max_event_bytes): send less",
        "line 7: meta: is no map: write a JSON object that begins with { or a MessagePack map",
        "4 lines were refused",
    ]
    assert [one.meta["Message"] for one in await published(redis)] == ["number 1", "number 2", "number 3"]


async def test_an_interrupted_file_goes_on_from_a_line(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    file = ndjson(tmp_path, "nonsense", event(2), event(3))
    ran = await command("publish", "--ndjson", file, "--from-line", "3", "--json", "--redis-url", redis_url)
    assert ran.code == 0
    assert ran.json == {"published": 1, "refused": 0}
    assert [one.meta["Message"] for one in await published(redis)] == ["number 3"]


async def test_a_redis_that_takes_no_writes_tells_where_to_go_on_and_shows_no_payload(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    file = ndjson(tmp_path, event(1), event(2))
    await redis.config_set("maxmemory", 1)
    try:
        ran = await command("publish", "--ndjson", file, "--redis-url", redis_url)
    finally:
        await redis.config_set("maxmemory", 0)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[0] == (
        "0 published before this; go on with --from-line 1 (at most 1000 events from there on may be published twice)"
    )
    assert ran.err.splitlines()[1].startswith(f"Redis at {redis_url} takes no writes (")
    assert ran.err.splitlines()[1].endswith("): give it memory, disk or its primary back")
    assert "number" not in ran.err


async def test_a_pipe_is_published_as_it_comes(redis: Redis, redis_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "publish", "--ndjson", "-", "--redis-url", redis_url,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(event(1).encode() + b"\n")
    # The first is there while the pipe is open: it does not wait for a batch to be full.
    assert await ask(redis, "XREAD", "BLOCK", 10_000, "STREAMS", KEYS.stream, "0")
    out, _ = await process.communicate(event(2).encode())
    assert (process.returncode, out) == (0, b"2 published\n")
    assert [one.meta["Message"] for one in await published(redis)] == ["number 1", "number 2"]


async def test_equal_events_meet_in_one_partition(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    config = tmp_path / "streamhooks.yaml"
    config.write_text("stream: {key: many, partitions: 4}\n")
    for type_ in ("AuthFailure", "KeyExpired", "AuthFailure"):
        await command("publish", type_, "message=same", "--config", str(config), "--redis-url", redis_url)
    lengths = {f"many:{number}": await redis.xlen(f"many:{number}") for number in range(4)}
    assert sum(lengths.values()) == 3
    stream = stream_of("AuthFailure", "", stream_names("many", 4))
    assert [one.type for one in await published(redis, stream)].count("AuthFailure") == 2


async def test_a_file_waits_for_a_redis_that_is_restarted_meanwhile(tmp_path: Path) -> None:
    async with Server(engines()["valkey"], tmp_path / "server", aof=True, appendfsync="always") as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streamhooks", "publish", "--ndjson", "-", "--redis-url", server.url,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        # Once the second is there, the answer to the first was heard.
        last = "0"
        for number in (1, 2):
            process.stdin.write(event(number).encode() + b"\n")
            ((_, ((id, _),)),) = await server.ask("XREAD", "BLOCK", 4000, "STREAMS", KEYS.stream, last)
            last = id.decode()
        await server.kill()
        process.stdin.write(event(3).encode() + b"\n")
        await server.start()
        out, _ = await process.communicate(b"")
        assert (process.returncode, out) == (0, b"3 published\n")
        async with server.client() as redis:
            found = [one.meta["Message"] for one in await published(redis)]
        # The answer to the second may have been lost.
        assert found in (["number 1", "number 2", "number 3"], ["number 1", "number 2", "number 2", "number 3"])


async def test_a_file_whose_redis_is_not_there_fails_at_once_and_says_where_to_begin(tmp_path: Path) -> None:
    file = ndjson(tmp_path, "nonsense", event(2), event(3))
    ran = await command("publish", "--ndjson", file, "--redis-url", "redis://127.0.0.1:1/0")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines()[1] == (
        "0 published before this; go on with --from-line 2 (at most 1000 events from there on may be published twice)"
    )
    assert ran.err.splitlines()[2].startswith("Redis at redis://127.0.0.1:1/0 cannot be reached (")


async def test_a_partition_that_is_no_stream_leaves_the_line_to_go_on_with(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "streamhooks.yaml"
    config.write_text("stream: {key: many, partitions: 4}\n")
    names = stream_names("many", 4)
    types = [f"T{n}" for n in range(20)]
    await redis.set(stream_of("T7", "", names), "no stream", ex=60)
    bad = [number for number, type_ in enumerate(types, 1) if stream_of(type_, "", names) == stream_of("T7", "", names)]
    file = ndjson(tmp_path, *(json.dumps({"type": type_}) for type_ in types))
    ran = await command("publish", "--ndjson", file, "--config", str(config), "--redis-url", redis_url)
    assert ran.code == 1
    assert ran.err.splitlines()[0].startswith(
        f"{20 - len(bad)} published before this; go on with --from-line {bad[0]} "
    )
    assert "refused a command (WRONGTYPE" in ran.err


async def test_a_publish_that_is_interrupted_says_where_to_go_on(redis: Redis, redis_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "publish", "--ndjson", "-", "--redis-url", redis_url,
        stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    last = "0"
    for number in (1, 2):
        process.stdin.write(event(number).encode() + b"\n")
        ((_, ((id, _),)),) = await ask(redis, "XREAD", "BLOCK", 10_000, "STREAMS", KEYS.stream, last)
        last = id.decode()
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130
    # The first is known to be there, the second may not be yet.
    assert re.match(rb"(1|2) published before this; go on with --from-line (2|3) \(", err)


async def test_an_address_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    ran = await command("publish", "X", "--redis-url", "redis+sentinel://:secret@host")
    assert ran.code == 2
    assert ran.err == (
        "command line: --redis-url: redis+sentinel://host is no address that can be connected to: write the service, "
        "by which the sentinels know the primary: redis+sentinel://HOST,HOST/SERVICE/DB\n1 fault\n"
    )
