"""`streamhooks bench`, as a person meets it: tiny runs, whose figures mean little and whose events must all arrive."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import to_builtins
from redis.asyncio import Redis

from streamhooks.bench import Plan
from streamhooks.bench.ground import Ground, ground, handler
from streamhooks.bench.memory import beside_backlog, park
from streamhooks.bench.report import (
    Cpu,
    Handler,
    Latency,
    Machine,
    Memory,
    Parked,
    Report,
    Startup,
    Stopped,
    Waiting,
    Workers,
)
from streamhooks.bench.startup import start
from streamhooks.bench.workers import one_stopped
from streamhooks.cli import bench_tables
from streamhooks.errors import BenchError
from streamhooks.store.connection import ask
from tests.doors.command import command

REPORT = Report(
    Machine("1.2.3", "3.11.7", "Valkey 9.1.2", 2, "Linux x86_64"),
    Cpu(150_000, 41.0, 20_000, (40.0, 41.0, 45.0)),
    (Latency(1000, 999.8, 15_000, 15_000, 0.9, 4.2, 9.9, 12.0, 300.0, 41.0),),
    Memory((Waiting(10_000, 10_000, 70.0),), 0.0, (Parked(1_000_000, 62.6, 4.0),)),
    Startup(0.5, 0.6, 9),
    Workers(2, 50_000, 40.0, 42.0, 1.05, 20_000, 31_000, (25_100, 24_900), Stopped(50_000, 128, 44_872, 50_000)),
    Handler(40.0, 30.0, 38.0, 8.0),
)
TABLES = """\
streamhooks 1.2.3, Python 3.11.7, Valkey 9.1.2, 2 cores, Linux x86_64

CPU of an event  41.0 µs
events a second  20,000
events in all    150,000, all of which arrived

XADD TO ARRIVAL  P50 MS  P99 MS  P99.9 MS  MOST MS  CPU µS  REDIS µS  ARRIVED
1,000 a second   0.90    4.20    9.90      12.00    300     41        15,000 of 15,000

WORKER BESIDE                     PEAK MIB  CPU MS A SECOND
10,000 waiting, 10,000 delivered  70.0      -
1,000,000 stored retries, idle    62.6      4.0

start to ready              0.50 s
start to the first webhook  0.60 s

           CPU µS  A SECOND  RATIO
1 worker   40.0       20000  -
2 workers  42.0       31000  1.05
delivered by each: 25,100 24,900
while one was stopped with 128 in hand, the others delivered 44,872; in the end 50,000 of 50,000 arrived

one handler       40.0 µs an event
one more, plain   +30.0 µs a delivery
one more, signed  +38.0 µs a delivery
its signature     8.0 µs"""


@pytest_asyncio.fixture
async def here() -> AsyncIterator[Ground]:
    async with ground() as made:
        yield made


async def bench(*words: str) -> tuple[int, str, str]:
    """Runs it in a process of its own, for it watches its children. Exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "bench", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_every_event_arrives_and_a_named_server_keeps_nothing_of_it(redis: Redis, redis_url: str) -> None:
    await redis.set("mine", "1", ex=60)
    tiny = ("--quick", "--count", "450", "--rates", "200", "--seconds", "0.5")
    code, out, err = await bench("--only", "cpu,latency", "--json", "--redis-url", redis_url, *tiny)
    assert (code, err) == (0, "")
    assert await redis.keys() == [b"mine"]
    report = json.loads(out)
    assert set(report) == {"machine", "cpu", "latency"}
    assert set(report["machine"]) == {"streamhooks", "python", "server", "cores", "system"}
    cpu = report["cpu"]
    assert cpu["events"] == 50 + 500
    assert cpu["rounds"] == [cpu["us_per_event"]]
    (latency,) = report["latency"]
    assert (latency["rate"], latency["events"], latency["arrived"]) == (200, 100, 100)
    assert 0 < latency["p50_ms"] <= latency["p99_ms"] <= latency["p999_ms"] <= latency["most_ms"]


async def test_a_worker_that_is_stopped_stops_no_other_and_loses_nothing(here: Ground) -> None:
    stopped = await one_stopped(here, Plan(count=900, workers=2))
    assert stopped.by_others >= 900 - stopped.held, "all but what the stopped one has in hand"
    assert stopped.arrived == stopped.events == 1000


async def test_the_start_and_the_memory_of_a_worker_are_told(here: Ground) -> None:
    ready, arrived = await start(here)
    assert 0 < ready <= arrived < 30
    waiting = await beside_backlog(here, 2000, 200)
    assert 200 <= waiting.delivered <= 2000
    assert 10 < waiting.peak_mib < 500


async def test_stored_retries_are_those_that_a_worker_delivers_once_they_are_due(here: Ground) -> None:
    async with here.field([handler()]) as field:
        await park(here.client, field.keys, 3)
        owners: list[bytes] = await ask(here.client, "ZRANGE", field.keys.parked, 0, -1)
        assert len(owners) == 3
        await ask(here.client, "ZADD", field.keys.parked, *(word for owner in owners for word in (1, owner)))
        async with field.worker(until_idle=True) as worker:
            await worker.ended()
        assert await field.arrived() == 3
        account = await field.account()
        assert (account["accepted"], account["delivered"], account["stored"]) == (3, 3, 0)


async def test_a_figure_is_refused_where_an_event_did_not_arrive(here: Ground) -> None:
    async with here.field([handler()]) as field:
        await field.fill(2)
        with pytest.raises(BenchError, match=r"^0 of 2 requests arrived; the account says "):
            await field.lost_nothing(2)


async def test_a_worker_that_cannot_start_is_told_with_what_it_said_last(here: Ground) -> None:
    async with here.field([handler(method="FETCH")]) as field, field.worker() as worker:
        with pytest.raises(BenchError, match=r"^a worker ended with 2; it said last:\n.*handlers\[0\].method"):
            await worker.ended()


async def test_a_profile_shows_where_a_worker_spends_its_time(tmp_path: Path) -> None:
    file = tmp_path / "worker.json"
    code, out, err = await bench("--profile", str(file), "--count", "50")
    assert (code, out, err) == (0, f"wrote {file}\n", "")
    frames = json.loads(file.read_text())["shared"]["frames"]
    assert any((frame["file"] or "").endswith("streamhooks/flow/worker.py") for frame in frames)


def test_the_tables_say_what_the_document_says() -> None:
    assert bench_tables.told(REPORT) == TABLES
    assert bench_tables.told(Report(REPORT.machine)) == TABLES.split("\n", 1)[0]
    assert set(to_builtins(Report(REPORT.machine))) == {"machine"}


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        (
            "--only",
            "cpu,speed",
            '"speed" is none of cpu, latency, memory, startup, workers, handler, redis, stored, partitions',
        ),
        ("--workers", "1", "is 1; must be 2 to 16"),
        ("--rates", "fast", '"fast" must be whole numbers from 1 to 100,000, with commas between them'),
        ("--seconds", "0", "is 0; must be 0.1 to 3,600"),
    ],
)
async def test_what_cannot_be_measured_is_wrong_usage(option: str, value: str, said: str) -> None:
    ran = await command("bench", option, value)
    assert (ran.code, ran.err) == (2, f"command line: {option}: {said}\n1 fault\n")


async def test_a_profile_in_a_form_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    ran = await command("bench", "--profile", f"{tmp_path}/worker.svg")
    assert ran.code == 1
    assert ran.err == f"{tmp_path}/worker.svg: is named neither .html nor .json (for speedscope.app)\n"
