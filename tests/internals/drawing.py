"""The state diagram of a cool-down as SVG: what leads where is the table's (tests/model/marks.py), where it stands is
said here. A change of the table that has no place in the picture is a KeyError that names it.

`delivered` leads from everything to `d`, which is said in words: as arrows it would hide the others. The state without
a mark is drawn twice, as the beginning and as the end.
"""

from collections import defaultdict
from html import escape
from typing import NamedTuple

from tests.model.marks import FOUND, LIVES, MARKS, MEANINGS, NAMES, Deed
from tests.model.state import ABSENT, OLD_D, OLD_X, C, D, R, X

END = -1
"""No mark again."""
SIZE = (1300, 510)
BOX = (140, 56)


class Point(NamedTuple):
    x: float
    y: float


class Arrow(NamedTuple):
    """How one change is drawn: a curve by its points, and where its words stand."""

    begin: Point
    bend: Point
    end: Point
    words: Point


BOXES = {
    ABSENT: Point(90, 250),
    C: Point(430, 250),
    R: Point(430, 70),
    D: Point(720, 110),
    X: Point(720, 390),
    OLD_D: Point(1000, 110),
    OLD_X: Point(1000, 390),
    END: Point(1210, 250),
}
ARROWS = {
    (ABSENT, C): Arrow(Point(160, 240), Point(260, 225), Point(360, 240), Point(260, 224)),
    (C, ABSENT): Arrow(Point(360, 262), Point(260, 280), Point(160, 262), Point(260, 300)),
    (R, ABSENT): Arrow(Point(360, 70), Point(130, 80), Point(90, 222), Point(170, 90)),
    (C, R): Arrow(Point(415, 222), Point(400, 160), Point(415, 98), Point(352, 165)),
    (R, C): Arrow(Point(445, 98), Point(460, 160), Point(445, 222), Point(496, 165)),
    (C, D): Arrow(Point(490, 222), Point(560, 140), Point(650, 110), Point(580, 128)),
    (C, X): Arrow(Point(470, 278), Point(530, 370), Point(650, 398), Point(512, 376)),
    (X, C): Arrow(Point(670, 362), Point(600, 330), Point(501, 276), Point(690, 324)),
    (D, OLD_D): Arrow(Point(790, 110), Point(860, 104), Point(930, 110), Point(860, 92)),
    (X, OLD_X): Arrow(Point(790, 390), Point(860, 396), Point(930, 390), Point(860, 412)),
    (OLD_D, C): Arrow(Point(960, 138), Point(770, 225), Point(501, 243), Point(810, 202)),
    (OLD_X, C): Arrow(Point(960, 362), Point(770, 275), Point(501, 257), Point(826, 292)),
    (OLD_D, END): Arrow(Point(1070, 110), Point(1180, 130), Point(1210, 222), Point(1190, 128)),
    (OLD_X, END): Arrow(Point(1070, 380), Point(1150, 360), Point(1200, 278), Point(1088, 330)),
    (X, END): Arrow(Point(720, 418), Point(1150, 550), Point(1225, 278), Point(1020, 486)),
}
HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title"
 font-family="system-ui, sans-serif" font-size="14" fill="#1b1f24">
<title id="title">The states of a cool-down&#39;s mark</title>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">
<path d="M0 0 10 5 0 10z" fill="#57606a"/></marker></defs>
<rect width="{width}" height="{height}" rx="12" fill="#ffffff"/>"""
WIDEST = 18
"""Characters in a line of an arrow's words."""
DEEDS: dict[Deed, str] = {
    "claim": "claim",
    "claim of a replay": "claim of a replay",
    "delivered": "delivered",
    "retry": "stored for later",
    "dead": "dead letter",
    "replay": "letter replayed or purged",
    "purge": "letter replayed or purged",
}


def changes() -> dict[tuple[int, int], list[str]]:
    """What leads from one state to another one, in words; by the ends of its arrow."""
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for deed, rows in MARKS.items():
        if set(rows) == set(FOUND):  # from everywhere, see `everywhere`
            continue
        for (state, whose), made in rows.items():
            if state != made:
                _add(found[_ends(state, made)], deed, whose)
    for life in LIVES:
        found[_ends(life.state, life.then)].append(life.told)
    for deed in everywhere():
        found[C, D].append(DEEDS[deed])
    return dict(found)


def everywhere() -> list[Deed]:
    """What writes `d` over anything."""
    return [deed for deed, rows in MARKS.items() if set(rows) == set(FOUND) and set(rows.values()) == {D}]


def _add(words: list[str], deed: Deed, whose: str) -> None:
    """One more word. What both may do is said of both; what a replay does only where an event's own claim does not."""
    word = DEEDS[deed]
    said = f"another's {word}" if whose == "another" else f"own {word}" if word == "claim" and whose == "own" else word
    if deed == "claim of a replay":
        if whose == "another" and "another's claim" not in words and "any claim" not in words:
            words.append("any claim of a replay")
        return
    if said == "another's claim" and "own claim" in words:
        words[words.index("own claim")] = "any claim"
    elif said not in words:
        words.append(said)


def _ends(begin: int, end: int) -> tuple[int, int]:
    return begin, END if end == ABSENT and begin in {X, OLD_D, OLD_X} else end


def svg() -> str:
    """The picture."""
    parts = [HEAD.format(width=SIZE[0], height=SIZE[1])]
    told = changes()
    parts += [_curve(ARROWS[ends]) for ends in told]
    parts += [_words(ARROWS[ends].words, words) for ends, words in told.items()]
    parts += [_box(state) for state in BOXES]
    parts += [_words(Point(720, 50), [f"{DEEDS[deed]}: d over anything"]) for deed in everywhere()]
    return "\n".join([*parts, "</svg>", ""])


def _curve(arrow: Arrow) -> str:
    (x, y), (by_x, by_y), (to_x, to_y) = arrow.begin, arrow.bend, arrow.end
    return (
        f'<path d="M{x:g} {y:g} Q{by_x:g} {by_y:g} {to_x:g} {to_y:g}" fill="none" stroke="#57606a"'
        ' stroke-width="1.5" marker-end="url(#tip)"/>'
    )


def _box(state: int) -> str:
    x, y = BOXES[state]
    name, meaning = NAMES[max(state, ABSENT)], MEANINGS[max(state, ABSENT)]
    fill = "#f6f8fa" if state in {ABSENT, END} else "#ddf4ff"
    said = meaning if state in {ABSENT, END} else name
    low = y - 2 if said is name else y + 5
    lines = [f'<text x="{x:g}" y="{low:g}" text-anchor="middle" font-weight="600">{escape(said)}</text>']
    if said is name:
        lines.append(f'<text x="{x:g}" y="{y + 16:g}" text-anchor="middle" font-size="12">{_short(meaning)}</text>')
    left, top = x - BOX[0] / 2, y - BOX[1] / 2
    box = f'<rect x="{left:g}" y="{top:g}" width="{BOX[0]}" height="{BOX[1]}" rx="8" fill="{fill}" stroke="#57606a"/>'
    return "\n".join([box, *lines])


def _short(meaning: str) -> str:
    return escape(meaning.partition(",")[0])


def _words(at: Point, words: list[str]) -> str:
    """Lines around a point, with white behind them, so that a curve may pass."""
    lines = _wrapped(", or ".join(words))
    first = at.y - 8 * (len(lines) - 1)
    return "\n".join(
        f'<text x="{at.x:g}" y="{first + 16 * number:g}" text-anchor="middle" font-size="13" paint-order="stroke"'
        f' stroke="#ffffff" stroke-width="5" stroke-linejoin="round">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > WIDEST:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
