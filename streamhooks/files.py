"""The configuration as it lies on disk and in the environment: found, read, and put together.

The only place of the configuration that touches anything outside. It reads everything once, keeps a list of what it
read so that changes can be watched for, and reports every fault of every file in one ConfigError.
"""

from collections.abc import Iterable, Mapping, Sequence
from os.path import isdir, isfile
from pathlib import Path
from typing import Any

from msgspec import Struct

from streamhooks.delivery.headers import MAX_TOTAL, name_fault, value_fault
from streamhooks.delivery.signing import secret_fault
from streamhooks.delivery.targets import check_target
from streamhooks.errors import ConfigError, Fault
from streamhooks.handlers.build import Builder, TemplateSource
from streamhooks.handlers.handler import Handler
from streamhooks.handlers.own import read_handler
from streamhooks.handlers.refusals import Refusals
from streamhooks.handlers.seed import read_event_handlers
from streamhooks.settings import Settings
from streamhooks.settings.documents import MAX_BYTES, parse
from streamhooks.settings.environment import LISTS, overrides
from streamhooks.settings.policy import contradictions, inner
from streamhooks.settings.reading import Given, Known, Place, Reader, joined, made
from streamhooks.settings.references import UnresolvedError, environment_name
from streamhooks.settings.rules import RefusedError

DEFAULT_SEARCH = (Path("streamhooks.yaml"), Path("/etc/streamhooks"))
"""Where a configuration is looked for when none is named; the first that exists is taken."""
ENDINGS = (".yaml", ".yml", ".json", ".toml")
ADMIN_TOKEN = "STREAMHOOKS_ADMIN_TOKEN"  # noqa: S105 -- the name of a variable, not a token
"""What `admin.token` refers to when the configuration does not say; not set: no token."""

_HERE = Path(__file__).resolve().parent
SHIPPED = _HERE / "_templates" if (_HERE / "_templates").is_dir() else _HERE.parent / "templates"
"""The templates that come with streamhooks: inside a wheel, else at the top of the repository."""


_REFUSALS = Refusals(name_fault, value_fault, secret_fault, check_target, MAX_TOTAL)


class Loaded(Struct, frozen=True):
    """A configuration without faults."""

    settings: Settings
    handlers: tuple[Handler, ...]
    warnings: tuple[Fault, ...]
    sources: tuple[Path, ...]
    """Every file that was read, in order: configuration, templates, secrets, certificates; for watching."""
    given: frozenset[str]
    """The settings that somebody gave, as key paths (`admin.listen`); all others have their defaults."""


class _Document(Struct, frozen=True):
    name: str
    base: str
    data: Mapping[Any, Any]


def load(
    paths: Sequence[Path] | None,
    environ: Mapping[str, str],
    *,
    search: Sequence[Path] = DEFAULT_SEARCH,
    shipped: Path = SHIPPED,
) -> Loaded:
    """The configuration of these files and folders, or of the first of `search` that exists.

    Raises ConfigError with all faults.
    """
    disk = _Disk(environ, shipped)
    faults: list[Fault] = []
    documents = [
        document
        for path in _files(paths or _found(search), faults)
        if (document := _document(path, disk, faults)) is not None
    ]
    return _assembled(documents, environ, disk, faults)


def load_mapping(
    data: Mapping[str, Any],
    base: Path,
    environ: Mapping[str, str] | None = None,
    *,
    name: str = "configuration",
    shipped: Path = SHIPPED,
) -> Loaded:
    """The same of a configuration that is values already; `base` is what its paths are relative to.

    Raises ConfigError with all faults.
    """
    environ = environ or {}
    return _assembled([_Document(name, str(base.absolute()), data)], environ, _Disk(environ, shipped), [])


class _Disk:
    """Reads files and the environment, and remembers which files."""

    def __init__(self, environ: Mapping[str, str], shipped: Path) -> None:
        self.sources: dict[Path, None] = {}
        self.templates = ""
        self._environ = environ
        self._shipped = shipped

    def text(self, path: Path, limit: int = MAX_BYTES) -> str:
        """Raises UnresolvedError."""
        self.sources[path.absolute()] = None
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

    def reference(self, reference: str) -> str:
        """What env://NAME or file:///path names. Raises UnresolvedError."""
        name = environment_name(reference)
        if name is None:
            return self.text(Path(reference.removeprefix("file://")))
        if name not in self._environ:
            raise UnresolvedError(f"{reference} names a variable that is not set")
        return self._environ[name]

    def template(self, name: str, base: str) -> TemplateSource:
        """As it stands, in templates.path, then by its last part among the shipped. Raises RefusedError."""
        places = (Path(base, name), Path(self.templates, name), self._shipped / Path(name).name)
        for path in dict.fromkeys(places):
            if isfile(path):
                try:
                    return TemplateSource(str(path), self.text(path))
                except UnresolvedError as error:
                    raise RefusedError(str(error)) from None
        tried = ", ".join(str(path) for path in dict.fromkeys(places))
        raise RefusedError(f'"{name}" was not found; looked for {tried}')


