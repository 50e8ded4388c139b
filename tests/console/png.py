"""Makes a screenshot small: a picture of at most 256 colours, which is plenty for a page.

The colours that are seen most stay as they are, and so do those that are least like them, such as that of a thin line;
each of the others, which smoothed letters have, becomes the nearest of these. Reads what Chromium writes: eight bits a
channel, RGB or RGBA, not interlaced (PNG, second edition).
"""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

HEAD = b"\x89PNG\r\n\x1a\n"
MOST = 256
Colour = tuple[int, ...]


def smaller(data: bytes) -> bytes:
    """The same picture with a palette."""
    width, height, rows = _rows(data)
    colours = [[tuple(row[at : at + 3]) for at in range(0, len(row), len(row) // width)] for row in rows]
    palette = _palette([colour for colour, _ in Counter(one for row in colours for one in row).most_common()])
    places = {colour: number for number, colour in enumerate(palette)}
    for colour in {one for row in colours for one in row} - places.keys():
        places[colour] = places[min(palette, key=lambda other: _apart(colour, other))]
    # Each row says that it is not filtered: differences of palette numbers would mean nothing.
    body = b"".join(b"\0" + bytes(places[one] for one in row) for row in colours)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    table = bytes(part for colour in palette for part in colour)
    parts = ((b"IHDR", head), (b"PLTE", table), (b"IDAT", zlib.compress(body, 9)), (b"IEND", b""))
    return HEAD + b"".join(chunk(kind, content) for kind, content in parts)


def _palette(colours: list[Colour]) -> list[Colour]:
    """Half of it the most frequent, with which `colours` begins; then, one by one, what is furthest from it."""
    palette, others = colours[: MOST // 2], colours[MOST // 2 :]
    gaps = {colour: min(_apart(colour, one) for one in palette) for colour in others}
    while gaps and len(palette) < MOST:
        furthest = max(gaps, key=lambda colour: gaps[colour])
        del gaps[furthest]
        palette.append(furthest)
        gaps = {colour: min(gap, _apart(colour, furthest)) for colour, gap in gaps.items()}
    return palette


def _apart(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(HEAD)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _rows(data: bytes) -> tuple[int, int, list[bytearray]]:
    """Width, height, and the channels of each row. Raises ValueError for another kind of PNG."""
    found = list(chunks(data))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", found[0][1])
    if (depth, interlaced) != (8, 0) or kind not in {2, 6}:
        raise ValueError(f"a PNG of depth {depth}, colour type {kind} is not read here")
    step = 3 if kind == 2 else 4
    raw = zlib.decompress(b"".join(content for name, content in found if name == b"IDAT"))
    rows: list[bytearray] = []
    above = bytearray(width * step)
    for at in range(0, len(raw), width * step + 1):
        above = _unfiltered(raw[at], bytearray(raw[at + 1 : at + 1 + width * step]), above, step)
        rows.append(above)
    return width, height, rows


def _unfiltered(kind: int, row: bytearray, above: bytearray, step: int) -> bytearray:
    """Section 9.2 of the standard: a byte is said as its difference from what is left of it, above, or both."""
    for at in range(len(row) if kind else 0):
        left = row[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        guess = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))[kind]
        row[at] = (row[at] + guess) & 0xFF
    return row


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda one: abs(guess - one))
