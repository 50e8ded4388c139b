"""What the pages say of commands, reasons, records and metrics is what there is."""

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
from redis.asyncio import Redis

from streamhooks.model import DeadReason
from streamhooks.settings import Settings
from tests.doors.command import added, buried, command
from tests.pages.links import DOCS, PAGES, ROOT
from tests.reference import commands, metrics

WRITTEN = [*PAGES, ROOT / "README.md"]
_COMMAND = re.compile(r"^(?:    |\$ )(streamhooks [^#|<>\n]*)", re.MULTILINE)
_METRIC = re.compile(r"`(streamhooks_[a-z_]+)")
PARSERS = commands.parsers()
TROUBLE = (DOCS / "troubleshooting.md").read_text()


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_command_line_of_a_page_is_understood(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in _COMMAND.findall(page.read_text().replace("\\\n", " ")):
        words = shlex.split(line)
        if words[1:2] == ["COMMAND"] or "[" in line or "--help" in words:
            continue  # a usage
        try:
            PARSERS[words[1]].parse_args(words[2:])
        except SystemExit:
            pytest.fail(f"{line}: {capsys.readouterr().err}")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_metric_that_a_page_names_is_shown(page: Path) -> None:
    own, shared = metrics.series()
    names = {metrics.name_of(metric) for metric in (*own, *shared)}
    named = set(_METRIC.findall(page.read_text()))
    assert {name for name in named if re.sub(r"_(bucket|sum|count)$", "", name) not in names} == set()


@pytest.mark.parametrize("page", ["concepts.md", "troubleshooting.md"])
def test_all_reasons_of_dead_letters_are_explained(page: str) -> None:
    text = (DOCS / page).read_text()
    assert [reason for reason in get_args(DeadReason) if f"`{reason}`" not in text] == []


def test_the_log_records_that_are_named_are_told_of() -> None:
    told = (DOCS / "logs.md").read_text()
    for name in ("reload_refused", "admin_listens", "ready", "admin_change"):
        assert f"`{name}`" in told
        assert any(f"`{name}`" in (DOCS / page).read_text() for page in ("troubleshooting.md", "security.md"))


def test_the_defaults_that_the_concepts_name_are_the_defaults() -> None:
    text, settings = (DOCS / "concepts.md").read_text(), Settings()
    assert "`worker.lease`, 30 s" in text
    assert settings.worker.lease == 30
    assert "5 s, 30 s, 2 m, 10 m, up to 12 h" in text
    assert settings.defaults.retry.delays[:4] == (5, 30, 120, 600)
    assert settings.defaults.retry.delays[-1] == 43200
    assert "after 20 failures in a row" in text
    assert settings.defaults.breaker.consecutive == 20


# What troubleshooting.md shows is printed.


def shown(text: str) -> list[str]:
    """The lines, as the page has them: with any file called streamhooks.yaml, and one space for several."""
    return [" ".join(re.sub(r"\S+/streamhooks\.yaml", "streamhooks.yaml", line).split()) for line in text.splitlines()]


PRINTED = shown(TROUBLE)


async def test_the_faults_that_the_page_shows_are_told(tmp_path: Path) -> None:
    file = tmp_path / "streamhooks.yaml"
    file.write_text(
        "redis: {ulr: 'redis://127.0.0.1:6379/0'}\nworker: {lease: 0.5}\n"
        "handlers: [{id: a, on: [A], target_path: 'https://example.com', timeot: 5}]\n"
    )
    ran = await command("check", "--config", str(file))
    assert ran.code == 2
    assert shown(ran.err) == PRINTED[PRINTED.index("$ streamhooks check") + 1 :][:4]
    file.write_text("handlers: [{id: a, on: [A], target_path: 'http://10.20.0.7:8080/hook'}]\n")
    ran = await command("check", "--config", str(file))
    assert set(shown(ran.err)) <= set(PRINTED)


async def test_what_the_page_shows_of_redis_and_of_a_stream_that_nobody_reads_is_told(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "streamhooks.yaml"
    file.write_text("handlers: [{id: security, on: [A], target_path: 'https://example.com'}]\n")
    options = ["--config", str(file), "--redis-url", redis_url]
    for _ in range(2):
        await added(redis, type="A")
    status = await command("status", *options)
    told = shown(status.out + status.err)
    wanted = shown(TROUBLE.split("$ streamhooks status\n", 1)[1].split("```", 1)[0])
    assert [line for line in wanted if line not in (*told, "...")] == []
    check = await command("check", "--redis", *options)
    told = shown(check.out + check.err)
    assert "warning: redis: appendonly is off" in TROUBLE
    assert any(line.startswith("warning: redis: appendonly is off") and line in PRINTED for line in told)


async def test_a_listing_of_dead_letters_is_as_the_page_shows_it(redis: Redis, redis_url: str) -> None:
    await buried(redis)
    ran = await command("dead", "list", "--redis-url", redis_url)
    heads = shown(ran.out)[0]
    assert heads == PRINTED[PRINTED.index("$ streamhooks dead list --since 24h") + 1]
