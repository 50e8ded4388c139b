"""docs/explain.md says what is: its outputs are those of the program, its commands and members exist."""

import re
import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias, get_args

import msgspec
import pytest
from msgspec import Struct

from streamhooks.cli import main
from streamhooks.flow.story import words
from streamhooks.store.connection import ask
from streamhooks.store.journal import Note
from streamhooks.store.pauses import Pauses
from streamhooks.store.snapshots import HandlerSnapshot
from tests.doors.command import command
from tests.flow.rig import GROUP, STREAM, Config, Rig
from tests.flow.test_pausing import counted
from tests.flow.test_recovery import make_group
from tests.servers import Answer
from tests.waiting import eventually

PAGE = (Path(__file__).parents[2] / "docs/explain.md").read_text()
SECTIONS = dict(re.findall(r"^### (.*?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
LEASE = {"lease": 6}
COMMANDS = sorted(set(re.findall(r"`(streamhooks [^`]*)`|^(?:\$|   ) *(streamhooks .*)$", PAGE, re.MULTILINE)))

Scene: TypeAlias = Callable[[Rig], AbstractAsyncContextManager[tuple[str, Config]]]
"""Makes what a section is about, with a worker that runs; gives the id and the handler to ask for."""


def slack(rig: Rig, **others: object) -> Config:
    return rig.handler("security-slack", on=["AuthFailure", "KeyExpired"], **others)


@asynccontextmanager
async def suppressed(rig: Rig) -> AsyncIterator[tuple[str, Config]]:
    handler = slack(rig, event_timeout=60)
    async with rig.working(handler):
        await rig.publish("abc")
        await rig.settled(delivered=1)
        second = await rig.publish("abc")
        await rig.settled(delivered=1, suppressed=1)
        yield second, handler


@asynccontextmanager
async def filtered(rig: Rig) -> AsyncIterator[tuple[str, Config]]:
    handler = slack(rig, apis=["payments"])
    async with rig.working(handler):
        entry = await rig.add({"type": "AuthFailure", "key": "abc", "api_id": "orders"})
        await rig.settled(unmatched=1)
        yield entry, handler


@asynccontextmanager
async def retried(rig: Rig) -> AsyncIterator[tuple[str, Config]]:
    rig.endpoint.script(Answer(503, b"overloaded"))
    handler = slack(rig, retry={"delays": [600], "jitter": 0})
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await eventually(rig.stored)
        yield entry, handler


@asynccontextmanager
async def dead(rig: Rig) -> AsyncIterator[tuple[str, Config]]:
    rig.endpoint.script(Answer(422, b"no such channel"))
    handler = slack(rig)
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(dead=1)
        yield entry, handler


@asynccontextmanager
async def paused(rig: Rig) -> AsyncIterator[tuple[str, Config]]:
    await Pauses(rig.redis, rig.keys).pause("security-slack", "operator", "maintenance")
    handler = slack(rig)
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await eventually(lambda: counted(rig, 1))
        yield entry, handler


@asynccontextmanager
async def abandoned(rig: Rig) -> AsyncIterator[tuple[str, Config]]:
    await make_group(rig)
    entry = await rig.publish("abc")
    await ask(rig.redis, "XREADGROUP", "GROUP", GROUP, "gone", "STREAMS", STREAM, ">")
    async with rig.working(slack(rig), worker=LEASE):
        await eventually(lambda: silent(rig), 10)
        yield entry, slack(rig)


async def silent(rig: Rig) -> bool:
    """The worker has been silent for half a lease."""
    return any(one["idle"] > 3100 for one in await ask(rig.redis, "XINFO CONSUMERS", STREAM, GROUP))


@asynccontextmanager
async def delivered(rig: Rig) -> AsyncIterator[tuple[str, Config]]:
    handler = slack(rig)
    async with rig.working(handler):
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        yield entry, handler


SCENES: dict[str, Scene] = {
    "It was a duplicate": suppressed,
    "No handler wanted it": filtered,
    "The endpoint did not take it, and it is tried again": retried,
    "It was given up": dead,
    "Its handler is paused": paused,
    "Its worker is gone": abandoned,
    "It was delivered, and the receiver says that it was not": delivered,
}


@pytest.mark.parametrize("title", SCENES)
async def test_the_page_shows_what_the_program_prints(rig: Rig, title: str) -> None:
    async with SCENES[title](rig) as (entry, handler):
        ran = await command("explain", entry, "--config", rig.written(handler, worker=LEASE))
    (block,) = blocks(SECTIONS[title], "explain .*?")
    assert plain(block) == plain(ran.out)


def blocks(text: str, words: str) -> list[str]:
    """What the page shows of a command's output."""
    return re.findall(rf"^```console\n\$ streamhooks {words}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def plain(text: str) -> list[str]:
    """Without what differs from run to run: times, ids, names of workers, lengths."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\d{13}-\d+", "ID", text)
    text = re.sub(r"(read by|pending at) [\w.-]+", r"\1 WORKER", text)
    text = re.sub(r"\b\d+(?:ms|s|m\d*s?)\b", "LENGTH", text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("line", [first or second for first, second in COMMANDS])
def test_every_command_of_the_page_is_understood(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = shlex.split(line.partition("  ")[0])[1:]
    assert main([*given, "--help"]) == 0
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert {word for word in given if word.startswith("--")} <= options


@pytest.mark.parametrize(
    "struct", [words.Story, words.Step, words.Part, words.CoolDown, words.Place, Note, HandlerSnapshot]
)
def test_every_member_of_the_data_is_named_on_the_page(struct: type[Struct]) -> None:
    named = set(re.findall(r"`([a-z_0-9]+)`", PAGE))
    assert {field.name for field in msgspec.structs.fields(struct)} <= named
    for states in (words.State, words.Verdict, words.What, words.CoolDownState):
        assert set(get_args(states)) <= named


async def test_the_screen_of_the_page_is_that_of_the_program(rig: Rig) -> None:
    async with dead(rig) as (_, handler):
        ran = await command("status", "--config", rig.written(handler))
        shown, (block,) = ran.out, blocks(PAGE, "status")
    assert [first_words(part) for part in block.split("\n\n")] == [first_words(part) for part in shown.split("\n\n")]
    assert max(map(len, block.splitlines())) <= 100


def first_words(part: str) -> list[str]:
    """The names of facts, or the headings of a table."""
    lines = part.splitlines()
    return lines[0].split() if lines[0].isupper() else [line.split("  ")[0] for line in lines]
