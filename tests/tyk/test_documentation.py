"""The page "Coming from Tyk" holds complete files, and they do what it says."""

import re
from pathlib import Path

import pytest

from tests.doors.command import command

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
