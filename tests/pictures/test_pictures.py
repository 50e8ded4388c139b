"""The pictures of README.md are those of their sources, and show what they are to show."""

import os
import re
import socket
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from streamhooks.dev.run import Options
from tests.pages.links import ROOT
from tests.pictures import recording, terminal
from tests.pictures.document import FOLDER, PICTURES, RUN
from tests.pictures.drawing import DARK, LIGHT, Arrow, Box, Palette, Point, colours, svg
from tests.pictures.recording import Header, Recording, RecordingError
from tests.pictures.way import WAY

RECORDED = recording.read(RUN)
SPACE = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_its_source_draws(name: str) -> None:
    assert (FOLDER / name).read_text() == PICTURES[name](), "run scripts/pictures"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_asks_for_nothing_and_tells_those_who_do_not_see_it(name: str) -> None:
    text = (FOLDER / name).read_text()
    root = ElementTree.fromstring(text)  # noqa: S314  written by the test above
    assert root.findtext(f"{SPACE}title")
    assert len(root.findtext(f"{SPACE}desc") or "") > 100
    assert set(re.findall(r"https?://[^\s\"<]+", text)) - {"http://www.w3.org/2000/svg"} <= set(_told_addresses())
    assert not re.search(r"<(script|image|use|foreignObject)|url\(|@import", text)


def _told_addresses() -> list[str]:
    return re.findall(r"https?://[^\s\"<]+", RECORDED.text)


def test_every_arrow_of_the_way_leads_from_a_station_or_an_arrow_to_a_station() -> None:
    edges = [station.box for station in WAY.stations]
    for arrow in WAY.arrows:
        others = [other for other in WAY.arrows if other is not arrow]
        begin, end = arrow.points[0], arrow.points[-1]
        assert any(_on_edge(begin, box) for box in edges) or any(_on_line(begin, other) for other in others), arrow
        assert any(_on_edge(end, box) for box in edges), arrow


def test_the_stations_of_the_way_lie_apart_and_inside() -> None:
    for one, other in combinations([station.box for station in WAY.stations], 2):
        apart = one.right < other.x or other.right < one.x or one.bottom < other.y or other.bottom < one.y
        assert apart, (one, other)
    for box in [station.box for station in WAY.stations] + [band.box for band in WAY.bands]:
        assert box.x > 0
        assert box.y > 0
        assert box.right < WAY.width
        assert box.bottom < WAY.height


def test_a_picture_has_colours_for_light_and_for_dark_pages() -> None:
    style = svg(WAY).split("</style>")[0]
    light, dark = style.split("@media (prefers-color-scheme: dark) {")
    assert colours(LIGHT) in light
    assert colours(DARK) in dark
    assert "var(" not in style


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(palette: Palette) -> None:
    words = (palette.text, palette.quiet, palette.strong, palette.good, palette.wait, palette.bad)
    for behind in (palette.ground, palette.band, palette.box):
        assert min(_contrast(word, behind) for word in words) >= 4.5  # WCAG 2.2, 1.4.3


def _contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG has it: 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _on_edge(point: Point, box: Box) -> bool:
    x, y = point
    across = box.x <= x <= box.right and y in (box.y, box.bottom)
    return across or (box.y <= y <= box.bottom and x in (box.x, box.right))


def _on_line(point: Point, arrow: Arrow) -> bool:
    x, y = point
    for (x1, y1), (x2, y2) in zip(arrow.points, arrow.points[1:], strict=False):
        if min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
    return False


def test_the_recorded_run_shows_a_delivery_a_duplicate_a_retry_and_a_dead_letter_and_no_machine() -> None:
    printed = re.sub(r"\x1b\[[0-9;]*m", "", RECORDED.text)
    for words in ("$ scripts/dev --exit-after 5", "answered 200", "suppressed", "put off: attempt 2", "dead letter ("):
        assert words in printed
    assert printed.endswith("deliveries answered 2xx: done\r\n")
    assert str(Options().state) in printed
    for word in (socket.gethostname(), str(ROOT), f"{Path.home()}/", f"{os.getpid()}-"):
        assert word not in printed


def test_lines_come_in_their_order_and_a_burst_is_drawn_out() -> None:
    recorded = Recording(Header(2, 20, 2, "x"), ((0.0, "o", "$ x\r\n"), (1.0, "o", "a\r\nb\r\n"), (3.0, "o", "c\r\n")))
    assert [row.at for row in terminal.rows(recorded)] == [0, 1.6, 1.67, 3.6]


def test_what_plays_nothing_shows_the_last_frame() -> None:
    recorded = Recording(Header(2, 20, 2, "x"), tuple((float(n), "o", f"line {n}\r\n") for n in range(5)))
    picture = terminal.svg(recorded, "five lines in a terminal of two")
    assert ".rows { transform: translateY(-54px);" in picture
    assert "opacity: 0" in picture.split("@keyframes hidden")[1]
    assert "opacity" not in picture.split("@keyframes hidden")[0]
    assert "@media (prefers-reduced-motion: reduce) { .row, .rows { animation: none" in picture
    still = terminal.svg(recorded, "five lines in a terminal of two", still=True)
    assert re.findall(r"line \d", still) == ["line 3", "line 4"]
    assert "animation" not in still


def test_colours_are_those_of_the_terminal_and_columns_are_kept() -> None:
    (row,) = terminal.rows(Recording(Header(2, 30, 2, "x"), ((0.0, "o", "ab \x1b[32mgood\x1b[0m end\r\n"),)))
    assert [(span.column, span.text, span.style) for span in row.spans] == [
        (0, "ab ", ""), (3, "good", "green"), (7, " end", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["x" * 21, "a\tb", "\x1b[2Jgone"], ids=["too wide", "a tab", "no colour"])
def test_a_line_that_the_picture_cannot_show_is_an_error(line: str) -> None:
    with pytest.raises(RecordingError):
        terminal.rows(Recording(Header(2, 20, 2, "x"), ((0.0, "o", f"{line}\r\n"),)))


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "run.cast").write_bytes(recording.written(RECORDED))
    assert recording.read(tmp_path / "run.cast") == RECORDED
