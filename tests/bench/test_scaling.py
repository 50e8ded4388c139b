"""The sections of docs/scaling.md, on tiny runs: their figures mean little, but are there and of the right thing."""

import json
from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from streamhooks.bench import SCALING, SECTIONS, Plan
from streamhooks.bench.cpu import Slope
from streamhooks.bench.gauge import Gauge
from streamhooks.bench.ground import Ground, ground, packed
from streamhooks.bench.partitioned import steady
from streamhooks.bench.report import (
    Adding,
    Afterwards,
    Delivering,
    Machine,
    Partitioned,
    Report,
    Served,
    Stored,
)
from streamhooks.bench.served import adding, expired, trimmed
from streamhooks.cli import bench_tables
from tests.bench.test_bench import bench

BOUNDS = {
    "waiting": (1024, 1500),
    "parked": (1024, 2200),
    "dead letter": (1024, 2200),
    "pending": (20, 400),
    "cool-down": (100, 500),
    "journal": (100, 600),
}
"""Bytes beside an event of 1,024."""
TINY = Plan(count=900, rounds=1)
REPORT = Report(
    Machine("1.2.3", "3.11.7", "Redis 7.0.15", 2, "Linux x86_64"),
    redis=Served(
        (Adding(200, 1, 20.0, 300, 28), Adding(200, 100, 2.5, 270, 21)),
        (Delivering(200, "", 12.25, 700, 500, 50.0), Delivering(200, "no cool-down", 8.0, 400, 400, 45.0)),
        Afterwards(200, 0.25, 1.5),
    ),
    stored=(Stored("waiting", 1024, 100_000, 1100), Stored("pending", None, 100_000, 96)),
    partitions=(Partitioned(16, 60.0, 12.0, 2000, 300.0, 90.0, 12.5, 6.0, 40, 70.0),),
)
TABLES = """\
streamhooks 1.2.3, Python 3.11.7, Redis 7.0.15, 2 cores, Linux x86_64

ADDING AN EVENT            REDIS µS  BYTES IN  BYTES OUT
200 bytes, each by itself  20.0           300         28
200 bytes, 100 at once     2.5            270         21

DELIVERING IT            REDIS µS  BYTES IN  BYTES OUT  WORKER µS
200 bytes                12.2           700        500  50.0
200 bytes, no cool-down  8.0            400        400  45.0

its entry trimmed      0.2 µs of Redis
its cool-down expired  1.5 µs of Redis

REDIS HOLDS FOR AN EVENT  BYTES
waiting, 1,024 bytes       1100
pending                      96

PARTITIONS  WORKER µS  REDIS µS  AT 2,000 A SECOND  REDIS µS  IDLE MS/S  REDIS MS/S  CONNECTIONS  MIB
        16  60.0       12.0      300.0              90.0      12.5       6.0                  40  70.0"""


@pytest_asyncio.fixture
async def here() -> AsyncIterator[Ground]:
    async with ground() as made:
        yield made


def test_an_event_is_as_large_as_it_is_asked_to_be() -> None:
    assert [len(packed(7, size)) for size in (200, 1024, 8192)] == [200, 1024, 8192]
    assert len(packed(7)) == len(packed(7, 10)) < 200


async def test_what_adding_an_event_costs_redis_is_told_for_one_by_itself_and_for_many(here: Ground) -> None:
    each, many = [await adding(here, TINY, 1024, together) for together in (1, 100)]
    assert (each.together, many.together) == (1, 100)
    assert 1024 < many.received <= each.received + 10 < 1200, "the event, and the words of a command"
    assert each.redis_us > many.redis_us > 0


async def test_what_an_event_costs_redis_when_it_is_over_is_told(here: Ground) -> None:
    assert await trimmed(here, TINY) > 0
    assert await expired(here, TINY) > 0


async def test_what_partitions_cost_is_told_with_the_workers_own_connections(here: Ground) -> None:
    drained = [Slope(0.0001, 0.0002, Gauge(0.00002, 0, 0, 0, 0), (900,))]
    two = await steady(here, Plan(rates=(100,), seconds=0.5), 2, drained)
    assert (two.partitions, two.rate, two.worker_us, two.redis_us) == (2, 100, 100.0, 20.0)
    assert 4 <= two.connections <= 32, "two readers for each partition, and those for commands"
    assert two.worker_us_at_rate > two.redis_us_at_rate > 0
    assert two.peak_mib > 10


async def test_redis_holds_for_an_event_what_its_state_needs_and_nothing_of_it_stays(
    redis: Redis, redis_url: str
) -> None:
    tiny = ("--sizes", "1024", "--stored", "1000")
    code, out, err = await bench("--only", "stored", "--json", "--redis-url", redis_url, *tiny)
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert set(report) == {"machine", "stored"}
    found = {one["state"]: one["redis_bytes"] for one in report["stored"]}
    assert set(found) == set(BOUNDS)
    outside = {state: held for state, held in found.items() if not BOUNDS[state][0] < held < BOUNDS[state][1]}
    assert outside == {}
    assert await redis.keys() == []


def test_the_sections_of_scaling_run_where_they_are_asked_for() -> None:
    assert set(SECTIONS) - set(Plan().sections) == set(SCALING)


def test_the_tables_say_what_the_document_says() -> None:
    assert bench_tables.told(REPORT) == TABLES
