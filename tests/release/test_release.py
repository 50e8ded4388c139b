"""`scripts/release`, run in a copy of this repository: all that a release is, or nothing at all and the way out."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEW = "10.20.30"
MADE = {
    f"streamhooks-{NEW}-py3-none-any.whl",
    f"streamhooks-{NEW}.tar.gz",
    f"streamhooks-{NEW}.cdx.json",
    "NOTES.md",
    "SHA256SUMS",
}
CHART = f"streamhooks-{NEW}.tgz"
PERSON = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "A",
          "GIT_COMMITTER_EMAIL": "a@example.com"}  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This repository as it is now, what nobody has committed yet included, cloned; helm is taken from here."""
    clone = tmp_path / "clone"
    git("clone", "--quiet", str(ROOT), str(clone), at=ROOT)
    for name in git("ls-files", "--modified", "--others", "--exclude-standard", at=ROOT).splitlines():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, clone / name)
    git("add", "--all", at=clone)
    git("commit", "--quiet", "--allow-empty", "--message", "as it is now", at=clone)
    (clone / ".cache").mkdir()
    if (ROOT / ".cache/helm").is_dir():
        (clone / ".cache/helm").symlink_to(ROOT / ".cache/helm")
    return clone


def git(*words: str, at: Path) -> str:
    done = subprocess.run(["git", *words], cwd=at, env=os.environ | PERSON, capture_output=True, text=True, check=True)
    return done.stdout


def release(*words: str, at: Path, environ: dict[str, str] = PERSON) -> subprocess.CompletedProcess[str]:
    """`scripts/release`, by the environment that the tests have."""
    run = [sys.executable, "-m", "tests.release.run", *words]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(run, cwd=at, env=clean | PERSON | environ, capture_output=True, text=True, check=False)


def state(clone: Path) -> tuple[str, str, str, bool]:
    return (
        git("status", "--porcelain", at=clone), git("rev-parse", "HEAD", at=clone), git("tag", at=clone),
        (clone / "dist").exists(),
    )  # fmt: skip


@pytest.mark.timeout(240)
def test_a_release_is_made_tried_committed_and_tagged(copy: Path) -> None:
    before = git("rev-parse", "HEAD", at=copy)
    done = release(NEW, "--commit", "--without-image", at=copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nLEFT OUT: the image. --without-image was given.\n" in done.stdout
    made = {path.name: path.read_bytes() for path in (copy / "dist").iterdir()}
    assert set(made) - {CHART} == MADE
    assert (CHART in made) == ("LEFT OUT: the chart" not in done.stdout)
    summed = dict(line.split("  ")[::-1] for line in made["SHA256SUMS"].decode().splitlines())
    assert summed == {name: hashlib.sha256(data).hexdigest() for name, data in made.items() if name != "SHA256SUMS"}
    _look_into(copy / "dist")
    assert git("status", "--porcelain", at=copy) == ""
    assert git("log", "-1", "--format=%s", at=copy) == f"Release {NEW}\n"
    assert git("rev-parse", "HEAD~1", at=copy) == before
    assert git("tag", "--points-at", "HEAD", at=copy) == f"v{NEW}\n"
    assert f'__version__ = "{NEW}"' in (copy / "streamhooks/__init__.py").read_text()
    assert made["NOTES.md"].decode().strip() in (copy / "CHANGELOG.md").read_text().partition(f"\n## {NEW} - ")[2]


def _look_into(dist: Path) -> None:
    with zipfile.ZipFile(dist / f"streamhooks-{NEW}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
        assert {"streamhooks/store/lua/settle.lua", "streamhooks/_templates/slack.json"} <= names
        assert f"\nVersion: {NEW}\n" in wheel.read(f"streamhooks-{NEW}.dist-info/METADATA").decode()
        assert not [name for name in names if name.startswith("tests/")]
    with tarfile.open(dist / f"streamhooks-{NEW}.tar.gz") as sdist:
        assert f"streamhooks-{NEW}/CHANGELOG.md" in sdist.getnames()
    bill = json.loads((dist / f"streamhooks-{NEW}.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert {"redis", "aiohttp", "msgspec"} <= {part["name"] for part in bill["components"]}


def test_a_tree_that_is_not_clean_is_no_release(copy: Path) -> None:
    (copy / "README.md").write_text("changed\n")
    done = release(NEW, at=copy)
    assert (done.returncode, done.stdout) == (1, "")
    said = "the tree is not clean (1 files): commit them, or git stash --include-untracked"
    assert done.stderr == f"scripts/release: {said}\n"


def test_a_step_that_fails_says_what_to_do_and_leaves_everything_as_it_was(copy: Path) -> None:
    before = state(copy)
    alone = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    done = release(NEW, "--commit", at=copy, environ=alone)
    assert done.returncode == 1
    assert done.stdout == "sdist and wheel, checked by twine ... failed\n"
    assert "No matching distribution found for hatchling" in done.stderr
    assert done.stderr.endswith(": is the package registry reachable? Then run it again\n")
    assert state(copy) == before


def test_what_is_no_version_is_refused() -> None:
    done = release("1.2", at=ROOT)
    said = '"1.2" is no version: give three numbers, such as 0.2.0; docs/versions.md says which'
    assert (done.returncode, done.stderr) == (1, f"scripts/release: {said}\n")


def test_what_cannot_be_meant_is_wrong_usage() -> None:
    done = release(NEW, "--commit", "--dry-run", at=ROOT)
    assert done.returncode == 2
    assert done.stderr.endswith(": --commit and --dry-run exclude each other\n")
