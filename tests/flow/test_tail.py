"""`tail` shows outcomes as they happen: of a real worker, from a process of its own."""

import asyncio
import json
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from streamhooks.cli.tail import Link
from streamhooks.errors import StoreError
from streamhooks.store.connection import ask
from streamhooks.store.keys import partitions
from tests.doors.command import command
from tests.flow.rig import STREAM, Rig
from tests.servers import Answer
from tests.skips import socket_of
from tests.waiting import eventually

FEW = "worker.journal is problems: deliveries at the first attempt are not noted; all shows each one\n"
NEVER = {"consecutive": 1_000_000, "min_calls": 1_000_000}


class Tail(Struct):
    """A running `tail` and what it has printed."""

    process: asyncio.subprocess.Process
    out: bytearray
    err: bytearray

    @property
    def lines(self) -> list[str]:
        return self.out.decode().splitlines()

    @property
    def rows(self) -> list[list[str]]:
        """The columns without the time."""
        return [re.split(r" {2,}", line)[1:] for line in self.lines]

    async def shown(self, count: int) -> list[list[str]]:
        await eventually(lambda: len(self.lines) >= count, 10, f"{count} lines are shown")
        return self.rows

    async def interrupted(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return await self.process.wait()


@asynccontextmanager
async def tail(rig: Rig, *words: str, config: str = "", env: dict[str, str] | None = None) -> AsyncIterator[Tail]:
    """Ready when entered: it waits for notes."""
    where = ["--config", config] if config else ["--redis-url", rig.url]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "tail", *words, *where,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ | (env or {}),
    )  # fmt: skip
    running = Tail(process, bytearray(), bytearray())
    readers = [
        asyncio.create_task(gathered(stream, into))
        for stream, into in ((process.stdout, running.out), (process.stderr, running.err))
        if stream is not None
    ]
    try:
        await eventually(lambda: reading(rig), 10, "tail waits for notes")
        yield running
        if process.returncode is None:
            assert await running.interrupted() == 0, running.err.decode()
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.gather(*readers)


async def gathered(stream: asyncio.StreamReader, into: bytearray) -> None:
    while piece := await stream.read(65536):
        into += piece


async def reading(rig: Rig, count: int = 1) -> bool:
    return sum(client["cmd"] == "xread" for client in await rig.blocked()) >= count


async def test_outcomes_are_shown_as_they_happen_one_line_each(rig: Rig) -> None:
    handler = rig.handler(event_timeout=60, concurrency=1, breaker=NEVER, retry={"delays": [0.1], "jitter": 0})
    async with rig.working(handler), tail(rig) as shown:
        rig.endpoint.script(Answer(503, b"busy\x1b[2J"), 200, 503)
        first = await rig.publish("abc")
        await rig.settled(delivered=1)
        second = await rig.publish("abc")
        third = await rig.publish("def")
        await rig.settled(delivered=1, suppressed=1, dead=1)
        rows = await shown.shown(5)
    assert sorted(row[:4] for row in rows) == sorted(
        [
            ["retry", "h", "AuthFailure", first],
            ["delivered", "h", "AuthFailure", first],
            ["suppressed", "h", "AuthFailure", second],
            ["retry", "h", "AuthFailure", third],
            ["dead", "h", "AuthFailure", third],
        ]
    )
    by_end = {(row[0], row[3]): row[4] for row in rows}
    assert by_end["suppressed", second] == f"suppressed by the cool-down: a duplicate of {first}"
    assert by_end["retry", first].startswith("attempt 1 was answered 503 after ")
    assert by_end["retry", first].endswith(r', "busy\x1b[2J"; stored, again in 100ms')
    assert all(line[:4].isdigit() and line.index("Z  ") == 23 for line in shown.lines)
    assert shown.err.decode() == FEW


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--handler", "a"], {("dead", "a", "AuthFailure"), ("dead", "a", "KeyExpired")}),
        (["--type", "Key*"], {("dead", "a", "KeyExpired"), ("retry", "b", "KeyExpired")}),
        (["--what", "retry"], {("retry", "b", "KeyExpired")}),
        (["--what", "retry,dead", "--type", "AuthFailure"], {("dead", "a", "AuthFailure")}),
        (["--what", "dead"], {("dead", "-", "-"), ("dead", "a", "AuthFailure"), ("dead", "a", "KeyExpired")}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_filters_mean_what_they_mean_to_the_dead_letters(
    rig: Rig, words: list[str], expected: set[tuple[str, ...]]
) -> None:
    rig.endpoint.script(503)
    handlers = (
        rig.handler("a", retry={"delays": [], "permanent_statuses": [503]}),
        rig.handler("b", on=["KeyExpired"], retry={"delays": [600]}),
    )
    async with rig.working(*handlers):
        await rig.add({"d": "no json"})
        await rig.publish("abc")
        await rig.publish("abc", "KeyExpired")
        await eventually(lambda: noted(rig, 4))
        async with tail(rig, "--since", "1h", *words) as shown:
            rows = await shown.shown(len(expected))
    assert {tuple(row[:3]) for row in rows} == expected
    assert len(rows) == len(expected)


async def noted(rig: Rig, count: int) -> bool:
    return int(await ask(rig.redis, "XLEN", rig.keys.journal)) == count


async def test_what_came_before_is_shown_only_where_it_is_asked_for(rig: Rig) -> None:
    rig.endpoint.script(422)
    async with rig.working(rig.handler()):
        before = await rig.publish("before")
        await rig.settled(dead=1)
        async with tail(rig) as fresh, tail(rig, "--since", "1h") as past:
            await eventually(lambda: reading(rig, 2))
            await past.shown(1)
            after = await rig.publish("after")
            await fresh.shown(1)
            await past.shown(2)
    assert [row[3] for row in fresh.rows] == [after]
    assert [row[3] for row in past.rows] == [before, after]


async def test_as_json_each_line_is_the_whole_note(rig: Rig) -> None:
    rig.endpoint.script(Answer(422, b"no"))
    async with rig.working(rig.handler()) as worker, tail(rig, "--json") as shown:
        entry = await rig.publish("abc")
        await shown.shown(1)
    (line,) = shown.lines
    told: dict[str, Any] = json.loads(line)
    expected = {
        "stream": STREAM, "entry": entry, "what": "dead", "worker": worker.consumer, "handler": "h",
        "type": "AuthFailure", "api": "", "attempt": 1, "sent": True, "why": "status 422", "reason": "permanent_status",
        "by": "", "status": 422, "failure": "", "answer": "no", "again": 0.0, "run": "", "told": 0,
    }  # fmt: skip
    assert told | expected == told
    assert told.keys() == expected.keys() | {"at", "ms", "waited"}
    assert abs(told["at"] - await rig.now()) < 60_000


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("off", "worker.journal is off: workers of this configuration note nothing; problems or all shows more\n"),
        ("problems", FEW),
        ("all", ""),
    ],
)
async def test_what_is_not_noted_is_said_once(rig: Rig, mode: str, said: str) -> None:
    config = rig.written(rig.handler(), worker={"journal": mode})
    async with tail(rig, config=config) as shown:
        pass
    assert (shown.lines, shown.err.decode()) == ([], said)


