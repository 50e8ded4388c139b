"""References: a secret that is written as the place where it lies, `env://NAME` or `file:///path`.

Which settings may hold one is said in model.py and in handlers/definition.py; what reads environment and file is given
by the room files, so that this room needs neither.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

Read: TypeAlias = Callable[[str], str]
"""Takes a well-formed reference and gives what it names; raises UnresolvedError, whose text is for people."""

_ENVIRONMENT = re.compile(r"env://([A-Za-z_][A-Za-z0-9_]*)")
_FILE = re.compile(r"file://(/[^\x00]*)")


class UnresolvedError(ValueError):
    """What a reference names is not there, or it is no reference. reading.py makes its text a Fault."""


def is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("env://", "file://"))


def environment_name(reference: str) -> str | None:
    match = _ENVIRONMENT.fullmatch(reference)
    return match[1] if match else None


def file_path(reference: str) -> str | None:
    match = _FILE.fullmatch(reference)
    return match[1] if match else None


def resolved(value: str, read: Read) -> str:
    """The value itself, or what it refers to without one trailing newline. Raises UnresolvedError."""
    if not is_reference(value):
        return value
    if environment_name(value) is None and file_path(value) is None:
        raise UnresolvedError(f'"{value}" is no reference; write env://NAME or file:///path')
    text = read(value)
    return text.removesuffix("\n")
