"""Every link of every page leads somewhere, on GitHub as on the site."""

from pathlib import Path

import pytest

from tests.pages.links import PAGES, ROOT, anchors, is_outside, links, prose, relinked

WRITTEN = [*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
           ROOT / "helm/streamhooks/README.md"]  # fmt: skip
HEADINGS = {path: anchors(path.read_text()) for path in WRITTEN}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_or_heading_or_is_https(page: Path) -> None:
    wrong = [link for link in links(page.read_text()) if not _leads(page, link)]
    assert wrong == []


def _leads(page: Path, link: str) -> bool:
    if is_outside(link):
        host = link.removeprefix("https://").partition("/")[0]
        return link.startswith("https://") and "." in host and host.isascii()
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    # Nothing beside the repository: a clone has it under another name.
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not anchor or anchor in HEADINGS.get(target, set())


def test_what_is_code_holds_no_link() -> None:
    text = "`[a](b)` [c](d) ``x ` [e](f)``\n\n```md\n[g](h)\n```\n\n    [i](j)\n\n[`k`](l) ![m](n)\n"
    assert links(text) == ["d", "l", "n"]
    assert len(prose(text)) == len(text)
    assert relinked("[a](b) `[a](b)` [c](d)", str.upper) == "[a](B) `[a](b)` [c](D)"


def test_anchors_are_those_of_github() -> None:
    text = "# Why did it (not) fire?\n## A `b.c`, d\n## A `b.c`, d\n```\n# no\n```\n## [x](y)_z\n"
    assert anchors(text) == {"why-did-it-not-fire", "a-bc-d", "a-bc-d-1", "x_z"}
