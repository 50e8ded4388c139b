"""`scripts/release VERSION`: everything that a release is, made and tried in dist/.

Strategy: the work is done on a copy of the commit, so that this tree stays as it is whatever fails; dist/ is exchanged
at the very end. Only --commit changes the tree, by the same texts that the copy was given. Nothing is ever pushed.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.release import steps, texts
from tests.release.errors import ReleaseError

ROOT = Path(__file__).parents[2]
CHANGED = (*texts.PLACES, texts.CHANGELOG)


def main(argv: Sequence[str]) -> int:
    """0 when it is made, 1 when a step failed, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="scripts/release",
        description="Makes and tries a release in dist/.",
        epilog="example: scripts/release 0.2.0",
    )
    parser.add_argument("version", metavar="VERSION", help="three numbers, such as 0.2.0; docs/versions.md says which")
    parser.add_argument("--commit", action="store_true", help="also commit the version and tag it, here; never pushes")
    parser.add_argument("--dry-run", action="store_true", help="change nothing here but dist/, as without --commit")
    parser.add_argument("--without-image", action="store_true", help="leave the image out")
    args = parser.parse_args(argv)
    if args.commit and args.dry_run:
        parser.error("--commit and --dry-run exclude each other")
    try:
        release(args.version, commit=args.commit, without_image=args.without_image)
    except ReleaseError as error:
        print(f"scripts/release: {error}", file=sys.stderr)
        return 1
    return 0


def release(version: str, *, commit: bool, without_image: bool) -> None:
    """Raises ReleaseError; then dist/ and the tree are as they were, but for a failure of git itself at the end."""
    texts.version_of(version)
    _check_tree(version)
    with tempfile.TemporaryDirectory(prefix="streamhooks-release-") as folder:
        copy, out = Path(folder, "copy"), Path(folder, "dist")
        out.mkdir()
        _git("clone", "--quiet", ROOT, copy)
        _write_texts(copy, version)
        left_out = _make(copy, out, version, without_image=without_image)
        if commit:
            _commit(copy, version)
        shutil.rmtree(ROOT / "dist", ignore_errors=True)
        shutil.move(out, ROOT / "dist")
    for what, why in left_out.items():
        print(f"\nLEFT OUT: the {what}. {why[0].upper()}{why[1:]}.")
    print(f"\ndist/ holds {', '.join(sorted(path.name for path in (ROOT / 'dist').iterdir()))}")
    if commit:
        print(f"committed and tagged v{version}, here only; yours to do: git push --follow-tags, and to upload dist/")
    else:
        print("nothing else was changed; --commit commits the version and tags it")


def _check_tree(version: str) -> None:
    texts.newer(version, _git("tag", "--list", "v*").split())
    changed = _git("status", "--porcelain").splitlines()
    if changed:
        raise ReleaseError(
            f"the tree is not clean ({len(changed)} files)", "commit them, or git stash --include-untracked"
        )


def _write_texts(copy: Path, version: str) -> None:
    day = datetime.now(UTC).date().isoformat()
    for name in texts.PLACES:
        path = copy / name
        path.write_text(texts.with_version(name, path.read_text(), version))
    changelog = copy / texts.CHANGELOG
    changelog.write_text(texts.released(changelog.read_text(), version, day))


def _make(copy: Path, out: Path, version: str, *, without_image: bool) -> dict[str, str]:
    """Every step; what was left out, and why."""
    left_out = {}
    with _Step("sdist and wheel, checked by twine"):
        wheel = steps.archives(ROOT, copy, out)
    with _Step("the wheel in a clean environment: --version, check, a delivery"):
        steps.tried(copy, wheel, version)
    with _Step("the image"):
        left_out["image"] = "--without-image was given" if without_image else steps.image(copy, version)
    with _Step("the chart"):
        left_out["chart"] = steps.chart(ROOT, copy, out)
    with _Step("notes, bill of materials, checksums"):
        (out / "NOTES.md").write_text(texts.notes((copy / texts.CHANGELOG).read_text(), f"## {version} ") + "\n")
        steps.bill(copy, out, version)
        steps.sums(out)
    return {what: why for what, why in left_out.items() if why}


def _commit(copy: Path, version: str) -> None:
    for name in CHANGED:
        shutil.copyfile(copy / name, ROOT / name)
    try:
        _git("commit", "--quiet", "--message", f"Release {version}", "--", *CHANGED)
    except ReleaseError:
        _git("restore", "--staged", "--worktree", "--", *CHANGED)
        raise
    _git("tag", "--annotate", f"v{version}", "--message", f"streamhooks {version}")


def _git(*words: steps.Word) -> str:
    return steps.ran(["git", *words], "see what git says", at=ROOT)


class _Step:
    """Says what is being done, and how long it took."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()
        print(f"{self._what} ...", end=" ", flush=True)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        print("failed" if kind else f"{time.monotonic() - self._began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
