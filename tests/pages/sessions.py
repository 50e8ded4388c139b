"""What a page shows of a terminal, as something that can be run: its files, its commands, and what each must print.

A block of ```console below the line `<!-- runs -->` is run, as a reader would run it: in one folder for the whole page,
in the order of the page, with the files that the page shows under their names (`name.yaml`: and a block). In an output
`...` stands for any text. Ids differ in every run: the same one must be printed where the page has the same one.
"""

import re
from pathlib import Path

from msgspec import Struct

MARK = "<!-- runs -->"
_FILE = re.compile(r"`([\w./-]+\.\w+)`:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(rf"^{re.escape(MARK)}\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"[0-9]{13}-[0-9]+")


class Command(Struct, frozen=True):
    """One command line, and what follows it on the page."""

    line: str
    output: str

    @property
    def stays(self) -> bool:
        """It goes on in the background; what it prints comes with the output of those that follow."""
        return self.line.endswith(" &")


def files(page: str) -> dict[str, str]:
    """The files that a page shows, by name."""
    return dict(_FILE.findall(page))


def commands(page: str) -> list[Command]:
    """The commands of a page that are run."""
    found = []
    for block in _BLOCK.findall(page):
        first, *parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
        assert not first, "a block begins with a command"
        for part in parts:
            line, _, output = part.partition("\n")
            found.append(Command(line, output))
    return found


class Ids:
    """Which id of this run stands for which one on the page."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}

    def in_line(self, line: str) -> str:
        """A command line of the page, with the ids that were printed here."""
        return _ID.sub(lambda match: self._ours.get(match[0], match[0]), line)

    def fault(self, wanted: str, got: str) -> str:
        """How an output differs from that of the page; empty: it does not. Learns the ids that are new."""
        pattern, names = self._pattern(wanted)
        match = re.fullmatch(pattern, _plain(got), re.DOTALL)
        if match is None:
            return f"the page has\n{wanted}\nand this run\n{got}"
        self._ours |= {name: match[number] for number, name in enumerate(names, 1)}
        return ""

    def _pattern(self, wanted: str) -> tuple[str, list[str]]:
        names: list[str] = []
        made = ""
        for part in re.split(rf"(\.\.\.|{_ID.pattern})", _plain(wanted)):
            if part == "...":
                made += ".*?"
            elif not _ID.fullmatch(part):
                made += re.escape(part)
            elif part in self._ours:
                made += re.escape(self._ours[part])
            elif part in names:
                made += rf"\{names.index(part) + 1}"
            else:
                names.append(part)
                made += rf"({_ID.pattern})"
        return made, names


def _plain(text: str) -> str:
    """Without blank lines, and with one space for several: a column is as wide as this run needs it."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def write(page: str, folder: Path) -> None:
    """Puts the files of a page into a folder."""
    for name, text in files(page).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
