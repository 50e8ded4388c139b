"""The command line itself: help, wrong usage, exit codes, and what it never shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from streamhooks import __version__
from streamhooks.cli import COMMANDS
from streamhooks.connecting.address import FORMS
from streamhooks.secret import Secret, shown_url
from tests.doors.command import command

NOWHERE = "redis://admin:hunter2@127.0.0.1:1/0"
"""A port that nobody listens at."""
UNKNOWN = "error: unrecognized arguments"
MOST_MODULES = 150
"""Python's own ones differ from release to release."""
REDIS_URL_SENTENCE = (
    "must start with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// and name a host or path"
)
ASKING_REDIS = [
    ["publish", "AuthFailure"],
    ["status"],
    ["pending"],
    ["pending", "claim", "1-0"],
    ["dead", "list"],
    ["dead", "show", "1-0"],
    ["dead", "replay"],
    ["dead", "purge", "--all"],
    ["explain", "1-0"],
    ["tail"],
    ["bench"],
]


def test_help_loads_neither_redis_nor_aiohttp() -> None:
    script = (
        "import sys; from streamhooks.cli import main; code = main(['--help']); "
        "print(code, sorted({'redis', 'aiohttp', 'yaml', 'msgspec', 'asyncio'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("0 []\n")
    assert all(f"    {name} " in ran.stdout for name in COMMANDS)


def test_the_module_runs_and_says_its_version() -> None:
    ran = subprocess.run([sys.executable, "-m", "streamhooks", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"streamhooks {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_command_explains_itself_with_an_example(name: str) -> None:
    ran = await command(name, "--help")
    assert ran.code == 0
    assert f"usage: streamhooks {name} " in ran.out
    assert f"\nexample: streamhooks {name}" in ran.out


@pytest.mark.parametrize(
    ("name", "action"),
    [("dead", action) for action in ("list", "show", "replay", "purge")]
    + [("handlers", action) for action in ("list", "pause", "resume")],
)
async def test_every_action_of_a_command_explains_itself_with_an_example(name: str, action: str) -> None:
    whole = await command(name, "--help")
    assert re.search(rf"^    {action} ", whole.out, re.MULTILINE)
    ran = await command(name, action, "--help")
    assert ran.code == 0
    assert f"example: streamhooks {name} {action}" in " ".join(ran.out.split())


async def test_no_command_has_actions_that_nobody_tries() -> None:
    with_actions = {name for name in COMMANDS if "\nactions:\n" in (await command(name, "--help")).out}
    assert with_actions == {"dead", "handlers"}


def test_help_of_the_program_is_quick_for_it_loads_little() -> None:
    """Counted, not timed: 84 modules take 40 ms; `serve` loads 865."""
    script = "import sys; from streamhooks.cli import main; main(['--help']); print(len(sys.modules), file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(ran.stderr) < MOST_MODULES


async def test_no_command_is_wrong_usage_and_shows_the_commands() -> None:
    ran = await command()
    assert (ran.code, ran.out) == (2, "")
    assert "commands:" in ran.err


SLIPS = {
    "deliver": 'streamhooks: error: "deliver" is no command; streamhooks',
    "statsu": 'streamhooks: error: "statsu" is no command; the nearest is "status"; streamhooks',
    "--versoin": f"streamhooks: {UNKNOWN}: --versoin; streamhooks",
    "serve --confg": f"streamhooks serve: {UNKNOWN}: --confg; streamhooks serve",
    "dead replay --al": f"streamhooks dead: {UNKNOWN}: --al; streamhooks dead replay",
    "handlers": "streamhooks handlers: error: the following arguments are required: ACTION; streamhooks handlers",
}


@pytest.mark.parametrize(("words", "said"), SLIPS.items(), ids=SLIPS)
async def test_a_slip_on_the_command_line_is_wrong_usage_and_says_who_tells_more(words: str, said: str) -> None:
    ran = await command(*words.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("usage: ")
    assert ran.err.splitlines()[-1] == f"{said} --help tells more"


@pytest.mark.parametrize("words", ASKING_REDIS, ids=" ".join)
async def test_an_unreachable_redis_is_exit_3_and_one_line_without_the_password(words: list[str]) -> None:
    ran = await command(*words, "--redis-url", NOWHERE)
    assert ran.code == 3
    last = ran.err.splitlines()[-1]
    assert last == (
        "Redis at redis://127.0.0.1:1/0 cannot be reached (127.0.0.1:1: connection refused, nothing listens there): "
        "start it, or name another server by --redis-url or redis.url"
    )
    assert "hunter2" not in ran.err + ran.out


async def test_the_configuration_says_where_redis_is_and_the_option_wins(tmp_path: Path) -> None:
    file = tmp_path / "streamhooks.yaml"
    file.write_text("redis: {url: 'redis://127.0.0.1:2/0', password: hunter2}\n")
    by_file = await command("status", "--config", str(file))
    by_option = await command("status", "--config", str(file), "--redis-url", NOWHERE)
    assert by_file.err.startswith("Redis at redis://127.0.0.1:2/0 cannot")
    assert by_option.err.startswith("Redis at redis://127.0.0.1:1/0 cannot")


@pytest.mark.parametrize(
    ("url", "place", "said"),
    [
        (
            "http://127.0.0.1",
            "command line: --redis-url",
            REDIS_URL_SENTENCE,
        ),
        (
            "redis://user:hunter2/x",
            "command line: --redis-url",
            f"redis://user/x is no address that can be connected to: {FORMS}",
        ),
    ],
    ids=["scheme", "port"],
)
async def test_an_address_that_is_none_is_wrong_usage(url: str, place: str, said: str) -> None:
    ran = await command("status", "--redis-url", url)
    assert (ran.code, ran.err) == (2, f"{place}: {said}\n1 fault\n")


@pytest.mark.parametrize("words", [["serve"], ["check"], ["render", "--handler", "a"], ["status"]], ids=" ".join)
async def test_every_fault_of_a_configuration_is_told_and_counted(words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("strem: {}\nhandlers:\n  - {id: a, on: [X]}\n")
    ran = await command(*words, "--config", str(file))
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.splitlines()[:2] == [
        f'{file}: strem: is not a known key; the nearest is "stream"',
        f"{file}: handlers[0].target_path: is missing; give the URL that the webhook goes to",
    ]
    assert ran.err.splitlines()[-1].startswith("2 faults")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://:secret@host:6380/1", "rediss://host:6380/1"),
        ("redis://user:a@b/c@host/0", "redis://host/0"),
        ("unix:///run/redis.sock?password=secret&db=1", "unix:///run/redis.sock"),
        ("redis+sentinel://:secret@h1:26379,h2/service/0", "redis+sentinel://h1:26379,h2/service/0"),
        ("redis://user:secret/0", "redis://user/0"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
    ],
)
def test_a_url_is_shown_without_its_credentials(url: str, shown: str) -> None:
    assert shown_url(Secret(url)) == shown