async def test_every_partition_is_followed(rig: Rig) -> None:
    rig.endpoint.script(422)
    many = {"stream": {"partitions": 12}}
    handler = rig.handler(breaker=NEVER)
    async with rig.working(handler, **many), tail(rig, "--json", config=rig.written(handler, **many)) as shown:
        await eventually(lambda: reading(rig, 12))
        for keys in partitions(STREAM, 12):
            await ask(rig.redis, "XADD", keys.stream, "*", "type", "AuthFailure")
        await shown.shown(12)
    assert {json.loads(line)["stream"] for line in shown.lines} == {f"{STREAM}:{number}" for number in range(12)}


def test_of_several_partitions_the_first_that_is_lost_and_the_last_that_answers_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A cluster may serve some and not the others, and each asks again every second."""
    link, away = Link(), StoreError("away", "refused")
    for _ in range(3):
        link.lost("a", away)
        link.answered("b")
    assert capsys.readouterr().err == "Redis does not answer (refused); trying again until it does\n"
    link.lost("b", away)
    link.answered("a")
    assert capsys.readouterr().err == ""
    link.answered("b")
    assert capsys.readouterr().err == "Redis answers again; going on from where it was\n"


async def test_it_goes_on_where_it_was_when_redis_comes_back(rig: Rig, tmp_path: Path) -> None:
    socket = tmp_path / "redis.sock"
    real = socket_of(rig.url)
    socket.symlink_to(real)
    rig.endpoint.script(422)
    away = Rig(rig.redis, f"unix://{socket}", rig.base, rig.endpoint, rig.records)
    async with rig.working(rig.handler()), tail(away) as shown:
        socket.unlink()

        async def cut_off() -> bool:
            for client in await ask(rig.redis, "CLIENT LIST"):
                if client["cmd"] == "xread":  # waiting, or between two reads; perhaps it has not begun to
                    await ask(rig.redis, "CLIENT KILL", "ID", client["id"])
            return b"does not answer" in shown.err

        await eventually(cut_off)
        missed = await rig.publish("missed")
        await rig.settled(dead=1)
        socket.symlink_to(real)
        await shown.shown(1)
    assert [row[3] for row in shown.rows] == [missed]
    first, lost, back = shown.err.decode().splitlines()
    assert first == FEW.strip()
    assert lost.startswith("Redis does not answer (")
    assert lost.endswith("); trying again until it does")
    assert back == "Redis answers again; going on from where it was"


async def test_an_error_that_does_not_pass_ends_it(rig: Rig) -> None:
    async with tail(rig) as shown:
        await ask(rig.redis, "SET", rig.keys.journal, "no stream", "PX", 60_000)
        assert await shown.process.wait() == 1
    assert "refused a command (WRONGTYPE" in shown.err.decode()


@pytest.mark.parametrize(("env", "dead"), [({}, b"\x1b[31mdead      \x1b[0m"), ({"NO_COLOR": "1"}, b"  dead        h")])
async def test_a_terminal_shows_colours_unless_it_is_told_not_to(rig: Rig, env: dict[str, str], dead: bytes) -> None:
    rig.endpoint.script(422)
    async with rig.working(rig.handler()):
        await rig.publish("abc")
        await rig.settled(dead=1)
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "tail", "--since", "1h", "--redis-url", rig.url,
        stdout=theirs, stderr=asyncio.subprocess.DEVNULL, env=os.environ | env,
    )  # fmt: skip
    os.close(theirs)
    shown = await asyncio.to_thread(os.read, ours, 65536)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    os.close(ours)
    assert dead in shown
    assert (b"\x1b" in shown) == (not env)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--what", "dead,lost"], '--what: "lost" is none of delivered, suppressed, retry, dead, unmatched'),
        (
            ["--since", "soon"],
            '--since: "soon" is no time; write 2h (ago), 2026-11-23T10:00:00Z, or the id of an entry',
        ),
    ],
    ids=["what", "since"],
)
async def test_wrong_usage_is_told(words: list[str], said: str) -> None:
    ran = await command("tail", *words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"command line: {said}\n1 fault\n")
