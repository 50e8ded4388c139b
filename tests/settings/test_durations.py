"""Durations as people write them."""

import pytest

from streamhooks.settings.duration import DurationError, seconds, spelled


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("10s", 10.0),
        ("1m30s", 90.0),
        ("24h", 86400.0),
        ("30d", 2_592_000.0),
        ("1d12h", 129_600.0),
        ("250ms", 0.25),
        ("1.5h", 5400.0),
        ("0s", 0.0),
        ("90", 90.0),
        (15, 15.0),
        (0.5, 0.5),
        (0, 0.0),
    ],
)
def test_a_duration_is_a_number_of_seconds_or_numbers_with_units(written: object, expected: float) -> None:
    assert seconds(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "",
        "s",
        "10 s",
        "-5s",
        "30s1m",
        "1m1m",
        "ten",
        "1e3s",
        "\u0661s",
        "10s\n",
        True,
        None,
        -1,
        float("inf"),
        float("nan"),
        [],
    ],
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(DurationError):
        seconds(written)


@pytest.mark.parametrize(
    ("amount", "text"), [(90, "1m30s"), (86400, "1d"), (0, "0s"), (0.1, "100ms"), (3661.5, "1h1m1s500ms"), (600, "10m")]
)
def test_a_spelling_reads_back_as_the_same_duration(amount: float, text: str) -> None:
    assert spelled(amount) == text
    assert seconds(text) == pytest.approx(amount)
