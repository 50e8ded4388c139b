"""`handlers`: list, pause, resume, and what is said of a name that is none."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamhooks.store.pauses import HELD, Pauses
from tests.doors.command import KEYS, command

CONFIG = """
handlers:
  - {id: security, on: [AuthFailure], target_path: "https://hooks.example.com/a"}
  - {id: billing, on: ["Quota*"], target_path: "https://hooks.example.com/b"}
"""


@pytest.fixture
def options(tmp_path: Path, redis_url: str) -> tuple[str, ...]:
    file = tmp_path / "streamhooks.yaml"
    file.write_text(CONFIG)
    return ("--config", str(file), "--redis-url", redis_url)


async def test_handlers_are_listed_with_who_is_paused_why_and_how_much_is_held(
    redis: Redis, options: tuple[str, ...]
) -> None:
    await Pauses(redis, KEYS).pause("billing", "gone", "status 410", 3600)
    await redis.zadd(KEYS.parked, {"1-1|billing": HELD + 1, "2-1|billing": HELD + 2, "3-1|security": 5})
    ran = await command("handlers", "list", *options)
    lines = ran.out.splitlines()
    assert lines[0].split() == ["HANDLER", "STATE", "SINCE", "UNTIL", "HELD", "WHY"]
    assert lines[1].split() == ["security", "active", "-", "-", "0", "-"]
    assert lines[2].split()[0:2] == ["billing", "paused"]
    assert lines[2].endswith("2  status 410")


async def test_a_listing_as_json_has_the_same(redis: Redis, options: tuple[str, ...]) -> None:
    await Pauses(redis, KEYS).pause("gone-from-here", "operator", "maintenance")
    ran = await command("handlers", "list", "--json", *options)
    assert [(one["id"], one["state"], one["configured"], one["held"]) for one in ran.json] == [
        ("security", "active", True, 0),
        ("billing", "active", True, 0),
        ("gone-from-here", "paused", False, 0),
    ]
    assert (ran.json[2]["kind"], ran.json[2]["why"], ran.json[2]["until"]) == ("operator", "maintenance", None)


async def test_a_handler_is_paused_and_resumed(redis: Redis, options: tuple[str, ...]) -> None:
    paused = await command("handlers", "pause", "security", "--why", "maintenance", *options)
    assert (paused.code, paused.out) == (0, "security is paused until it is resumed; its events are stored\n")
    assert (await Pauses(redis, KEYS).notes())["security"].why == "maintenance"
    again = await command("handlers", "pause", "security", "--for", "1h", *options)
    assert again.out == "security was paused, and stays so for 3600 s; its events are stored\n"
    await redis.zadd(KEYS.parked, {"1-1|security": HELD + 1})
    resumed = await command("handlers", "resume", "security", "--rate", "50/s", *options)
    assert (resumed.code, resumed.out) == (
        0,
        "security goes on; what is stored of it (1) follows at 50 a second at most\n",
    )
    note = (await Pauses(redis, KEYS).notes())["security"]
    assert (note.state, note.rate) == ("resuming", 50)


async def test_what_is_paused_is_paused_on_every_partition(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "streamhooks.yaml"
    file.write_text("stream: {key: many, partitions: 2}\n" + CONFIG)
    await command("handlers", "pause", "security", "--config", str(file), "--redis-url", redis_url)
    for number in range(2):
        assert await redis.hkeys(f"{{many:{number}}}:handlers") == [b"security"]


async def test_a_name_that_is_no_handler_is_told_with_those_that_are(options: tuple[str, ...]) -> None:
    ran = await command("handlers", "pause", "securty", *options)
    assert ran.code == 2
    assert ran.err == (
        'command line: ID: "securty" is no handler of the configuration; it has security, billing\n1 fault\n'
    )


async def test_resuming_what_is_not_paused_is_told_and_not_achieved(redis: Redis, options: tuple[str, ...]) -> None:
    ran = await command("handlers", "resume", "security", *options)
    assert ran.code == 1
    assert ran.err == ("security is not paused, and nothing is held of it; streamhooks handlers list shows who is\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["pause", "security", "--for", "soon"],
            'command line: --for: is "soon"; must be a duration from 1s to 366d, such as "30m" or "1h"',
        ),
        (
            ["resume", "security", "--rate", "many"],
            'command line: --rate: must be a rate such as "10/s", "30/m" or "500/h", or empty for none',
        ),
    ],
)
async def test_what_is_no_duration_and_no_rate_is_refused(
    words: list[str], said: str, options: tuple[str, ...]
) -> None:
    ran = await command("handlers", *words, *options)
    assert ran.code == 2
    assert ran.err.splitlines()[0] == said
