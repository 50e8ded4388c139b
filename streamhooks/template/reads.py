"""Which parts of an event a template reads, found in its tree without running it.

Dot is followed through with, range, variables and called templates as long as it is a chain of fields of the event;
where it is not (the result of a function), what is read from it is left out.
"""

from collections.abc import Mapping
from typing import TypeAlias

from streamhooks.template.nodes import (
    Action,
    Body,
    Call,
    Chain,
    Dot,
    Field,
    If,
    Operand,
    Pipeline,
    Range,
    String,
    Tree,
    Variable,
    With,
)

Path: TypeAlias = tuple[str, ...]
_PATHS = 16
"""Parts of the event that one template is followed for."""


def paths_read(main: Tree, trees: Mapping[str, Tree]) -> frozenset[Path]:
    """The chains of fields that are read; () where the whole event is used, or where that is too deep to be found."""
    reader = _Reader(trees)
    try:
        reader.body(main.body, (), {"$": ()})
    except RecursionError:  # hundreds of parentheses, or of templates that call each other
        reader.found.add(())
    return frozenset(reader.found)


class _Reader:
    def __init__(self, trees: Mapping[str, Tree]) -> None:
        self.trees = trees
        self.found: set[Path] = set()
        self.called: dict[str, set[Path | None]] = {}

    def body(self, body: Body, dot: Path | None, known: dict[str, Path | None]) -> None:
        known = dict(known)
        for node in body.nodes:
            match node:
                case Action():
                    self.pipeline(node.pipeline, dot, known)
                case If() | With() | Range():
                    inner = dict(known)
                    path = self.pipeline(node.pipeline, dot, inner)
                    if isinstance(node, Range):
                        path = None
                    self.body(node.body, dot if isinstance(node, If) else path, inner)
                    if node.otherwise:
                        self.body(node.otherwise, dot, inner)
                case Call():
                    path = self.pipeline(node.pipeline, dot, known) if node.pipeline else None
                    self.call(node.name, path)
                case _:
                    pass

    def call(self, name: str, dot: Path | None) -> None:
        """What a template reads that is called with this part of the event.

        One that calls itself with what is below meets ever longer paths; after some, nothing more is known of them.
        """
        met = self.called.setdefault(name, set())
        dot = dot if len(met) < _PATHS else None
        if name in self.trees and dot not in met:
            met.add(dot)
            self.body(self.trees[name].body, dot, {"$": dot})

    def pipeline(self, node: Pipeline, dot: Path | None, known: dict[str, Path | None]) -> Path | None:
        """Note what it reads; the path that it is, if it is one."""
        paths = [self.operand(arg, dot, known) for command in node.commands for arg in command.args]
        first = node.commands[0].args
        path = paths[0] if len(paths) == 1 else None
        if str(first[0]) == "index" and len(first) > 1 and paths[1] is not None and len(node.commands) == 1:
            keys = [arg.value for arg in first[2:] if isinstance(arg, String)]
            self.found.add((*paths[1], *keys))
        for name in node.variables:
            known[name] = path if not node.assigns else None
        return path

    def operand(self, node: Operand, dot: Path | None, known: dict[str, Path | None]) -> Path | None:
        path: Path | None = None
        match node:
            case Dot():
                path = dot
            case Field():
                path = None if dot is None else dot + node.names
            case Variable():
                start = known.get(node.name)
                path = None if start is None else start + node.names
            case Pipeline():
                path = self.pipeline(node, dot, known)
            case Chain():
                start = self.operand(node.of, dot, known)
                path = None if start is None else start + node.names
            case _:
                pass
        if path is not None:
            self.found.add(path)
        return path
