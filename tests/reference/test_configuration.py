"""The configuration's reference: every key is described, and what it shows as a default is the default."""

from typing import Any, TypeVar

import pytest
import yaml
from msgspec import Struct
from msgspec.structs import fields

from streamhooks.handlers.definition import OwnDefinition
from streamhooks.settings import Settings
from streamhooks.settings.reading import Place, Reader, made, rules_of
from tests.reference import configuration
from tests.reference.configuration import Key
from tests.reference.described import members

Section = TypeVar("Section", bound=Struct)
SETTINGS = [key for keys in configuration.settings().values() for key in keys]
SERIES = {f"defaults.retry.{name}" for name in ("first", "factor", "cap", "attempts")}
"""They exclude the delays, and have no default that could be written."""


def structs(kind: type[Struct]) -> list[type[Struct]]:
    inner = [rule for rule in rules_of(kind).values() if isinstance(rule, type)]
    return [kind, *(each for one in inner for each in structs(one))]


@pytest.mark.parametrize("kind", dict.fromkeys([*structs(Settings), *structs(OwnDefinition)]), ids=lambda k: k.__name__)
def test_every_member_says_what_it_means(kind: type[Struct]) -> None:
    told = members(kind)
    assert [field.name for field in fields(kind) if not told.get(field.name, "").endswith((".", ")"))] == []


@pytest.mark.parametrize("key", [key for key in SETTINGS if key.path not in SERIES], ids=lambda key: key.path)
def test_a_default_that_is_shown_is_the_default(key: Key) -> None:
    assert read(Settings, key) == Settings()


@pytest.mark.parametrize("key", configuration.handler_keys(), ids=lambda key: key.path)
def test_a_default_of_a_handler_that_is_shown_is_the_default(key: Key) -> None:
    assert read(OwnDefinition, key) == OwnDefinition()


def read(kind: type[Section], key: Key) -> Section:
    """What a file makes of the key with the default that the page shows."""
    value: Any = yaml.safe_load(key.default.strip("`"))
    for name in reversed(key.path.split(".")):
        value = {name: value}
    reader = Reader([], [], "", lambda _: "")
    known = reader.section(kind, value, Place("page"))
    assert reader.faults == []
    assert [".".join(path) for path in known] == [key.path]
    return made(kind, known)
