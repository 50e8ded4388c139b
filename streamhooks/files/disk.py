"""The disk and the environment, as one reading of a configuration sees them.

What was read is kept, so that the files behind references can be read once more with all else as it was.
"""

from collections.abc import Mapping
from glob import glob
from os.path import isfile
from pathlib import Path
from typing import TypeAlias

from streamhooks.handlers.build import TemplateSource
from streamhooks.secret import Secret
from streamhooks.settings.documents import MAX_BYTES
from streamhooks.settings.references import UnresolvedError, environment_name
from streamhooks.settings.rules import RefusedError

Stamp: TypeAlias = tuple[int, ...] | None


def stamp(path: Path) -> Stamp:
    """What tells that a file has changed: its time, size and number, for a mounted volume swaps whole files."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Held:
    """What was read, by its path: with it, `load` reads nothing anew but the files behind references."""

    __slots__ = ("files", "globs", "secrets", "stamps", "texts")

    def __init__(self) -> None:
        self.files: list[Path] = []
        """The files of the configuration."""
        self.globs: dict[str, list[str]] = {}
        self.texts: dict[Path, str] = {}
        """Configuration and templates."""
        self.secrets: dict[Path, Secret] = {}
        """What references lead to."""
        self.stamps: dict[Path, Stamp] = {}
        """Of every file that was looked at, before it was read."""


class Disk:
    """Reads files and the environment, and keeps what it read; with `before` only what is referred to is read again."""

    def __init__(self, environ: Mapping[str, str], shipped: Path, before: Held | None = None) -> None:
        self.held = Held()
        self._before = before
        self.templates = ""
        self.tyk_home = ""
        """The folder of tyk.conf; empty where none is named."""
        self._documents: set[Path] = set()
        self._environ = environ
        self._shipped = shipped

    def text(self, path: Path) -> str:
        """A file of the configuration, or a template. Raises UnresolvedError."""
        where = path.absolute()
        before = self._before
        self.watch(where)
        self.held.texts[where] = before.texts[where] if before and where in before.texts else self._read(path)
        return self.held.texts[where]

    def watch(self, path: Path) -> None:
        before = self._before
        self.held.stamps[path] = before.stamps[path] if before and path in before.stamps else stamp(path)

    def is_there(self, path: Path) -> bool:
        return path.absolute() in self._before.texts if self._before else isfile(path)

    def matching(self, pattern: str) -> list[str]:
        """The files that a glob names."""
        found = self._before.globs.get(pattern, []) if self._before else sorted(filter(isfile, glob(pattern)))
        self.held.globs[pattern] = found
        return found

    def _read(self, path: Path, limit: int = MAX_BYTES) -> str:
        try:
            with path.open("rb") as file:
                raw = file.read(limit + 1)
        except OSError as error:
            raise UnresolvedError(f"{path} cannot be read: {error.strerror}") from None
        if len(raw) > limit:
            raise UnresolvedError(f"{path} is larger than {limit} bytes")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnresolvedError(f"{path} is not UTF-8 at byte {error.start}") from None

    def document(self, path: Path) -> str:
        """A file that is configuration, and so never a template of somebody else's. Raises UnresolvedError."""
        self._documents.add(path.resolve())
        return self.text(path).removeprefix("\ufeff")

    def reference(self, reference: str) -> str:
        """What env://NAME or file:///path names. Raises UnresolvedError."""
        name = environment_name(reference)
        if name is None:
            return self._secret(Path(reference.removeprefix("file://")))
        if name not in self._environ:
            raise UnresolvedError(f"{reference} names a variable that is not set")
        return self._environ[name]

    def _secret(self, path: Path) -> str:
        """Raises UnresolvedError."""
        where = path.absolute()
        if where not in self.held.secrets:  # two references to one file get one text
            self.held.stamps[where] = stamp(where)
            self.held.secrets[where] = Secret("")  # one that cannot be read is watched, too
            self.held.secrets[where] = Secret(self._read(path))
        return self.held.secrets[where].reveal()

    def template(self, name: str, base: str) -> TemplateSource:
        """As it stands, in templates.path, then by its last part among the shipped. Raises RefusedError."""
        return self._found(name, (Path(base, name), Path(self.templates, name)))

    def tyk_template(self, name: str, base: str) -> TemplateSource:
        """The same for one of Tyk's files, whose paths are relative to the gateway's folder. Raises RefusedError.

        That is the folder of tyk.conf, or else the one above the definitions. Nothing outside of it and of the
        configured folders is read: who may edit an API definition may not send out the files of the worker.
        """
        above = Path(base).parent
        home = Path(self.tyk_home) if self.tyk_home else above if above != above.parent else Path(base)
        folders = (home, Path(base), Path(self.templates))
        found = self._found(name, tuple(folder / name for folder in folders))
        path = Path(found.path).resolve()
        inside = any(path.is_relative_to(folder.resolve()) for folder in (*folders, self._shipped))
        secret = path.name.startswith(".") or path in self._documents or "PRIVATE KEY-----" in found.text
        if not inside or secret:
            raise RefusedError(f'"{name}" is no template that Tyk\'s files may name; put it into {self.templates}')
        return found

    def _found(self, name: str, places: tuple[Path, ...]) -> TemplateSource:
        tried = dict.fromkeys((*places, self._shipped / Path(name).name))
        for path in tried:
            if self.is_there(path):
                try:
                    return TemplateSource(str(path), self.text(path))
                except UnresolvedError as error:
                    raise RefusedError(str(error)) from None
        raise RefusedError(f'"{name}" was not found; looked for {", ".join(map(str, tried))}')
