"""Stations and arrows as an SVG picture that is readable on light and on dark pages.

A picture is described by words and places; how things look stands here alone. It has a ground of its own and takes its
colours from what the reader's system prefers, since a page that shows it as an image gives it no style. The same
description always makes the same bytes.
"""

from collections.abc import Iterable, Iterator
from html import escape
from itertools import pairwise
from typing import Literal

from msgspec import Struct

Tone = Literal["plain", "good", "wait", "bad"]
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]
CORNER = 10.0
"""Radius of an arrow's corner, pixels."""
HEAD = 8.0
"""Length of an arrow's head, pixels."""


class Palette(Struct, frozen=True):
    """The colours of one scheme."""

    ground: str
    edge: str
    band: str
    box: str
    line: str
    text: str
    quiet: str
    strong: str
    good: str
    wait: str
    bad: str


LIGHT = Palette("#ffffff", "#d0d7de", "#f3f5f8", "#ffffff", "#57606a", "#1f2328", "#59636e", "#0b57a4", "#1a7f37",
                "#8a5a00", "#b3261e")  # fmt: skip
DARK = Palette("#0d1117", "#3d444d", "#161b22", "#212830", "#9198a1", "#f0f6fc", "#9da7b3", "#6cb6ff", "#57c26b",
               "#dba642", "#ff8078")  # fmt: skip

_SHAPES = """\
text { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
.title { font-size: 15px; font-weight: 600; }
.note, .label { font-size: 12.5px; font-weight: 400; }
.band-title { font-size: 13px; font-weight: 600; }
.line { fill: none; stroke-width: 1.6; }
.label.good, .label.wait, .label.bad { font-weight: 600; }
"""


def colours(palette: Palette) -> str:
    """The rules of a scheme. Each names its colour itself: not every program that draws knows variables."""
    return f"""\
.ground {{ fill: {palette.ground}; }}
.band {{ fill: {palette.band}; stroke: {palette.edge}; }}
.box {{ fill: {palette.box}; stroke: {palette.line}; }}
.box.ours {{ stroke: {palette.strong}; }}
.line {{ stroke: {palette.line}; }}
.head {{ fill: {palette.line}; }}
.title {{ fill: {palette.text}; }}
.note, .label {{ fill: {palette.quiet}; }}
.band-title {{ fill: {palette.strong}; }}
.band-title .note {{ fill: {palette.quiet}; }}
.label.good {{ fill: {palette.good}; }}
.label.wait {{ fill: {palette.wait}; }}
.label.bad {{ fill: {palette.bad}; }}
"""


_STYLE = f"{_SHAPES}{colours(LIGHT)}@media (prefers-color-scheme: dark) {{\n{colours(DARK)}}}\n"


class Box(Struct, frozen=True):
    """A place, in pixels from the upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


class Station(Struct, frozen=True):
    """Something that an event comes to; `ours`: a part of streamhooks."""

    title: str
    note: str
    box: Box
    ours: bool = False


class Band(Struct, frozen=True):
    """What several stations are parts of, with its name at `at`."""

    title: str
    note: str
    box: Box
    at: Point


class Arrow(Struct, frozen=True):
    """A way along points; `both`: there and back."""

    points: tuple[Point, ...]
    both: bool = False


class Label(Struct, frozen=True):
    """Words beside an arrow."""

    text: str
    at: Point
    anchor: Anchor = "start"
    tone: Tone = "plain"


class Picture(Struct, frozen=True):
    """All of it; `told` is what a reader who sees no picture is told."""

    width: int
    height: int
    title: str
    told: str
    bands: tuple[Band, ...]
    stations: tuple[Station, ...]
    arrows: tuple[Arrow, ...]
    labels: tuple[Label, ...]


def svg(picture: Picture) -> str:
    """The picture as a file."""
    parts = [
        opening(picture.width, picture.height, picture.title, picture.told),
        f"<style>\n{_STYLE}</style>",
        f'<rect class="ground" width="{picture.width}" height="{picture.height}" rx="12"/>',
        *(_rectangle(band.box, "band", 12) for band in picture.bands),
        *_flat(_arrow(arrow) for arrow in picture.arrows),
        *_flat(_station(station) for station in picture.stations),
        *(_band_text(band) for band in picture.bands),
        *(_label(label) for label in picture.labels),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def opening(width: float, height: float, title: str, told: str) -> str:
    """How the file of a picture begins: its size in pixels, and what is told to those who do not see it."""
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    named = f'<title id="title">{escape(title)}</title>\n<desc id="told">{escape(told)}</desc>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title told">\n{named}'


def _flat(parts: Iterable[Iterable[str]]) -> Iterator[str]:
    for part in parts:
        yield from part


def _rectangle(box: Box, kind: str, radius: int) -> str:
    place = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    return f'<rect class="{kind}" {place} rx="{radius}"/>'


def _text(text: str, at: Point, kind: str, anchor: Anchor = "middle") -> str:
    return f'<text class="{kind}" x="{at[0]:g}" y="{at[1]:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _station(station: Station) -> Iterator[str]:
    x, y = station.box.middle
    yield _rectangle(station.box, "box ours" if station.ours else "box", 8)
    yield _text(station.title, (x, y - 5), "title")
    yield _text(station.note, (x, y + 15), "note")


def _band_text(band: Band) -> str:
    x, y = band.at
    words = f'<tspan class="note" dx="10">{escape(band.note)}</tspan>'
    return f'<text class="band-title" x="{x:g}" y="{y:g}">{escape(band.title)}{words}</text>'


def _label(label: Label) -> str:
    return _text(label.text, label.at, f"label {label.tone}" if label.tone != "plain" else "label", label.anchor)


def _arrow(arrow: Arrow) -> Iterator[str]:
    points = list(arrow.points)
    ends = [(points[-2], points[-1])]
    if arrow.both:
        ends.append((points[1], points[0]))
        points[0] = _towards(points[0], points[1], HEAD)
    points[-1] = _towards(points[-1], points[-2], HEAD)
    yield f'<path class="line" d="{_path(points)}"/>'
    for before, end in ends:
        yield f'<path class="head" d="{_head(before, end)}"/>'


def _path(points: list[Point]) -> str:
    """A line whose corners are round."""
    made = f"M{points[0][0]:g} {points[0][1]:g}"
    for (before, corner), (_, after) in pairwise(pairwise(points)):
        begin, end = _towards(corner, before, CORNER), _towards(corner, after, CORNER)
        made += f" L{begin[0]:g} {begin[1]:g} Q{corner[0]:g} {corner[1]:g} {end[0]:g} {end[1]:g}"
    return f"{made} L{points[-1][0]:g} {points[-1][1]:g}"


def _head(before: Point, end: Point) -> str:
    x, y = _towards(end, before, HEAD)
    across = ((end[1] - y) / 2, (end[0] - x) / 2)
    left, right = (x - across[0], y + across[1]), (x + across[0], y - across[1])
    return f"M{end[0]:g} {end[1]:g} L{left[0]:g} {left[1]:g} L{right[0]:g} {right[1]:g} Z"


def _towards(start: Point, aim: Point, distance: float) -> Point:
    """The point so far from one on the way to another; the way goes along an axis."""
    across, down = aim[0] - start[0], aim[1] - start[1]
    length = abs(across) + abs(down)
    return start[0] + across / length * distance, start[1] + down / length * distance
