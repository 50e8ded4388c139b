"""`scripts/internals`: writes what docs/internals.md shows of the code anew, the rest of the page left as it is.

Between two comments that name a part stands what the code says: the table of the cool-down, and how many lines each
room has. The picture of the cool-down is a file beside the other pictures.
"""

from collections.abc import Iterator
from pathlib import Path

from tests.internals.drawing import svg
from tests.model.marks import FOUND, LIVES, MARKS, MEANINGS, NAMES, Deed, Found
from tests.model.rules import CLAIMS, REPLAYS, Claims, Verdict
from tests.model.state import ABSENT

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "internals.md"
PICTURE = ROOT / "docs" / "images" / "cool-down.svg"

SAID: dict[Verdict, str] = {"send": "`c`, send", "done": "done", "park": "park", "covered": "covered"}
COLUMNS: dict[str, Deed] = {
    "delivered": "delivered",
    "stored for later": "retry",
    "dead letter": "dead",
    "woken": "wake",
    "letter replayed or purged": "replay",
}
"""What else than claims is done to a mark; a purge does what a replay does."""


def marks_table() -> str:
    """What becomes of a mark, in Markdown: one row for everything that may be found."""
    if MARKS["replay"] != MARKS["purge"]:
        raise AssertionError("a purge does not do what a replay does: give it a column of its own")
    lines = [
        "| found | claim | claim of a replay | " + " | ".join(COLUMNS) + " | nothing happens |",
        "|" + "---|" * (len(COLUMNS) + 4),
    ]
    for found in FOUND:
        cells = [_name(found), _claimed(CLAIMS, found), _claimed(REPLAYS, found)]
        cells += [_made(deed, found) for deed in COLUMNS.values()]
        lines.append("| " + " | ".join([*cells, _by_itself(found[0])]) + " |")
    return "\n".join(lines)


def _name(found: Found) -> str:
    state, whose = found
    if state == ABSENT:
        return "nothing"
    return f"{whose}{chr(39) + 's' if whose == 'another' else ''} `{NAMES[state][0]}`, {MEANINGS[state]}"


def _claimed(claims: Claims, found: Found) -> str:
    return SAID[claims[found]]


def _made(deed: Deed, found: Found) -> str:
    made = MARKS[deed].get(found)
    return "" if made is None else f"`{NAMES[made]}`" if made else "gone"


def _by_itself(state: int) -> str:
    return "".join(f"{life.told}: {'over' if life.then else 'gone'}" for life in LIVES if life.state == state)


def parts() -> Iterator[tuple[str, str]]:
    """What the code says, by the name of its part."""
    yield "marks", marks_table()


def page() -> str:
    """The page as it must be. Raises ValueError where it has no place for a part."""
    text = PAGE.read_text(encoding="utf-8")
    for name, written in parts():
        begin = text.index("-->\n", text.index(f"<!-- {name}: ")) + len("-->\n")
        end = text.index(f"\n<!-- /{name} -->")
        text = f"{text[:begin]}{written}{text[end:]}"
    return text


def main() -> None:
    PICTURE.write_text(svg(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
