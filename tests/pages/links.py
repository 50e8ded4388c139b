"""Where a page leads to: the links and headings of its Markdown, as GitHub and the site read them.

Blocks and spans of code hold no links. A heading's anchor is GitHub's: lower case, without punctuation, spaces as
hyphens, and a number at the second of the same name; mkdocs.yml has the site make the same ones.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
"""Every page of the site."""

_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
_LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^)\s]+)(\))")
_IMAGE = re.compile(r'(<[^<>]*\b(?:src|srcset)=")([^"]+)(")')
_HEADING = re.compile(r"^#{1,6} +(.+?)[ \t]*$", re.MULTILINE)


def prose(text: str) -> str:
    """The text with everything that is code blanked, at the same places."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    without_blocks = _FENCE.sub(blank, text)
    indented = re.sub(r"(?<=\n\n)(?: {4}.*\n)+", blank, without_blocks)
    return _CODE.sub(blank, indented)


def links(text: str) -> list[str]:
    """The targets of all links and images, in their order."""
    return [match[2] for match in _found(text)]


def relinked(text: str, change: Callable[[str], str]) -> str:
    """The text with every target changed."""
    parts, end = [], 0
    for match in _found(text):
        parts += [text[end : match.start(2)], change(match[2])]
        end = match.end(2)
    return "".join([*parts, text[end:]])


def _found(text: str) -> Iterator[re.Match[str]]:
    seen = prose(text)
    # A link's own text may be code: the blanks stand for it.
    yield from sorted([*_LINK.finditer(seen), *_IMAGE.finditer(seen)], key=lambda match: match.start(2))


def anchors(text: str) -> set[str]:
    """The anchors of all headings, as GitHub makes them."""
    without_blocks = _FENCE.sub("", text)
    counts: Counter[str] = Counter()
    found = set()
    for match in _HEADING.finditer(without_blocks):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{slug}-{counts[slug]}" if counts[slug] else slug)
        counts[slug] += 1
    return found


def is_outside(link: str) -> bool:
    """Whether it leads out of the repository."""
    return re.match(r"[a-z][a-z0-9+.-]*:", link, re.IGNORECASE) is not None or link.startswith("//")
