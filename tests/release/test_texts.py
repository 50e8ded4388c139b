"""What a release writes: the version everywhere or nowhere, and the changelog's next section."""

from pathlib import Path

import pytest

from streamhooks import __version__
from tests.release.errors import ReleaseError
from tests.release.texts import CHANGELOG, PLACES, UNRELEASED, newer, notes, released, version_of, with_version

ROOT = Path(__file__).parents[2]
BEFORE = "# Changelog\n\nWords.\n\n## Unreleased\n\n### Added\n\n- One.\n\n## 0.1.0 - 2026-01-02\n\n- Old.\n"
AFTER = BEFORE.replace("## Unreleased\n", "## Unreleased\n\n## 0.2.0 - 2026-03-04\n")


@pytest.mark.parametrize("path", PLACES)
def test_every_place_has_the_version_of_today_and_takes_another(path: str) -> None:
    text = (ROOT / path).read_text()
    assert with_version(path, text, __version__) == text
    changed = with_version(path, text, "10.20.30")
    assert changed.count("10.20.30") == len(PLACES[path])
    assert with_version(path, changed, __version__) == text


def test_a_place_that_looks_otherwise_is_told() -> None:
    with pytest.raises(ReleaseError, match=r"streamhooks/__init__\.py: no version, or more than one, at"):
        with_version("streamhooks/__init__.py", '__version__ = "unknown"\n', "0.2.0")


@pytest.mark.parametrize("text", ["1.2", "v1.2.3", "1.2.3rc1", "01.2.3", "1.2.3\n", ""])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match="is no version: give three numbers"):
        version_of(text)


def test_a_version_is_newer_than_every_one_that_is_tagged() -> None:
    newer("0.1.0", [])
    newer("0.10.0", ["v0.9.0", "v0.2.0", "vintage"])
    for version in ("0.9.0", "0.8.9"):
        with pytest.raises(ReleaseError, match=rf"{version} is not newer than 0\.9\.0, which is tagged"):
            newer(version, ["v0.9.0", "v0.2.0"])


def test_what_was_unreleased_gets_version_and_day_and_a_new_place_is_made() -> None:
    assert released(BEFORE, "0.2.0", "2026-03-04") == AFTER
    assert notes(AFTER, "## 0.2.0 ") == "### Added\n\n- One."
    assert notes(AFTER, UNRELEASED) == ""


def test_nothing_unreleased_is_no_release() -> None:
    with pytest.raises(ReleaseError, match=r"^CHANGELOG\.md: nothing stands under ## Unreleased: write what users"):
        released(AFTER, "0.3.0", "2026-05-06")


def test_the_changelog_has_what_a_release_looks_for() -> None:
    assert (ROOT / CHANGELOG).read_text().count(f"\n{UNRELEASED}\n") == 1
