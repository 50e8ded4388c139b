"""The page "Coming from Tyk" holds complete files, and they do what it says."""

import json
import re
import shlex
from pathlib import Path

import pytest

from streamhooks.event_types import TYPES, EventType
from streamhooks.files import load
from streamhooks.store.connection import ask
from tests.doors.command import command
from tests.flow.rig import Rig

PAGE = Path(__file__).parent.parent.parent / "docs/coming-from-tyk.md"
FILES = dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
IDS = ("authfailure-", "quota-", "triggerexceeded-")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def handlers(*files: str) -> dict[str, list[str]]:
    """The APIs of each handler, by the beginning of its id."""
    ran = await command("check", "--json", *(word for file in files for word in ("--config", file)))
    assert ran.code == 0, ran.out
    return {h["id"].rpartition("-")[0] + "-": h["apis"] for h in ran.json["handlers"]}


async def test_the_files_of_the_page_are_a_configuration(folder: Path) -> None:
    assert set(FILES) == {
        "apps/orders.json",
        "apps/payments-oas.json",
        "templates/security.json",
        "tyk.conf",
        "streamhooks.yaml",
    }
    assert await handlers("streamhooks.yaml") == dict(zip(IDS, (["orders"], ["payments"], [""]), strict=True))


async def test_the_import_of_the_page_gives_the_same_handlers(folder: Path) -> None:
    before = await handlers("streamhooks.yaml")
    ran = await command(*["import", "tyk", "tyk.conf", "apps/", "--output", "imported.yaml"])
    assert ran.code == 0
    assert await handlers("imported.yaml") == before


async def test_sharing_the_cool_down_is_one_more_section(folder: Path) -> None:
    (section,) = re.findall(r"^```yaml\n(cool:.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (folder / "cool.yaml").write_text(section)
    assert len(await handlers("streamhooks.yaml", "cool.yaml")) == 3


async def test_the_event_that_the_page_publishes_fires_the_pages_webhook(rig: Rig, folder: Path) -> None:
    (line,) = re.findall(r"^    redis-cli (XADD .*)$", PAGE.read_text(), re.MULTILINE)
    path = folder / "apps/orders.json"
    path.write_text(path.read_text().replace("https://", "http://"))
    tyk = {"config": "tyk.conf", "apis": "apps/*.json", "compat": "tyk"}
    async with rig.working(tyk=tyk, defaults={"proxy": rig.endpoint.url}):
        await ask(rig.redis, *shlex.split(line))
        (request,) = await rig.endpoint.wait_for(1)
        await rig.settled(delivered=1)
    assert request.path == "http://hooks.example.com/security"
    assert json.loads(request.body) == {"event": "AuthFailure", "path": "/orders", "key": "abc"}
    assert request.headers["x-team"] == "security"


async def test_a_handler_of_the_page_is_rendered_with_its_fingerprint(folder: Path) -> None:
    (id,) = [h["id"] for h in (await command("check", "--json")).json["handlers"] if h["id"].startswith("authfailure-")]
    ran = await command("render", "--handler", id)
    assert ran.code == 0
    assert re.search(r"^fingerprint: [0-9a-f]{32}$", ran.out, re.MULTILINE)


async def test_what_the_page_says_to_write_oneself_opens_what_it_says(folder: Path) -> None:
    blocks = re.findall(r"^```yaml\n(defaults:.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (folder / "certs").mkdir()
    for name in ("internal-ca.pem", "client.pem", "client.key"):
        (folder / "certs" / name).write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    files = [folder / "streamhooks.yaml"]
    for number, block in enumerate(blocks):
        files.append(folder / f"{number}.yaml")
        files[-1].write_text(block)
    handler, *_ = load(files, {}).handlers
    assert handler.route.allow_cidrs == ("10.20.0.0/16", "127.0.0.1/32")
    assert handler.route.proxy.reveal() == "http://proxy.internal:3128"
    assert handler.route.tls.cert_file == str(folder / "certs/client.pem")


def event_rows() -> list[str]:
    """The table of the page, as the table of the program has it."""
    return [
        f"| `{event.name}` | {', '.join(members_of(event))} | {event.message or 'none'} |" for event in TYPES.values()
    ]


def members_of(event: EventType) -> list[str]:
    """Go's names, with those of Tyk's JSON where they differ; Message has its own column, and the request none."""
    return [
        f"`{member.name}`" if member.name == member.json else f"`{member.name}` (`{member.json}`)"
        for member in event.members
        if member.name not in ("Message", "OriginatingRequest")
    ]


def test_the_page_lists_every_event_with_its_members() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if re.match(r"\| `[A-Z]", line)]
    assert rows == event_rows()
    for event in TYPES.values():
        assert ("OriginatingRequest" in {member.name for member in event.members}) == bool(event.message)
