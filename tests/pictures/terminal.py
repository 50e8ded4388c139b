"""A recording as an SVG that plays: lines come when they came, the screen scrolls, and the last frame stays.

What is drawn without any animation is the last frame; the animation hides a line until its time and holds the screen
back. So a program that plays nothing shows the last frame, as does a browser that was told to move less. But a browser
does not say so to an image inside a page: that page names the still picture for such readers. Every word has its
column's place and width, so that any monospace font keeps the columns.

A burst of lines is drawn out, one every `PACE` seconds, for the eye; waits stay as they were.
"""

import re
from collections.abc import Iterator
from html import escape

from msgspec import Struct

from tests.pictures.drawing import opening
from tests.pictures.recording import Recording, RecordingError

PACE = 0.07
"""Seconds between two lines at least."""
BEGIN = 0.6
"""Seconds during which the command stands alone."""
LETTER, LINE, SIZE, EDGE = 7.83, 18, 13, 18
"""Width of a column, height of a row, size of the letters and width of the margin, pixels."""

_CODE = re.compile(r"\x1b\[([0-9;]*)m")
_STYLES = {"1": "strong", "2": "dim", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}
_STYLE = """\
text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px;
  fill: #d7dde4; white-space: pre; }
.ground { fill: #161b22; stroke: #3d444d; }
.strong { font-weight: 700; fill: #f6f8fa; } .dim { fill: #8b949e; } .red { fill: #ff8078; } .green { fill: #57c26b; }
.yellow { fill: #dba642; } .cyan { fill: #8fc7d6; }
"""
_MOTION = """\
.row { animation: hidden step-end; }
@keyframes hidden { from, to { opacity: 0; } }
@media (prefers-reduced-motion: reduce) { .row, .rows { animation: none !important; } }
"""


class Span(Struct, frozen=True):
    """Some words of a line in one style, from a column on."""

    column: int
    text: str
    style: str


class Row(Struct, frozen=True):
    """A line, and the second at which it came."""

    at: float
    spans: tuple[Span, ...]


def rows(recording: Recording) -> list[Row]:
    """The lines of a recording. Raises RecordingError for what this terminal cannot show."""
    made: list[Row] = []
    last = -PACE
    for at, _, text in recording.pieces:
        for line in text.splitlines():
            last = max(at + (BEGIN if made else 0), last + PACE)
            made.append(Row(round(last, 2), tuple(_spans(line, recording.header.width))))
    return made


def _spans(line: str, width: int) -> Iterator[Span]:
    column, style = 0, ""
    for number, part in enumerate(_CODE.split(line)):
        if number % 2:
            style = _STYLES.get(part, "") if part not in ("", "0") else ""
        elif part:
            if "\x1b" in part or "\t" in part:
                raise RecordingError(f"no plain line: {line!r}")
            yield Span(column, part, style)
            column += len(part)
    if column > width:
        raise RecordingError(f"a line of {column} columns in a terminal of {width}: {line!r}")


def svg(recording: Recording, told: str, *, still: bool = False) -> str:
    """The recording as a file; `told` is what a reader who sees no picture is told. `still`: its last frame alone."""
    lines = rows(recording)
    if still:
        lines = lines[-recording.header.height :]
    wide, high = recording.header.width * LETTER, recording.header.height * LINE
    width, height = wide + 2 * EDGE, high + 2 * EDGE
    parts = [
        opening(width, height, recording.header.title, told),
        f"<style>\n{_STYLE}{'' if still else _MOTION + _scrolling(lines, recording.header.height)}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="10"/>',
        f'<svg x="{EDGE}" y="{EDGE}" width="{wide:g}" height="{high}">\n<g class="rows">',
        *(_drawn(number, row, still=still) for number, row in enumerate(lines)),
        "</g>\n</svg>\n</svg>",
    ]
    return "\n".join(parts) + "\n"


def _scrolling(lines: list[Row], height: int) -> str:
    """The style that moves the rows up, a row for each that has no place."""
    lasts = lines[-1].at
    moved = ["0% { transform: translateY(0); }"]
    moved += [
        f"{row.at / lasts:.2%} {{ transform: translateY({-LINE * over}px); }}"
        for over, row in enumerate(lines[height:], 1)
    ]
    end = -LINE * max(0, len(lines) - height)
    return (
        f".rows {{ transform: translateY({end}px); animation: scroll {lasts:g}s step-end; }}\n"
        "@keyframes scroll {\n" + "\n".join(moved) + "\n}\n"
    )


def _drawn(number: int, row: Row, *, still: bool) -> str:
    words = "".join(_words(span) for span in row.spans if span.text.strip())
    comes = "" if still else f' class="row" style="animation-duration: {row.at:g}s"'
    return f'<text y="{number * LINE + SIZE}"{comes}>{words}</text>'


def _words(span: Span) -> str:
    text = span.text.strip()
    begin = span.column + len(span.text) - len(span.text.lstrip())
    style = f'class="{span.style}" ' if span.style else ""
    place = f'x="{begin * LETTER:.2f}" textLength="{len(text) * LETTER:.2f}"'
    return f"<tspan {style}{place}>{escape(text, quote=False)}</tspan>"
