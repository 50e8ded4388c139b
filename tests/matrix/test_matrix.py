"""The matrix: a part of it in every run; and its table, its verdict and its page."""

import re
from pathlib import Path

import pytest

from tests.doors.command import KEYS
from tests.matrix import suites
from tests.matrix.rows import Count, Row, read, table
from tests.matrix.run import main, run
from tests.served import SERVERS, STREAM

PAGE = (suites.ROOT / "docs/redis.md").read_text()
REPORT = """<testsuites><testsuite>
<testcase file="tests/flow/test_forms.py" name="one"/>
<testcase file="tests/flow/test_cool_downs.py" name="two">
  <failure message="assert 1 == 2&#10;more">long</failure></testcase>
<testcase file="tests/flow/test_canaries.py" name="three"><skipped message="Skipped: no Unix socket"/></testcase>
<testcase file="tests/faults/test_experiments.py" name="four[killed]"><properties>
  <property name="lost" value="0"/><property name="duplicates" value="3"/></properties></testcase>
<testcase file="tests/cluster/test_changes.py" name="five"><properties>
  <property name="lost" value="1"/><property name="duplicates" value="2"/><property name="recovery" value="2.25"/>
</properties></testcase>
</testsuite></testsuites>"""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("server", suites.IN_EVERY_RUN)
async def test_events_are_delivered_and_cooled_down_on(server: str) -> None:
    """The ordinary run has the default server; these get the heart of the suites, `scripts/matrix` runs the rest."""
    row = await run(server, part=True)
    if row.missing:
        pytest.skip("redis-server is not installed")
    assert row.is_good, "\n".join(table([row]))
    assert row.suites["cool-down"].passed > 10


def test_a_report_becomes_a_row(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    row = Row("cluster", "Valkey 9.1")
    read(row, report)
    assert row.suites == {
        "flow": Count(1, 0, 1), "recovery": Count(1), "cool-down": Count(0, 1), "own": Count(1),
    }  # fmt: skip
    assert (row.lost, row.duplicates, row.recovery) == (1, 5, 2.25)
    assert not row.is_good
    lines = list(table([row, Row("tls", missing="redis7 is not installed")]))
    assert lines[2] == "| cluster | Valkey 9.1 | 1 / 0 / 1 | 1 / 0 / 0 | 0 / 1 / 0 | 1 / 0 / 0 | 1 | 5 | 2.2 | 0 |"
    assert "  skipped 1: no Unix socket" in lines
    assert "  FAILED tests/flow/test_cool_downs.py::two: assert 1 == 2" in lines
    assert any(line.startswith("| tls | not run: redis7 is not installed |") for line in lines)


def test_every_column_has_tests_that_are_there() -> None:
    for server in SERVERS:
        chosen = suites.targets(server)
        assert all((suites.ROOT / one.partition("::")[0]).exists() for one in chosen)
        assert len(chosen) == len(set(chosen))
        columns = {suites.column_of(one.partition("::")[0]) for one in chosen}
        assert columns >= {*suites.COLUMNS} - {"own"}
        assert ("own" in columns) == (server in suites.OWN)
        assert sum("killed" in one for one in chosen) >= 5
    assert KEYS.stream == STREAM


def test_help_has_an_example_and_every_server(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "scripts/matrix --only cluster" in told
    assert all(re.search(rf"^  {name} +{re.escape(what)}$", told, re.MULTILINE) for name, what in SERVERS.items())


def test_the_page_has_every_server_of_the_matrix() -> None:
    rows = dict(re.findall(r"^\| (\w+) \| (.* \| [0-9]+ / [0-9]+ / [0-9]+ \| .*) \|$", PAGE, re.MULTILINE))
    assert list(rows) == list(SERVERS)
    for cells in rows.values():
        *suites, lost, _, recovery = cells.split(" | ")[1:]
        assert [cell.split(" / ")[1:2] for cell in suites if cell != "-"] == [["0"]] * (len(suites) - suites.count("-"))
        assert lost == "0"
        assert recovery == "-" or float(recovery) < 10
