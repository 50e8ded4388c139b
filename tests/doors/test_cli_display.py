"""Tables, progress, times and masks: how commands show things."""

import io
import re
from typing import Any

import pytest

from streamhooks.cli.moments import moment
from streamhooks.cli.ndjson import Splitter
from streamhooks.cli.output import printable
from streamhooks.cli.progress import EVERY, Progress, line
from streamhooks.cli.table import cut, facts, table
from streamhooks.delivery.masking import credentials, masked
from streamhooks.errors import ConfigError
from streamhooks.operations.moments import utc
from streamhooks.settings.duration import rounded

NOW = 1795428000.0
"""2026-11-23T10:00:00Z."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_sets_numbers_to_the_right_and_shows_nothing_as_a_dash() -> None:
    rows = [("a", 5, ""), ("long name", None, "x\ny")]
    assert table(("NAME", "COUNT", "WHY"), rows).split("\n") == [
        "NAME       COUNT  WHY",
        "a              5  -",
        r"long name      -  x\ny",
    ]


def test_facts_stand_below_one_another() -> None:
    assert facts((("stream", "a"), ("lag", 3))) == "stream  a\nlag     3"


def test_what_is_too_long_is_cut() -> None:
    assert (cut("12345678", 8), cut("123456789", 8)) == ("12345678", "12345...")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Größe", "Größe"), ("a\x1b[31m", r"a\x1b[31m"), ("\x9b2J", r"\x9b2J"), ("a\u202eb", r"a\u202eb")],
    ids=["letters", "escape", "C1", "bidi"],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_progress_is_drawn_on_a_terminal_over_itself_and_gone_at_the_end() -> None:
    terminal = Terminal()
    with Progress("events", terminal) as progress:
        while not terminal.getvalue():
            progress.show(250, errors=1, part=0.25)
        progress.complain("line 7: no")
    shown = terminal.getvalue()
    assert re.match(r"\r\x1b\[K\[######                  \]  25 %  250 events  [\d,]+/s  1 error\r", shown)
    assert shown.endswith("\r\x1b[Kline 7: no\n")


def test_progress_is_not_drawn_into_a_pipe() -> None:
    pipe = io.StringIO()
    with Progress("events", pipe) as progress:
        progress.show(250)
        progress.complain("line 7: no")
    assert pipe.getvalue() == "line 7: no\n"


def test_progress_without_a_known_end_shows_no_bar() -> None:
    assert line("events", 12_345, 2, None, 0.5) == "12,345 events  24,690/s  2 errors"
    assert EVERY <= 0.25, "slower than this looks as if it hangs"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("2h", "1795420800000"),
        ("1m30s", "1795427910000"),
        ("2026-11-23T10:00:00Z", "1795428000000"),
        ("2026-11-23T11:00:00+01:00", "1795428000000"),
        ("2026-11-23", "1795392000000"),
        ("1795428000", "1795428000000"),
        ("1795428000000", "1795428000000"),
        ("1795428000000-7", "1795428000000-7"),
    ],
)
def test_times_are_taken_as_people_write_them(text: str, taken: str) -> None:
    assert moment(text, NOW, "--since") == taken


@pytest.mark.parametrize("text", ["", "yesterday", "12", "2026-13-01", "-1h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no time; write 2h"):
        moment(text, NOW, "--since")


def test_times_are_shown_in_utc_and_lengths_in_short() -> None:
    assert (utc(1795428000999), utc(0), utc(10**18)) == ("2026-11-23T10:00:00Z", "-", "-")
    assert [rounded(seconds) for seconds in (0, 0.34, 12.4, 90, 11_111)] == ["0s", "340ms", "12s", "1m30s", "3h5m"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"Key": "5d8e1c"}, {"Key": "5d8e***"}),
        ({"key": "5d8e"}, {"key": "***"}),
        ({"Key": 12345678}, {"Key": "1234***"}),
        ({"a": [{"KEY": "abcdef"}, 1, None]}, {"a": [{"KEY": "abcd***"}, 1, None]}),
        ({"Key": {"inner": 1}, "Keys": "all"}, {"Key": {"inner": 1}, "Keys": "all"}),
        ({"OriginatingRequest": "R0VU"}, {"OriginatingRequest": "***"}),
        ("Key", "Key"),
    ],
)
def test_keys_are_masked_wherever_they_are(value: Any, shown: Any) -> None:
    assert masked(value) == shown


def test_every_masked_value_is_known() -> None:
    assert credentials({"Key": "a1", "b": [{"key": "c2"}, {"Key": ""}], "Key2": "d"}) == ["a1", "c2"]


def test_lines_are_put_together_from_pieces_of_any_size() -> None:
    text = b'\xef\xbb\xbf{"a": 1}\n\n  {"b": 2}\r\n{"c": 3}'
    expected = [(1, b'{"a": 1}'), (2, b""), (3, b'{"b": 2}'), (4, b'{"c": 3}')]
    for size in range(1, len(text) + 1):
        splitter = Splitter(1000)
        found = [one for at in range(0, len(text), size) for one in splitter.feed(text[at : at + size])]
        assert [(one.number, one.data) for one in [*found, *splitter.end()]] == expected


def test_of_a_line_without_end_only_so_much_is_held() -> None:
    splitter = Splitter(100)
    for _ in range(50):
        assert splitter.feed(b"x" * 1000) == []
    (one,) = splitter.feed(b"\n")
    assert 100 <= len(one.data) <= 1100
    assert [found.data for found in splitter.feed(b"next\n")] == [b"next"]
