"""An audit fails for what is known, and never takes silence for a good answer."""

from typing import Any

from tests.release.audit import read, verdict

SOUND = {"name": "redis", "version": "8.1.0", "vulns": []}
SILENT = {"name": "idna", "skip_reason": "Dependency not found on PyPI and could not be audited: idna (3.20)"}
UNSAFE = {
    "name": "aiohttp",
    "version": "3.14.5",
    "vulns": [{"id": "GHSA-1", "fix_versions": ["3.14.6"]}, {"id": "GHSA-2", "fix_versions": []}],
}


def judged(*packages: dict[str, Any]) -> tuple[int, list[str]]:
    return verdict(read([{"dependencies": packages}, {"dependencies": packages}]))


def test_sound_packages_are_counted_once() -> None:
    assert judged(SOUND) == (0, ["1 packages audited, nothing is known against them"])


def test_a_finding_fails_and_is_told_with_its_mend() -> None:
    code, lines = judged(SOUND, UNSAFE)
    assert code == 1
    assert lines == [
        "UNSAFE: aiohttp 3.14.5: GHSA-1, mended in 3.14.6",
        "UNSAFE: aiohttp 3.14.5: GHSA-2, not mended yet",
        "raise the bound in pyproject.toml if need be, then UPGRADE=1 scripts/lock",
    ]


def test_silence_about_all_is_said_loudly_and_is_no_finding() -> None:
    code, (line,) = judged(SILENT)
    assert code == 0
    assert line.startswith("NOT AUDITED: the advisory service knew none of 1 packages. Nothing was found out;")


def test_silence_about_some_names_them() -> None:
    assert judged(SOUND, SILENT) == (0, ["NOT AUDITED: idna; 1 packages were"])


def test_nothing_heard_at_all_adds_no_word_of_praise() -> None:
    assert verdict(read([])) == (0, [])
