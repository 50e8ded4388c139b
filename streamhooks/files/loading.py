"""The configuration as it lies on disk and in the environment: found, read, and put together.

The only place of the configuration that touches anything outside. It reads everything once, keeps a list of what it
read so that changes can be watched for, and reports every fault of every file in one ConfigError.

Files behind references are read by themselves, too: a secret is exchanged while a configuration that somebody is still
writing, or that waits for a restart, stays as it was read.
"""

from collections.abc import Iterable, Mapping, Sequence
from glob import has_magic
from os.path import isdir, isfile
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from streamhooks.connecting.address import fault_of
from streamhooks.delivery.headers import MAX_CONFIGURED, line_length, name_fault, value_fault
from streamhooks.delivery.signing import secret_fault, text_fault
from streamhooks.delivery.targets import OPEN_BY_DEFAULTS, OPEN_BY_HANDLER, check_target
from streamhooks.errors import ConfigError, Fault
from streamhooks.files.disk import Disk, Held
from streamhooks.handlers.build import Builder, TemplateSource
from streamhooks.handlers.handler import Handler
from streamhooks.handlers.own import read_handler
from streamhooks.handlers.refusals import Refusals
from streamhooks.handlers.seed import read_event_handlers
from streamhooks.handlers.tyk import TykHandler, read_tyk
from streamhooks.handlers.tyk_conf import is_conf
from streamhooks.handlers.tyk_hooks import Document
from streamhooks.secret import Secret
from streamhooks.settings import Settings, Tyk
from streamhooks.settings.documents import parse
from streamhooks.settings.environment import LISTS, overrides
from streamhooks.settings.policy import inner
from streamhooks.settings.reading import Given, Known, Place, Reader, joined, made
from streamhooks.settings.references import UnresolvedError
from streamhooks.settings.together import doubtful, impossible

DEFAULT_SEARCH = (Path("streamhooks.yaml"), Path("/etc/streamhooks"))
"""Where a configuration is looked for when none is named; the first that exists is taken."""
ENDINGS = (".yaml", ".yml", ".json", ".toml")
ADMIN_TOKEN = "STREAMHOOKS_ADMIN_TOKEN"  # noqa: S105 -- the name of a variable, not a token  # nosec B105
"""What `admin.token` refers to when the configuration does not say; not set: no token."""

_HERE = Path(__file__).resolve().parent.parent
SHIPPED = _HERE / "_templates" if (_HERE / "_templates").is_dir() else _HERE.parent / "templates"
"""The templates that come with streamhooks: inside a wheel, else at the top of the repository."""


def _refusals(opened: tuple[str, ...], way_out: str = OPEN_BY_HANDLER) -> Refusals:
    def target_fault(host: str, allow_cidrs: tuple[str, ...]) -> str:
        return check_target(host, (*allow_cidrs, *opened), way_out)

    return Refusals(name_fault, value_fault, secret_fault, text_fault, target_fault, line_length, MAX_CONFIGURED)


class Loaded(Struct, frozen=True):
    """A configuration without faults."""

    settings: Settings
    handlers: tuple[Handler, ...]
    warnings: tuple[Fault, ...]
    sources: tuple[Path, ...]
    """Every file of the configuration and of its templates, in order; for watching. Of a glob also the folder, whose
    time changes with its files."""
    secrets: tuple[Path, ...]
    """Every file behind a reference, certificates among them; for watching."""
    held: Held
    given: frozenset[str]
    """The settings that somebody gave, as key paths (`admin.listen`); all others have their defaults."""
    tyk: tuple[TykHandler, ...] = ()
    """Those of `handlers` that come from Tyk's own files, with what the files say."""


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
    opened: tuple[str, ...] = (),
    held: Held | None = None,
) -> Loaded:
    """The configuration of these files and folders, or of the first of `search` that exists.

    `opened` are ranges that every handler may reach besides its own `allow_cidrs`: `dev` opens loopback. With `held`
    of an earlier load everything is as it was then, but for the files behind references.
    Raises ConfigError with all faults.
    """
    disk = Disk(environ, shipped, held)
    faults: list[Fault] = []
    disk.held.files = held.files if held else _files(paths or _found(search), faults)
    documents = [document for path in disk.held.files if (document := _document(path, disk, faults)) is not None]
    return _assembled(documents, environ, disk, faults, opened)


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
    return _assembled([_Document(name, str(base.absolute()), data)], environ, Disk(environ, shipped), [])


