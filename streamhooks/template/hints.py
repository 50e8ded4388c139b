"""The second line of an error: what to look at, after Go's own words.

Go says what went wrong; this says which known name was probably meant, or why a value is not what it seems.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches

from streamhooks.errors import TemplateError

_FUNCTION = re.compile(r'function "(.*)" not defined$')
_NO_ENTRY = re.compile(r'at <(.*)>: map has no entry for key "(.*)"$')
_FIELD = re.compile(r"at <(.*)>: can't evaluate field (\S+) in type (.*)$")
_NIL = re.compile(r"at <(.*)>: nil pointer evaluating interface \{\}\.(\S+)$")
_COMPARISON = re.compile(r"incompatible types for comparison: (\S+) and (\S+)$")
_SLICE = re.compile(r"error calling slice: cannot index slice/array with type interface \{\}$")
_WRONG = re.compile(r"wrong type for value; expected (\S+); got (\S+)$")


def with_hint(error: TemplateError, data: object, functions: Collection[str]) -> TemplateError:
    """The error with a line that helps, if it has none yet and there is something to say."""
    if "\n" in error.message:
        return error
    line = _hint(error.message, data, functions)
    return TemplateError(error.kind, f"{error.message}\n{line}", error.place) if line else error


def _hint(message: str, data: object, functions: Collection[str]) -> str:
    if found := _FUNCTION.search(message):
        return _near(found.group(1), functions, "functions")
    if found := _NO_ENTRY.search(message):
        return _near(found.group(2), _keys(data, found.group(2)), "keys of the event")
    if found := _FIELD.search(message):
        return f"{found.group(1)} goes through a value that has no fields: .{found.group(2)} needs a map before it."
    if found := _NIL.search(message):
        return f"What .{found.group(2)} is read from is null here; guard it with {{{{with}}}} or {{{{if}}}}."
    if found := _COMPARISON.search(message):
        return _comparison(*found.groups())
    if _SLICE.search(message):
        return "Bind the index to a variable first: {{$n := .n}}{{slice .s 0 $n}}."
    if found := _WRONG.search(message):
        return f"The function takes {found.group(1)} here, the value is {found.group(2)}; convert it first."
    return ""


def _comparison(left: str, right: str) -> str:
    if {left, right} & {"float64"} and {left, right} & {"int", "int64"}:
        return "Go compares no float with an integer: write the constant with a point (10.0), or convert with float64."
    return f"Go compares values of one type only; here {left} with {right}."


def _near(name: str, known: Collection[str], what: str) -> str:
    near = get_close_matches(name, [word for word in known if word[:1] != "_"], n=3, cutoff=0.6)
    if not near:
        return ""
    return f"Near it are the {what} {', '.join(near)}." if len(near) > 1 else f"Did you mean {near[0]}?"


def _keys(data: object, wanted: str, depth: int = 4) -> set[str]:
    """The keys of the data, a few levels down; not of lists, whose items are alike."""
    if not isinstance(data, dict) or not depth:
        return set()
    keys = {key for key in data if isinstance(key, str) and key != wanted}
    return keys.union(*(_keys(inner, wanted, depth - 1) for inner in data.values()))
