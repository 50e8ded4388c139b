"""What a release writes into files: the version in each place that has it, and the changelog's next section.

Pure: texts in, texts out. A place that does not look as expected is an error, so that no release goes out with two
versions in it.
"""

import re
from collections.abc import Mapping, Sequence

from tests.release.errors import ReleaseError

Version = tuple[int, int, int]
PACKAGE = "streamhooks/__init__.py"
PLACES: Mapping[str, Sequence[str]] = {
    PACKAGE: (r'^__version__ = "(VERSION)"$',),
    "helm/streamhooks/Chart.yaml": (
        r"^version: (VERSION)$",
        r'^appVersion: "(VERSION)"$',
        r"^      image: streamhooks:(VERSION)$",
    ),
    "docs/kubernetes.md": (r"build -t REGISTRY/streamhooks:(VERSION) ", r"push REGISTRY/streamhooks:(VERSION)$",
                           r"^ +targetRevision: v(VERSION)$"),
}  # fmt: skip
"""Every file that has the version, and where in it; each pattern is found exactly once."""
CHANGELOG = "CHANGELOG.md"
UNRELEASED = "## Unreleased"
_NUMBERS = r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}"


def version_of(text: str) -> Version:
    """Raises ReleaseError."""
    if not re.fullmatch(_NUMBERS, text):
        raise ReleaseError(f'"{text}" is no version', "give three numbers, such as 0.2.0; docs/versions.md says which")
    major, minor, patch = map(int, text.split("."))
    return major, minor, patch


def newer(version: str, tags: Sequence[str]) -> None:
    """Raises ReleaseError where a tag `v...` has this version, or a later one."""
    released = sorted(version_of(tag[1:]) for tag in tags if re.fullmatch(f"v{_NUMBERS}", tag))
    if released and released[-1] >= version_of(version):
        last = ".".join(map(str, released[-1]))
        raise ReleaseError(f"{version} is not newer than {last}, which is tagged", f"give one after {last}")


def with_version(path: str, text: str, version: str) -> str:
    """The text of a file of PLACES with this version. Raises ReleaseError."""
    for place in PLACES[path]:
        pattern = re.compile(place.replace("VERSION", _NUMBERS), re.MULTILINE)
        if len(pattern.findall(text)) != 1:
            raise ReleaseError(
                f"{path}: no version, or more than one, at {place}", "mend it, or tests/release/texts.py"
            )
        text = pattern.sub(lambda found: found[0].replace(found[1], version), text)
    return text


def released(changelog: str, version: str, day: str) -> str:
    """The changelog with what was unreleased under this version. Raises ReleaseError where that is nothing."""
    if not notes(changelog, UNRELEASED):
        raise ReleaseError(
            f"{CHANGELOG}: nothing stands under {UNRELEASED}", "write what users will notice, and commit it"
        )
    return changelog.replace(UNRELEASED, f"{UNRELEASED}\n\n## {version} - {day}", 1)


def notes(changelog: str, heading: str) -> str:
    """What stands under a heading that begins so; empty where there is none."""
    found = re.search(rf"^{re.escape(heading)}[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""
