"""The screen of `status`: figures of all workers, in a hundred columns, drawn without a flicker."""

import asyncio
import os
import pty
import signal
import sys
from typing import Any

from redis.asyncio import Redis

from streamhooks.cli.status import drawn
from streamhooks.cli.status_page import Seen, page
from streamhooks.store.account import TERMS
from streamhooks.store.backlog import Backlog
from streamhooks.store.connection import ask
from streamhooks.store.pauses import Pauses
from streamhooks.store.snapshots import HandlerSnapshot, Snapshot, save, together
from streamhooks.store.status import Consumer, Overview
from tests.doors.command import GROUP, KEYS, command, handed_out

WIDTH = 100
A = HandlerSnapshot(delivered=10, suppressed=2, stored=1, dead=1, attempts=14, failures=4, per_second=1.5, p50=0.025,
                    p99=0.5, in_flight=3, breaker="half_open")  # fmt: skip
B = HandlerSnapshot(delivered=5, attempts=5, per_second=0.25, p50=0.1, p99=0.25, in_flight=1)


def overview(stream: str = "gateway:events", **figures: Any) -> Overview:
    account = dict.fromkeys(TERMS, 0)
    known: dict[str, Any] = dict.fromkeys(("lag", "pending", "parked", "due", "held", "dead"), 0)
    known |= {"oldest_pending": 0.0, "account": account}
    return Overview(stream, True, 0, Backlog(**known | figures), ())


def seen(*streams: Overview, **others: Any) -> Seen:
    known: dict[str, Any] = {"consumers": (), "workers": (), "pauses": {}, "configured": ()}
    return Seen(group="streamhooks", streams=streams or (overview(),), **known | others)


def test_figures_of_several_workers_are_summed_and_the_worst_is_shown() -> None:
    both = together([Snapshot("a", "1", 5, {"h": A, "x": B}), Snapshot("b", "1", 9, {"h": B})])
    assert both == {
        "h": HandlerSnapshot(
            delivered=15, suppressed=2, stored=1, dead=1, attempts=19, failures=4, per_second=1.8, p50=0.1, p99=0.5,
            in_flight=4, breaker="half_open",
        ),
        "x": B,
    }  # fmt: skip
    open_ = HandlerSnapshot(breaker="open")
    assert together([Snapshot("a", "1", 5, {"h": A}), Snapshot("b", "1", 5, {"h": open_})])["h"].breaker == "open"


def test_a_handlers_row() -> None:
    shown = page(seen(workers=(Snapshot("a", "1", 5, {"h": A}),))).splitlines()
    assert shown[-2:] == [
        "HANDLER  STATE   DELIVERED  FAILED  SUPPR  PER S  P50   P99    BREAKER    BUSY",
        "h        active         10       4      2  1.5    25ms  500ms  half-open     3",
    ]


def test_the_widest_page_fits_a_hundred_columns() -> None:
    most = 123_456_789
    account = dict.fromkeys(TERMS, most) | {"lost_trimmed": most, "lost_parked": most}
    figures = dict.fromkeys(("parked", "due", "held"), 1234567)
    widest = overview(
        "s" * 80, lag=most, pending=1_234_567, oldest_pending=9e5, dead=123_456, account=account, **figures
    )
    busy = HandlerSnapshot(
        delivered=most, suppressed=1_234_567, attempts=most, failures=1_234_567, per_second=123_456.7, p50=0.5, p99=0.5,
        in_flight=99_999, breaker="half_open",
    )  # fmt: skip
    names = [f"{number}{'n' * 80}" for number in range(30)]
    others = {
        "consumers": tuple(Consumer(name, 9e5, 1_234_567) for name in names),
        "workers": tuple(Snapshot(name, "1", 900_000, {"h" * 64: busy}) for name in names[:1]),
    }
    for streams in ([widest], [widest, widest]):
        lines = page(seen(*streams, **others)).splitlines()
        assert max(map(len, lines)) <= WIDTH
        assert "and 22 more" in lines


def test_several_streams_are_a_table_with_their_sum() -> None:
    first = overview("e:0", lag=3, pending=2, oldest_pending=90.0)
    second = overview("e:1", lag=4, pending=0, dead=1)
    lines = page(seen(first, second)).splitlines()
    assert lines[0].split() == ["group", "streamhooks"]
    assert [line.split() for line in lines[3:7]] == [
        ["STREAM", "LENGTH", "LAG", "PENDING", "OLDEST", "PARKED", "DUE", "HELD", "DEAD"],
        ["e:0", "0", "3", "2", "1m30s", "0", "0", "0", "0"],
        ["e:1", "0", "4", "0", "-", "0", "0", "0", "1"],
        ["all", "0", "7", "2", "1m30s", "0", "0", "0", "1"],
    ]


def test_a_page_is_drawn_over_the_last_one_and_the_screen_is_never_cleared_first() -> None:
    text = drawn("one\ntwo")
    assert text == "\x1b[?25l\x1b[Hone\x1b[K\ntwo\x1b[K\n\x1b[J"
    assert "\x1b[2J" not in text


async def test_what_workers_say_of_themselves_is_told(redis: Redis, redis_url: str) -> None:
    await handed_out(redis, "worker-1")
    await save(redis, KEYS, Snapshot("worker-1", "9.9", 75, {"h": A}))
    await Pauses(redis, KEYS).pause("h", "operator", "")
    await Pauses(redis, KEYS).pause("idle", "operator", "")
    told = await command("status", "--json", "--redis-url", redis_url)
    assert told.json["workers"] == [{"consumer": "worker-1", "version": "9.9", "uptime": 75}]
    assert told.json["handlers"] == [
        {
            "id": "h",
            "state": "paused",
            "on": None,
            "origin": None,
            "figures": {
                "delivered": 10, "suppressed": 2, "stored": 1, "dead": 1, "attempts": 14, "failures": 4,
                "per_second": 1.5, "p50": 0.025, "p99": 0.5, "in_flight": 3, "breaker": "half_open",
            },
        },
        {"id": "idle", "state": "paused", "on": None, "origin": None, "figures": None},
    ]  # fmt: skip
    shown = await command("status", "--redis-url", redis_url)
    assert [line.split()[-1] for line in shown.out.splitlines() if line.startswith("worker-1")] == ["1m15s"]
    await ask(redis, "XGROUP DELCONSUMER", KEYS.stream, GROUP, "worker-1")


async def test_on_a_terminal_it_refreshes_in_place_and_gives_the_cursor_back(redis: Redis, redis_url: str) -> None:
    await handed_out(redis)
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "status", "--watch", "--redis-url", redis_url, stdout=theirs
    )
    os.close(theirs)
    shown = await asyncio.to_thread(read_until, ours, b"\x1b[H", 2)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 130
    rest = await asyncio.to_thread(read_until, ours, b"\x1b[?25h", 1)
    os.close(ours)
    assert shown.startswith(b"\x1b[?25l\x1b[Hstream  ")
    assert b"\x1b[2J" not in shown + rest


def read_until(terminal: int, mark: bytes, count: int) -> bytes:
    """What a terminal shows, until the mark has come so often."""
    shown = b""
    while shown.count(mark) < count:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
    assert shown.count(mark) >= count, shown
    return shown
