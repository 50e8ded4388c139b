"""From what a file says to what the program uses, without stopping at the first fault.

One walk over the keys of a file against the structs of model.py: every key is checked by itself, each fault is noted
with its place, and what was good is kept as a flat map of key path -> value, so that several files and the environment
can be laid over one another before a struct is made. msgspec's own convert ends at the first fault, and a person with
five of them wants to read five lines.
"""

import difflib
import functools
import json
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePath
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from msgspec import Struct

from streamhooks.errors import Fault
from streamhooks.secret import Secret
from streamhooks.settings.references import Read, UnresolvedError, file_path, is_reference, resolved
from streamhooks.settings.rules import Leaf, Many, RefusedError, Table

_UNSOUND = re.compile("[\x00\ud800-\udfff]")
"""What JSON and YAML can spell and neither UTF-8 nor a path can hold."""

_REFERRING = frozenset({"secret", "header", "pem"})
"""Kinds of values that may be references, and are never shown."""

Rule: TypeAlias = Leaf | Many | Table | type[Struct]
Section = TypeVar("Section", bound=Struct)


class Place(Struct, frozen=True):
    """Where something stands: a file and the path of keys in it."""

    file: str
    path: str = ""

    def key(self, name: str) -> "Place":
        shown_name = name if name.isprintable() else json.dumps(name)  # a line break in a key forges no second fault
        return Place(self.file, f"{self.path}.{shown_name}" if self.path else shown_name)

    def item(self, index: int) -> "Place":
        return Place(self.file, f"{self.path}[{index}]")

    def fault(self, message: str) -> Fault:
        return Fault(self.file, self.path, message)

    def __str__(self) -> str:
        return f"{self.file}: {self.path}"


class Given(Struct, frozen=True):
    """A checked value and the place that said it."""

    value: Any
    place: Place


Known: TypeAlias = dict[tuple[str, ...], Given]
"""Checked values by their path of keys."""


