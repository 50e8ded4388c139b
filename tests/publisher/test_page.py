"""docs/publishing.md says what is: its calls, options, defaults and kinds are those of the publishers."""

import inspect
import re
from pathlib import Path
from typing import get_type_hints

import pytest

from streamhooks import Publisher, sync
from streamhooks.publisher import trouble
from streamhooks.publisher.buffer import BATCH
from streamhooks.publisher.front import MEMBERS, Envelope, Front
from streamhooks.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs/publishing.md").read_text()


def cells(heading: str) -> list[list[str]]:
    """The rows of the table that begins with this heading."""
    lines = PAGE[PAGE.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_options_and_their_defaults_are_told() -> None:
    told = {name: row[1] for row in cells("| option | default |") for name in re.findall(r"`(\w+)`", row[0])}
    options = {
        name: parameter.default
        for name, parameter in inspect.signature(Front).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert set(told) == set(options)
    shown = {"buffer_bytes": f"{options['buffer_bytes'] >> 20} MiB", "stream": "`gateway:events`, 1",
             "partitions": f"`gateway:events`, {options['partitions']}"}  # fmt: skip
    assert told == {name: shown.get(name) or (f"{default:g}" if default else "") for name, default in options.items()}


def test_the_options_are_as_a_worker_has_them() -> None:
    parameters, settings = inspect.signature(Front).parameters, Settings()
    assert parameters["stream"].default == settings.stream.key
    assert parameters["partitions"].default == settings.stream.partitions
    assert parameters["max_event_bytes"].default == settings.worker.max_event_bytes
    assert parameters["url"].default == settings.redis.url.reveal()


@pytest.mark.parametrize("publisher", [Publisher, sync.Publisher], ids=["asyncio", "sync"])
def test_the_calls_are_told_and_both_publishers_have_them(publisher: type) -> None:
    told = {name for row in cells("| call | |") for name in re.findall(r"`(\w+)\(", row[0])}
    calls = {name for name, _ in inspect.getmembers(publisher, inspect.isfunction) if not name.startswith("_")}
    assert calls - {"open"} == told


def test_both_publishers_take_the_same() -> None:
    for name in ("publish", "publish_many", "put", "put_nowait", "flush", "close"):
        theirs = [inspect.signature(getattr(kind, name)).parameters for kind in (Publisher, sync.Publisher)]
        assert theirs[0] == theirs[1], name
    assert {"type", "meta", *get_type_hints(Envelope)} == MEMBERS


def test_the_kinds_of_errors_are_told() -> None:
    told = {name for row in cells("| kind | what |") for name in re.findall(r"`(\w+)`", row[0])}
    documented = set(re.findall(r"^    (\w+)  ", trouble.__doc__ or "", re.MULTILINE))
    assert told == documented


def test_the_batch_of_a_file_is_as_told() -> None:
    assert f"at most {BATCH} events from there on" in PAGE
