"""The gateways' pages say what is: their files exist, their blocks are those of the files, their options are known."""

import json
import re
from pathlib import Path

import pytest
import yaml

from streamhooks.files import load

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/gateways").glob("*.md"))
SCRIPTS = ROOT / "scripts/gateways"
named = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def test_each_gateway_has_its_page_and_its_files() -> None:
    assert {page.stem for page in PAGES} == {"nginx", "tyk", "kong", "apisix", "envoy"}
    assert [page.stem for page in PAGES if not (SCRIPTS / page.stem).is_dir()] == []


@named
def test_every_link_of_the_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
    linked = {(page.parent / link).resolve() for link in links}
    files = {path for path in (SCRIPTS / page.stem).rglob("*") if path.is_file()}
    assert files <= linked, "a file that the page does not name"


@named
def test_the_page_says_what_was_run(page: Path) -> None:
    assert "\n## What was run\n" in page.read_text()


@named
def test_our_configurations_on_the_page_load(page: Path, tmp_path: Path) -> None:
    for block in blocks(page, "yaml"):
        (tmp_path / "streamhooks.yaml").write_text(block)
        loaded = load([tmp_path / "streamhooks.yaml"], {"STREAMHOOKS_INGEST_TOKEN": "x"})
        assert loaded.settings.ingest.listen == "127.0.0.1:8090"


@pytest.mark.parametrize("file", [*SCRIPTS.rglob("*.json"), *SCRIPTS.rglob("*.yaml")], ids=lambda file: file.name)
def test_every_configuration_file_can_be_read(file: Path) -> None:
    assert json.loads(file.read_text()) if file.suffix == ".json" else yaml.safe_load(file.read_text())


def test_the_handlers_on_tyks_page_are_those_of_the_files() -> None:
    shown = [json.loads(block) for block in blocks(ROOT / "docs/gateways/tyk.md", "json")]
    files = [
        json.loads((SCRIPTS / "tyk/apps" / name).read_text()) for name in ("orders-webhook.json", "orders-jsvm.json")
    ]
    assert shown == [file["event_handlers"]["events"]["AuthFailure"][0] for file in files]


def test_the_options_on_nginxs_page_are_those_of_the_module() -> None:
    source = (SCRIPTS / "nginx/streamhooks.lua").read_text()
    options = set(
        re.findall(r"^  (\w+) = ", source.partition("local config = {")[2].partition("\n}\n")[0], re.MULTILINE)
    )
    page = (ROOT / "docs/gateways/nginx.md").read_text()
    rows = page.partition("| option | default |")[2].partition("\n\n")[0]
    told = set(
        re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in rows.splitlines() if line.count("|") > 3))
    )
    assert told == options
    [block] = blocks(ROOT / "docs/gateways/nginx.md", "nginx")
    conf = (SCRIPTS / "nginx/nginx.conf").read_text()
    for line in ("lua_package_path", "lua_shared_dict", "log_by_lua_block"):
        [said] = [found.strip() for found in block.splitlines() if line in found]
        assert said in conf