class Reader:
    """Checks the values of one file and notes its faults and warnings.

    `base` is the folder of the file, for paths in it; `read` gives what a reference names. A reader that does not
    `follow` leaves references as they are and warns of a value that looks like one.
    """

    def __init__(self, faults: list[Fault], warnings: list[Fault], base: str, read: Read, follow: bool = True) -> None:
        self.faults = faults
        self.warnings = warnings
        self.base = base
        self._read = read
        self._follow = follow

    def without_references(self) -> "Reader":
        return Reader(self.faults, self.warnings, self.base, self._read, follow=False)

    def section(self, kind: type[Struct], data: object, place: Place, extra: Collection[str] = ()) -> Known:
        """The good values of one section. Keys named in `extra` are known, and somebody else's to read."""
        known: Known = {}
        self._section(kind, data, place, (), known, extra)
        return known

    def mapping(self, data: object, place: Place) -> Mapping[Any, Any]:
        """The data, or an empty map and a fault where it is none. Nothing (`key:` alone) is an empty one."""
        if data is None:
            return {}
        if isinstance(data, Mapping):
            return data
        self.faults.append(place.fault(f"is {shown(data)}; must be a section of keys and values"))
        return {}

    def items(self, data: object, place: Place) -> list[tuple[Any, Place]]:
        """The members of a list with their places; a fault where it is none."""
        if data is None:
            return []
        if isinstance(data, list | tuple):
            return [(item, place.item(index)) for index, item in enumerate(data)]
        self.faults.append(place.fault(f"is {shown(data)}; must be a list, such as [a, b]"))
        return []

    def value(self, rule: Rule, data: object, place: Place, path: tuple[str, ...], known: Known) -> None:
        """Check one value against its rule and keep what is good of it under `path`."""
        if data is None:
            return
        if isinstance(rule, type):
            self._section(rule, data, place, path, known, ())
            return
        faults_before = len(self.faults)
        if isinstance(rule, Leaf):
            made: Any = self._leaf(rule, data, place)
        elif isinstance(rule, Many):
            made = tuple(self._leaf(rule.item, item, at) for item, at in self.items(data, place))
        else:
            read = {key: self._leaf(rule.item, item, place.key(str(key))) for key, item in self._named(data, place)}
            made = {k: Secret(v) if isinstance(v, str) and rule.hides(k, v) else v for k, v in read.items()}
        if len(self.faults) == faults_before:
            known[path] = Given(made, place)

    def _section(
        self,
        kind: type[Struct],
        data: object,
        place: Place,
        path: tuple[str, ...],
        known: Known,
        extra: Collection[str],
    ) -> None:
        rules = rules_of(kind)
        for key, value in self.mapping(data, place).items():
            if key in extra:
                continue
            if key not in rules:
                self.faults.append(place.key(str(key)).fault(unknown(key, [*rules, *extra])))
                continue
            self.value(rules[key], value, place.key(key), (*path, key), known)

    def _named(self, data: object, place: Place) -> Iterable[tuple[str, object]]:
        for key, value in self.mapping(data, place).items():
            if isinstance(key, str):
                yield key, value
            else:
                self.faults.append(place.key(str(key)).fault('the key must be a text; put it in quotes ("...")'))

    def _leaf(self, rule: Leaf, data: object, place: Place) -> Any:
        try:
            given = self._followed(rule, data, place)
            value = self._placed(rule, rule.check(given))
        except UnresolvedError as failure:
            self.faults.append(place.fault(str(failure)))
        except RefusedError as refusal:
            self.faults.append(place.fault(str(refusal) if rule.kind in _REFERRING else f"is {shown(data)}; {refusal}"))
        else:
            secret = rule.kind == "secret" or (rule.kind == "header" and given is not data)
            return Secret(value) if secret else value
        return None

    def _followed(self, rule: Leaf, data: object, place: Place) -> object:
        if isinstance(data, str) and _UNSOUND.search(data):
            raise UnresolvedError("must not hold a NUL character or half of a surrogate pair")
        if rule.kind not in _REFERRING or not isinstance(data, str) or not is_reference(data):
            return data
        if not self._follow:
            note = "looks like a reference, but none are followed in Tyk's own form; use the form under handlers"
            self.warnings.append(place.fault(note))
            return data
        path = file_path(data)
        # A TLS file is opened by its path whenever it is needed, so that a renewed certificate is found there.
        return path if rule.kind == "pem" and path else resolved(data, self._read)

    def _placed(self, rule: Leaf, value: Any) -> Any:
        if rule.kind not in {"path", "pem"} or not value:
            return value
        if rule.kind == "pem" and value.startswith("-----BEGIN "):
            return Secret(value)
        path = str(PurePath(self.base) / value)
        if rule.kind == "pem" and "-----BEGIN " not in self._read(f"file://{path}"):
            raise RefusedError("must be PEM, which has a line such as -----BEGIN CERTIFICATE-----")
        return path


@functools.cache
def rules_of(kind: type[Struct]) -> dict[str, Rule]:
    """The rule of each field: the one in its annotation, or the struct that it is."""
    rules: dict[str, Rule] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        rules[name] = get_args(hint)[1] if get_origin(hint) is Annotated else hint
    return rules


def made(kind: type[Section], known: Known, path: tuple[str, ...] = ()) -> Section:
    """The struct, with its defaults wherever nothing is known."""
    values: dict[str, Any] = {}
    for name, rule in rules_of(kind).items():
        here = (*path, name)
        if isinstance(rule, type):
            values[name] = made(rule, known, here)
        elif here in known:
            values[name] = known[here].value
    return kind(**values)


def joined(files: Iterable[Known], faults: list[Fault]) -> Known:
    """What several files say together: lists one after the other; anything else may be said once."""
    whole: Known = {}
    for known in files:
        for path, given in known.items():
            before = whole.get(path)
            if before is None:
                whole[path] = given
            elif isinstance(given.value, tuple):
                whole[path] = Given(before.value + given.value, before.place)
            else:
                faults.append(given.place.fault(f"is given in {before.place.file} too; keep one of them"))
    return whole


def unknown(key: object, known: Collection[str]) -> str:
    near = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.5)
    if near:
        return f'is not a known key; the nearest is "{near[0]}"'
    return f"is not a known key; known are {', '.join(sorted(known))}"


def shown(value: object) -> str:
    """A value as it goes into a message: short, on one line, never a whole section."""
    if isinstance(value, Mapping):
        return "a section"
    if isinstance(value, list | tuple):
        return "a list"
    text = json.dumps(value) if isinstance(value, str | bool | int | float) or value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
