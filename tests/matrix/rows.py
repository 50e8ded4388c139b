"""What came of one server's run, read from pytest's own report (JUnit XML), and the table of all of them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

from msgspec import Struct, field

from tests.matrix.suites import COLUMNS, column_of
from tests.served import SERVERS


class Count(Struct):
    """The tests of one suite."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        if not (self.passed or self.failed or self.skipped):
            return "-"
        return " / ".join(str(count) for count in (self.passed, self.failed, self.skipped))


class Row(Struct):
    """One server."""

    server: str
    version: str = ""
    suites: dict[str, Count] = field(default_factory=lambda: {column: Count() for column in COLUMNS})
    skips: dict[str, int] = field(default_factory=dict)
    """Why tests were skipped, and how many."""
    failures: list[str] = field(default_factory=list)
    lost: int = 0
    """Events that were acknowledged and neither delivered nor buried, over all experiments and failovers."""
    duplicates: int = 0
    """Deliveries beyond the first, in the same: after a kill they are allowed."""
    recovery: float | None = None
    """Seconds from the death of a primary to the next delivery of what it had, the longest."""
    seconds: float = 0.0
    missing: str = ""
    """Why nothing was run."""

    @property
    def is_good(self) -> bool:
        return not self.failures and not self.lost


def read(row: Row, report: Path) -> None:
    """Adds what the report says."""
    for case in Xml.parse(report).getroot().iter("testcase"):  # noqa: S314  a file that our own pytest has written
        count = row.suites[column_of(case.get("file", ""))]
        name = f"{case.get('file')}::{case.get('name')}"
        failure = next((found for kind in ("failure", "error") for found in case.iter(kind)), None)
        skipped = case.find("skipped")
        if failure is not None:
            count.failed += 1
            row.failures.append(f"{name}: {_first_line(failure.get('message', ''))}")
        elif skipped is not None:
            count.skipped += 1
            why = skipped.get("message", "").removeprefix("Skipped: ")
            row.skips[why] = row.skips.get(why, 0) + 1
        else:
            count.passed += 1
        _measured(row, case)


def _measured(row: Row, case: "Xml.Element[str]") -> None:
    for told in case.iter("property"):
        value = float(told.get("value", "0"))
        match told.get("name"):
            case "lost":
                row.lost += int(value)
            case "duplicates":
                row.duplicates += int(value)
            case "recovery":
                row.recovery = max(row.recovery or 0.0, value)
            case _:
                pass


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0][:200]


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Markdown; below it what was skipped, and what failed."""
    rows = list(rows)
    headings = ("server", "version", *COLUMNS, "lost", "duplicates", "recovery (s)", "took (s)")
    yield f"| {' | '.join(headings)} |"
    yield "|" + "---|" * len(headings)
    for row in rows:
        if row.missing:
            yield f"| {row.server} | not run: {row.missing} |" + " |" * (len(headings) - 2)
            continue
        recovery = "-" if row.recovery is None else f"{row.recovery:.1f}"
        cells = [row.server, row.version, *(str(row.suites[column]) for column in COLUMNS)]
        cells += [str(row.lost), str(row.duplicates), recovery, f"{row.seconds:.0f}"]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "A suite's cell is passed / failed / skipped."
    for row in rows:
        yield f"{row.server}: {SERVERS[row.server]}"
        for why, count in row.skips.items():
            yield f"  skipped {count}: {why}"
        for failure in row.failures:
            yield f"  FAILED {failure}"
