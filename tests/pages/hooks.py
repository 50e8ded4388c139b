"""What mkdocs.yml cannot say by itself: pages that may be there, and the files that pages link to beyond docs/.

A name with a * in `nav` stands for the pages that are there now, none included, the README of a folder first. A link
that leaves docs/ is good on GitHub, where a reader sees the repository; the site has no repository, so each file that
is linked to becomes a page of it, below `repository/`: the text of a Markdown file as it is, all others as code. A
folder is shown by its README, or by a list.
"""

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

from tests.pages.links import ROOT, is_outside, links, relinked

INSIDE = "docs/"
OUTSIDE = "repository/"
LANGUAGES = {
    ".yaml": "yaml",
    ".json": "json",
    ".py": "python",
    ".go": "go",
    ".lua": "lua",
    ".js": "js",
    ".conf": "nginx",
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called once the configuration is read."""
    config.nav = list(_expanded(config.nav or [], Path(config.docs_dir)))
    return config


def _expanded(nav: list[Any], docs: Path) -> Iterator[Any]:
    for item in nav:
        if isinstance(item, str) and "*" in item:
            found = sorted(docs.glob(item), key=lambda path: (path.name != "README.md", path))
            yield from (path.relative_to(docs).as_posix() for path in found)
        elif isinstance(item, dict):
            inner = {title: list(_expanded(below, docs)) if isinstance(below, list) else below
                     for title, below in item.items()}  # fmt: skip
            if any(inner.values()):
                yield inner
        else:
            yield item


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called once all files of docs/ are known."""
    waiting = [(file.src_uri, file.content_string) for file in files.documentation_pages()]
    while waiting:
        uri, text = waiting.pop()
        for path in _beyond(uri, text):
            if files.get_file_from_path(uri_of(path)) is None:
                made = File.generated(config, uri_of(path), content=_text(path), inclusion=InclusionLevel.NOT_IN_NAV)
                files.append(made)
                waiting.append((made.src_uri, made.content_string))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Called with the text of each page."""
    del config, files
    uri = page.file.src_uri
    return relinked(markdown, lambda link: link_on_site(uri, link))


def link_on_site(uri: str, link: str) -> str:
    """A page's link as it is on the site; one that leads nowhere stays, and mkdocs says so."""
    path, mark, anchor = link.partition("#")
    if is_outside(link) or not path:
        return link
    aim = _aim(uri, path)
    if aim.startswith(INSIDE) and uri.startswith(OUTSIDE):
        return posixpath.relpath(aim.removeprefix(INSIDE), posixpath.dirname(uri)) + mark + anchor
    if aim.startswith(INSIDE) or not _page_for(aim):
        return link
    return posixpath.relpath(uri_of(aim), posixpath.dirname(uri) or ".") + mark + anchor


def uri_of(path: str) -> str:
    """The page of a file or folder of the repository."""
    found = _page_for(path)
    if (ROOT / found).is_dir():
        return f"{OUTSIDE}{found}/index.md"
    return OUTSIDE + (found if found.endswith(".md") else f"{found}.md")


def _beyond(uri: str, text: str) -> Iterator[str]:
    """The files of the repository outside of docs/ that a page links to."""
    for link in links(text):
        path = link.partition("#")[0]
        if path and not is_outside(link):
            aim = _aim(uri, path)
            if not aim.startswith((INSIDE, "..")) and _page_for(aim):
                yield aim


def _aim(uri: str, link: str) -> str:
    """The path in the repository that a link of a page means."""
    origin = uri.removeprefix(OUTSIDE) if uri.startswith(OUTSIDE) else INSIDE + uri
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))


def _page_for(path: str) -> str:
    """What is shown for a path: a file or folder, or the README of a folder that has one; empty: there is none."""
    place = ROOT / path
    if (place / "README.md").is_file():
        return f"{path}/README.md"
    return path if place.exists() else ""


def _text(path: str) -> str:
    place = ROOT / _page_for(path)
    if place.is_dir():
        names = sorted(f"{inner.name}{'/' * inner.is_dir()}" for inner in place.iterdir())
        listed = "".join(f"- `{name}`\n" for name in names if not name.startswith((".", "__pycache__")))
        return f"# `{path}/`\n\n{listed}"
    text = place.read_text()
    if place.suffix == ".md":
        return text
    return f"# `{path}`\n\n````{LANGUAGES.get(place.suffix, '')}\n{text.rstrip()}\n````\n"
