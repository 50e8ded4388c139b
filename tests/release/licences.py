"""docs/licences.md: every package that is installed with streamhooks, and its licence; `scripts/licences` writes it.

The names are those of the lock files, what is said of each is pip-licenses' answer. Versions are left out: they stand
in the lock files, and the page is not to change with every patch.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/licences.md"
LOCKS = ("run", "image")
WHEN = {
    ("run", "image"): "always",
    ("run",): "by the extra `embedded`",
    ("image",): "by the extras `ed25519` or `otel`, and in the image",
}
"""When a package is installed, by the lock files that have it."""
FREE = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"})
"""What asks for nothing but to be named, and of MPL-2.0 to give its own files with their changes."""
SPELLED = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""The words of older packages, which name no SPDX identifier."""
HEAD = """# Licences

streamhooks is under the [Apache License 2.0](../LICENSE). It is installed with these packages, each under a licence of
its own; a semicolon stands between two that a package names without saying how they go together. Their versions and
hashes stand in `requirements/run.txt` and `requirements/image.txt`; `scripts/release` writes them into the bill of
materials of a release, in CycloneDX form.

`scripts/licences` writes this page.

| package | licence | installed |
|---|---|---|
"""


def locked() -> dict[str, tuple[str, ...]]:
    """The packages of the lock files by name, each with the locks that have it."""
    found: dict[str, tuple[str, ...]] = {}
    for lock in LOCKS:
        for name in sorted(
            set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / f"requirements/{lock}.txt").read_text(), re.MULTILINE))
        ):
            found[name] = (*found.get(name, ()), lock)
    return dict(sorted(found.items()))


def told(names: list[str]) -> dict[str, str]:
    """The licences of those that are installed here, as SPDX expressions where they can be."""
    program = Path(sys.executable).with_name("pip-licenses")
    ask = ("--from=mixed", "--format=json", "--packages", *names)
    answer = subprocess.run([program, *ask], capture_output=True, text=True, check=True).stdout
    return {_plain(one["Name"]): _spelled(one["License"]) for one in json.loads(answer)}


def _spelled(said: str) -> str:
    return "; ".join(SPELLED.get(one, one) for one in said.split("; "))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def rows(text: str) -> dict[str, str]:
    """The licences that a page has, by package."""
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ", text, re.MULTILINE))


def page(locks: Mapping[str, tuple[str, ...]], licences: Mapping[str, str]) -> str:
    lines = (f"| `{name}` | {licences[name]} | {WHEN[has]} |\n" for name, has in locks.items())
    return HEAD + "".join(lines)


def main() -> None:
    """Those that this machine has no use for keep what the page says of them."""
    known = rows(PAGE.read_text()) if PAGE.exists() else {}
    names = locked()
    PAGE.write_text(page(names, dict.fromkeys(names, "unknown") | known | told(list(names))))


if __name__ == "__main__":
    main()