class TykFiles(Struct, frozen=True):
    """Tyk's own files, without a configuration around them."""

    handlers: tuple[TykHandler, ...]
    warnings: tuple[Fault, ...]
    templates: Mapping[tuple[str, str], str]
    """Where each template was found, by `template_path` and the folder of the file that names it."""


def load_tyk(paths: Sequence[Path], compat: str = "", *, shipped: Path = SHIPPED) -> TykFiles:
    """Tyk's files and folders of them, told apart by what they hold; private targets are as good as others.

    Raises ConfigError with all faults.
    """
    faults: list[Fault] = []
    warnings: list[Fault] = []
    templates: dict[tuple[str, str], str] = {}
    disk = Disk({}, shipped)
    disk.templates = str(Path().absolute())

    def find(name: str, base: str) -> TemplateSource:
        source = disk.tyk_template(name, base)
        templates[name, base] = source.path
        return source

    refusals = Refusals(
        name_fault, value_fault, secret_fault, text_fault, lambda _host, _cidrs: "", line_length, MAX_CONFIGURED
    )
    inside = [path for given in paths for path in ([given] if not isdir(given) else sorted(given.iterdir()))]
    files = [path for path in inside if path in paths or (isfile(path) and path.suffix in (".json", ".conf"))]
    read = [_tyk_document(path, disk, faults, warnings) for path in dict.fromkeys(files)]
    documents = [document for document in read if document is not None]
    confs = [document for document in documents if is_conf(document.data)]
    faults += [
        other.place.fault(f"is a second tyk.conf beside {confs[0].place.file}; name one of them") for other in confs[1:]
    ]
    if confs:
        disk.tyk_home = confs[0].reader.base
    builder = Builder({}, find, refusals, faults, warnings)
    definitions = [document for document in documents if document not in confs]
    handlers = read_tyk(confs[0] if confs else None, definitions, compat, builder)
    if faults:
        raise ConfigError(list(dict.fromkeys(faults)))
    return TykFiles(tuple(handlers), tuple(dict.fromkeys(warnings)), templates)


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
        elif not path.exists():
            faults.append(Fault(str(path), "", "is not there; name another, or write one by streamhooks init"))
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


def _document(path: Path, disk: Disk, faults: list[Fault]) -> _Document | None:
    name = str(path)
    try:
        text = disk.document(path)
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


def _tyk_document(path: Path, disk: Disk, faults: list[Fault], warnings: list[Fault]) -> Document | None:
    name = str(path)
    found: list[Fault] = []
    data = None
    try:
        data = parse(disk.document(path), name, found)
    except UnresolvedError as error:
        found.append(Fault(name, "", str(error).removeprefix(f"{path} ")))
    if found and data is None:
        faults += found
        return None
    # What was read all the same holds keys twice, which Go lets pass: the file is not ours to be strict with.
    warnings += [Fault(twice.file, twice.path, "is given twice: Tyk takes the last, and so do we") for twice in found]
    reader = Reader(faults, warnings, str(path.absolute().parent), disk.reference).without_references()
    return Document(data, Place(name), reader)


