"""What a struct says of its members: the text below each, read from its source.

That text is the only description there is. People who read the code find it beside the type, and the pages and
documents that are made of the structs have it from there.
"""

import ast
import functools
import inspect
import re
from textwrap import dedent

from msgspec import Struct


@functools.cache
def members(kind: type[Struct]) -> dict[str, str]:
    """The text of each member that has one, those of its bases included, each as one line."""
    found: dict[str, str] = {}
    for base in kind.__mro__[:0:-1]:
        if base is not Struct and issubclass(base, Struct):
            found |= members(base)
    return found | _own(kind)


def text_of(kind: type[Struct]) -> str:
    """What the struct says of itself, as one line; empty: nothing of its own."""
    return _line(inspect.cleandoc(kind.__doc__ or "")) if "__doc__" in vars(kind) else ""


def _own(kind: type[Struct]) -> dict[str, str]:
    (tree,) = ast.parse(dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for before, after in zip(tree.body, tree.body[1:], strict=False):
        text = after.value if isinstance(after, ast.Expr) else None
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and isinstance(text, ast.Constant):
            found[_spelled(before, before.target.id)] = _line(str(text.value))
    return found


def _spelled(member: ast.AnnAssign, name: str) -> str:
    """The name that JSON has: `length: str = field(name="for")` is `for`."""
    keywords = member.value.keywords if isinstance(member.value, ast.Call) else []
    names = [keyword.value for keyword in keywords if keyword.arg == "name"]
    return str(names[0].value) if names and isinstance(names[0], ast.Constant) else name


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