def _found(search: Sequence[Path]) -> Sequence[Path]:
    for path in search:
        if path.exists():
            return [path]
    named = " nor ".join(str(path) for path in search)
    said = f"there is neither {named}; name a file by --config, or write one by streamhooks init"
    raise ConfigError([Fault("configuration", "", said)])


def _files(paths: Iterable[Path], faults: list[Fault]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if isdir(path):
            files.extend(_inside(path, faults))
        elif path.suffix.lower() not in ENDINGS:
            faults.append(Fault(str(path), "", f"must end in {', '.join(ENDINGS)}, which says how to read it"))
        else:
            files.append(path)
    return list(dict.fromkeys(files))


def _inside(folder: Path, faults: list[Fault]) -> list[Path]:
    """The configuration files of a folder by name, none below it; hidden ones are Kubernetes' and editors' own."""
    try:
        names = sorted(folder.iterdir())
    except OSError as error:
        faults.append(Fault(str(folder), "", f"cannot be read: {error.strerror}"))
        return []
    files = [path for path in names if path.suffix.lower() in ENDINGS and path.name[0] != "." and isfile(path)]
    if not files:
        faults.append(Fault(str(folder), "", f"holds no file that ends in {', '.join(ENDINGS)}"))
    return files


def _document(path: Path, disk: _Disk, faults: list[Fault]) -> _Document | None:
    name = str(path)
    try:
        text = disk.text(path).removeprefix("\ufeff")
    except UnresolvedError as error:
        faults.append(Fault(name, "", str(error).removeprefix(f"{path} ")))
        return None
    before = len(faults)
    data = parse(text, name, faults)
    if not isinstance(data, Mapping):
        if len(faults) == before:
            faults.append(Fault(name, "", "must be a section of keys and values"))
        return None
    return _Document(name, str(path.absolute().parent), data)


def _assembled(documents: Sequence[_Document], environ: Mapping[str, str], disk: _Disk, faults: list[Fault]) -> Loaded:
    warnings: list[Fault] = []
    readers = [(document, Reader(faults, warnings, document.base, disk.reference)) for document in documents]
    sections = [reader.section(Settings, doc.data, Place(doc.name), extra=LISTS) for doc, reader in readers]
    known = joined(sections, faults)
    base = documents[0].base if documents else ""
    known.update(overrides(environ, Reader(faults, warnings, base, disk.reference)))
    _add_admin_token(known, environ)
    settings = made(Settings, known)
    _check_defaults(known, settings, faults)
    disk.templates = str(Path(base, settings.templates.path))
    builder = Builder(inner(known, "defaults"), disk.template, _REFUSALS, faults, warnings)
    handlers: list[Handler] = []
    for document, reader in readers:
        handlers += _handlers(document, reader, builder)
    if faults:
        raise ConfigError(list(dict.fromkeys(faults)))
    warnings.extend(
        known[path].place.fault("Tyk's own files are not read; paste the definitions under event_handlers")
        for path in (("tyk", "config"), ("tyk", "apis"))
        if path in known and known[path].value
    )
    if not handlers:
        warnings.append(Fault("configuration", "handlers", "there is none: every event will count as unmatched"))
    given = frozenset(".".join(path) for path in known)
    return Loaded(settings, tuple(handlers), tuple(dict.fromkeys(warnings)), tuple(disk.sources), given)


def _add_admin_token(known: Known, environ: Mapping[str, str]) -> None:
    path = ("admin", "token")
    if path not in known and environ.get(ADMIN_TOKEN):
        known[path] = Given(environ[ADMIN_TOKEN], Place("environment", ADMIN_TOKEN))


def _check_defaults(known: Known, settings: Settings, faults: list[Fault]) -> None:
    policy = inner(known, "defaults")
    for path, message in contradictions(policy, settings.defaults):
        section = path.partition(".")[0]
        said = {".".join(key): given.place for key, given in policy.items() if key[0] == section}
        place = said.get(path) or Place(next(iter(said.values())).file, f"defaults.{path}")
        faults.append(place.fault(message))


def _handlers(document: _Document, reader: Reader, builder: Builder) -> list[Handler]:
    at = Place(document.name)
    handlers = []
    for data, place in reader.items(document.data.get("handlers"), at.key("handlers")):
        handler = read_handler(data, place, reader, builder)
        if handler is not None:
            handlers.append(handler)
    seeds = document.data.get("event_handlers")
    return handlers + read_event_handlers(seeds, at.key("event_handlers"), reader, builder)
