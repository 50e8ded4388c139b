"""docs/ as a site: it builds strictly, asks no other host for anything, and a page that misleads ends the build."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.pages.hooks import link_on_site, uri_of
from tests.pages.links import DOCS, PAGES, ROOT, is_outside

ASKED_FOR = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?\s(?:src|href)=["']?([^"'\s>]+)""")
FROM_A_STYLE = re.compile(r"""url\(["']?([^"')]+)""")


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT / "mkdocs.yml", folder)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr, built.stderr
    return folder


def built(page: Path) -> str:
    """A README is the first page of its folder."""
    return "index.html" if page.stem == "README" else f"{page.stem}.html"


def test_every_page_is_built(site: Path) -> None:
    missing = [page.name for page in PAGES if not (site / page.relative_to(DOCS)).with_name(built(page)).is_file()]
    assert missing == []


def test_a_browser_is_sent_to_no_other_host(site: Path) -> None:
    asked = [link for page in site.rglob("*.html") for link in ASKED_FOR.findall(page.read_text())]
    asked += [link for sheet in site.rglob("*.css") for link in FROM_A_STYLE.findall(sheet.read_text())]
    assert len(asked) > 100
    assert {link for link in asked if is_outside(link) and not link.startswith("data:")} == set()
    assert not list(site.rglob("*mermaid*"))
    assert [page.name for page in site.rglob("*.html") if 'class="mermaid"' in page.read_text()] == []


def test_every_link_between_its_files_leads_to_a_file(site: Path) -> None:
    broken = []
    for page in site.rglob("*.html"):
        for link in re.findall(r"""<a\b[^>]*?\shref=["']?([^"'\s>]+)""", page.read_text()):
            path = link.partition("#")[0]
            if path and not is_outside(path) and page.name != "404.html" and not (page.parent / path).exists():
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


def test_a_file_of_the_repository_that_a_page_links_to_is_a_page(site: Path) -> None:
    shown = (site / "repository/scripts/gateways/nginx/streamhooks.lua.html").read_text()
    written = (ROOT / "scripts/gateways/nginx/streamhooks.lua").read_text()
    assert written.splitlines()[0] in html.unescape(re.sub("<[^>]*>", "", shown))
    readme = (site / "repository/helm/streamhooks/index.html").read_text()
    assert "streamhooks on Kubernetes</h1>" in re.sub("<a .*?</a>", "", readme)


@pytest.mark.parametrize(
    ("uri", "link", "becomes"),
    [
        ("kubernetes.md", "../helm/streamhooks/", "repository/helm/streamhooks/README.md"),
        ("gateways/tyk.md", "../../compose.yaml", "../repository/compose.yaml.md"),
        ("repository/CHANGELOG.md", "docs/redis.md#partitions", "../redis.md#partitions"),
        ("repository/README.md", "CHANGELOG.md", "CHANGELOG.md"),
        ("kubernetes.md", "redis.md#partitions", "redis.md#partitions"),
        ("kubernetes.md", "../nowhere.md", "../nowhere.md"),
        ("kubernetes.md", "https://example.com/", "https://example.com/"),
        ("kubernetes.md", "#scaling", "#scaling"),
    ],
)  # fmt: skip
def test_a_link_leads_on_the_site_to_where_it_leads_in_the_repository(uri: str, link: str, becomes: str) -> None:
    assert link_on_site(uri, link) == becomes


def test_a_folder_is_shown_by_its_readme_or_by_a_list() -> None:
    assert uri_of("helm/streamhooks") == "repository/helm/streamhooks/README.md"
    assert uri_of("streamhooks/operations") == "repository/streamhooks/operations/index.md"


def test_a_link_to_a_folder_without_a_readme_leads_to_a_list_of_it(tmp_path: Path) -> None:
    built = _small(tmp_path, {"index.md": "# Home\n[x](../streamhooks/operations/)\n"}, ["index.md"])
    assert built.returncode == 0, built.stderr
    assert "letters.py" in (tmp_path / "site/repository/streamhooks/operations/index.html").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# A\n[x](nowhere.md)\n", "'nowhere.md'"),
        ("# A\n[x](../nowhere.yaml)\n", "'../nowhere.yaml'"),
        ("# A\n[x](index.md#nothing)\n", "#nothing"),
        ("# A\n[x](#nothing)\n", "#nothing"),
    ],
    ids=["page", "file of the repository", "heading", "own heading"],
)
def test_a_link_that_leads_nowhere_ends_the_build(text: str, said: str, tmp_path: Path) -> None:
    built = _small(tmp_path, {"index.md": "# Home\n", "a.md": text}, ["index.md", "a.md"])
    assert built.returncode == 1
    assert said in built.stderr


def test_a_page_that_the_navigation_leaves_out_ends_the_build(tmp_path: Path) -> None:
    built = _small(tmp_path, {"index.md": "# Home\n", "lost.md": "# Lost\n"}, ["index.md"])
    assert built.returncode == 1
    assert "lost.md" in built.stderr


def test_a_pattern_of_the_navigation_stands_for_the_pages_that_are_there(tmp_path: Path) -> None:
    pages = {"index.md": "# Home\n", "why/b.md": "# B\n", "why/a.md": "# A\n", "why/README.md": "# All\n"}
    built = _small(tmp_path, pages, ["index.md", {"Why": ["why/*.md", "none*.md"]}, {"Empty": ["nothing*.md"]}])
    assert built.returncode == 0, built.stderr
    home = (tmp_path / "site/index.html").read_text()
    assert home.index("why/index.html") < home.index("why/a.html") < home.index("why/b.html")
    assert "Empty" not in home


def _small(folder: Path, pages: dict[str, str], nav: list[object]) -> subprocess.CompletedProcess[str]:
    """A site of a few pages, built as ours is."""
    for name, text in pages.items():
        (folder / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "docs" / name).write_text(text)
    written = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[0]
    (folder / "mkdocs.yml").write_text(f"{written}\n{yaml.safe_dump({'nav': nav})}")
    shutil.copytree(ROOT / "tests/pages", folder / "tests/pages", ignore=shutil.ignore_patterns("__pycache__"))
    return build(folder / "mkdocs.yml", folder / "site")