def _tyk_handlers(tyk: Tyk, known: Known, disk: Disk, builder: Builder, opened: tuple[str, ...]) -> list[TykHandler]:
    """The handlers of Tyk's own files, each of which is read even where another is broken."""
    faults, warnings = builder.faults, builder.warnings
    conf = _tyk_document(Path(tyk.config), disk, faults, warnings) if tyk.config else None
    disk.tyk_home = str(Path(tyk.config).absolute().parent) if tyk.config else ""
    pattern = str(Path(tyk.apis, "*.json")) if isdir(tyk.apis) else tyk.apis
    paths = disk.matching(pattern)
    if pattern:
        disk.watch(_watched(pattern))
        if not paths:
            warnings.append(known[("tyk", "apis")].place.fault(f"matches no file: {pattern}"))
    read = [_tyk_document(Path(path), disk, faults, warnings) for path in paths]
    definitions = [document for document in read if document is not None]
    builder = builder.finding(disk.tyk_template, _refusals(opened, OPEN_BY_DEFAULTS))
    return read_tyk(conf, definitions, tyk.compat, builder)


def _watched(pattern: str) -> Path:
    """The folder whose time tells that a file was added: the last one that the pattern names outright."""
    folder = Path(pattern).absolute().parent
    while has_magic(str(folder)):
        folder = folder.parent
    return folder


def _assembled(
    documents: Sequence[_Document],
    environ: Mapping[str, str],
    disk: Disk,
    faults: list[Fault],
    opened: tuple[str, ...] = (),
) -> Loaded:
    warnings: list[Fault] = []
    readers = [(document, Reader(faults, warnings, document.base, disk.reference)) for document in documents]
    sections = [reader.section(Settings, doc.data, Place(doc.name), extra=LISTS) for doc, reader in readers]
    known = joined(sections, faults)
    base = documents[0].base if documents else ""
    known.update(overrides(environ, Reader(faults, warnings, base, disk.reference)))
    _add_admin_token(known, environ)
    settings = made(Settings, known)
    faults += impossible(known, settings)
    if said := fault_of(settings.redis.url):
        faults.append(known[("redis", "url")].place.fault(said))
    warnings += doubtful(known, settings)
    disk.templates = str(Path(base, settings.templates.path))
    builder = Builder(inner(known, "defaults"), disk.template, _refusals(opened), faults, warnings)
    handlers: list[Handler] = []
    for document, reader in readers:
        handlers += _handlers(document, reader, builder)
    tyk = _tyk_handlers(settings.tyk, known, disk, builder, opened)
    handlers += [found.handler for found in tyk]
    if faults:
        raise ConfigError(list(dict.fromkeys(faults)))
    if not handlers:
        warnings.append(Fault("configuration", "handlers", "there is none: every event will count as unmatched"))
    given = frozenset(".".join(path) for path in known)
    handlers = [_opened(handler, opened) for handler in handlers]
    told = tuple(dict.fromkeys(warnings))
    held = disk.held
    sources = tuple(path for path in held.stamps if path not in held.secrets or path in held.texts)
    return Loaded(settings, tuple(handlers), told, sources, tuple(held.secrets), held, given, tuple(tyk))


def _opened(handler: Handler, ranges: tuple[str, ...]) -> Handler:
    route = replace(handler.route, allow_cidrs=(*handler.route.allow_cidrs, *ranges))
    return replace(handler, route=route) if ranges else handler


def _add_admin_token(known: Known, environ: Mapping[str, str]) -> None:
    path = ("admin", "token")
    if path not in known and environ.get(ADMIN_TOKEN):
        known[path] = Given(Secret(environ[ADMIN_TOKEN]), Place("environment", ADMIN_TOKEN))


def _handlers(document: _Document, reader: Reader, builder: Builder) -> list[Handler]:
    at = Place(document.name)
    handlers = []
    for data, place in reader.items(document.data.get("handlers"), at.key("handlers")):
        handler = read_handler(data, place, reader, builder)
        if handler is not None:
            handlers.append(handler)
    seeds = document.data.get("event_handlers")
    return handlers + read_event_handlers(seeds, at.key("event_handlers"), reader, builder)
