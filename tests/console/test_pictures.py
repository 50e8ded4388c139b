"""The screenshots in the documentation: there, small, and what the page showed."""

import re
import struct
import zlib

import pytest

from tests.console.pictures import FOLDER
from tests.console.png import HEAD, chunk, chunks, smaller

PAGE = FOLDER.parent / "console.md"
LARGEST = 600 * 1024
"""Bytes of all together: they stand in the repository."""


def test_the_page_has_every_screenshot_that_is_made_and_no_other() -> None:
    text = PAGE.read_text()
    named = set(re.findall(r"images/(console-[\w-]+\.png)", text))
    assert named == {path.name for path in FOLDER.glob("console-*.png")}
    assert len(re.findall(r'!\[[^]]{10,}\]\(|alt="[^"]{10,}"', text)) == len(named), "each is described"


def test_the_screenshots_are_small() -> None:
    assert 0 < sum(path.stat().st_size for path in FOLDER.iterdir()) < LARGEST


def drawn(rows: list[list[tuple[int, ...]]], kind: int, filtered: int) -> bytes:
    """A PNG as Chromium writes it, each row filtered in the same way (PNG, section 9)."""
    step = len(rows[0][0])
    body, above = b"", bytes(step * len(rows[0]))
    for row in rows:
        plain = bytes(part for colour in row for part in colour)
        beside = zip(plain, bytes(step) + plain, above, bytes(step) + above, strict=False)
        body += bytes([filtered, *((part - guess(filtered, *around)) % 256 for part, *around in beside)])
        above = plain
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, kind, 0, 0, 0)
    return HEAD + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def guess(filtered: int, left: int, above: int, corner: int) -> int:
    nearest = min((left, above, corner), key=lambda one: abs(left + above - corner - one))
    return (0, left, above, (left + above) // 2, nearest)[filtered]


def seen(data: bytes) -> list[list[tuple[int, ...]]]:
    """The colours of a picture with a palette."""
    found = dict(chunks(data))
    width, height = struct.unpack_from(">II", found[b"IHDR"])
    table = found[b"PLTE"]
    raw = zlib.decompress(found[b"IDAT"])
    rows = [raw[at + 1 : at + 1 + width] for at in range(0, height * (width + 1), width + 1)]
    return [[tuple(table[3 * number : 3 * number + 3]) for number in row] for row in rows]


@pytest.mark.parametrize("filtered", range(5))
@pytest.mark.parametrize(("kind", "alpha"), [(2, ()), (6, (255,))])
def test_a_screenshot_of_few_colours_stays_what_it_was(filtered: int, kind: int, alpha: tuple[int, ...]) -> None:
    rows = [[(x * 40, y * 50, (x * y) % 256) for x in range(6)] for y in range(5)]
    assert seen(smaller(drawn([[(*one, *alpha) for one in row] for row in rows], kind, filtered))) == rows


def test_of_more_colours_the_rare_ones_become_the_nearest_of_the_others() -> None:
    many = [(number, 0, 0) for number in range(256)] * 2
    assert seen(smaller(drawn([[*many, (7, 0, 1)]], 2, 0))) == [[*many, (7, 0, 0)]]


def test_another_kind_of_picture_is_refused() -> None:
    head = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    with pytest.raises(ValueError, match="a PNG of depth 16, colour type 2 is not read here"):
        smaller(HEAD + chunk(b"IHDR", head))
