"""Trees to one Python module: a function for each template, f-strings and plain subscripts inside.

What Go finds out by reflection at every render is decided here once. Anything unusual at run time gives up and the
walker does it over (runtime.py); anything unusual in the template, such as more nested loops than Python allows,
means that there is no compiled form. Charges are the walker's: body sizes, once for each turn of a loop.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from streamhooks.errors import TemplateError
from streamhooks.template.expressions import Expressions, Value
from streamhooks.template.functions.calling import Function
from streamhooks.template.generated import Source
from streamhooks.template.limits import STEPS, Meter
from streamhooks.template.nodes import (
    Action,
    Body,
    Break,
    Call,
    Continue,
    Identifier,
    If,
    Pipeline,
    Range,
    Statement,
    Text,
    Tree,
    With,
)
from streamhooks.template.runtime import NAMESPACE, GiveUpError

_MANY = 500
"""Nodes of a template that is metered though it has no loops."""


class Compiled(Struct, frozen=True):
    """The compiled form of a template."""

    call: Callable[[object], str]
    """Renders the data, or raises whatever made it give up."""
    source: str
    """The generated text, for tests and for the curious."""


def compile_trees(
    main: Tree, trees: Mapping[str, Tree], functions: Mapping[str, Function], missingkey: str
) -> Compiled | None:
    """The compiled form of `main`, or None where only the walker can run it."""
    module = _Module(trees, functions, missingkey, _repeats(main, functions))
    try:
        module.function("main", main)
        while module.waiting:
            module.function(*module.waiting.popitem())
        text = "\n".join(module.texts)
        namespace = {**NAMESPACE, **module.constants}
        code = compile(text, f"<template {main.name!a}>", "exec")
        exec(code, namespace)  # noqa: S102  # nosec B102  # the text is made here, template text only in constants
    except (SyntaxError, RecursionError, MemoryError):  # too many nested blocks or parentheses for Python
        return None
    main_function: Any = namespace["main"]
    if not module.metered:
        return Compiled(main_function, text)
    return Compiled(_metered(main_function, STEPS - main.body.weight), text)


def _metered(main: Callable[[object, Meter], str], steps: int) -> Callable[[object], str]:
    """The compiled form with a meter; where it gives up, it says what is left."""

    def call(data: object) -> str:
        meter = Meter()
        meter.left = steps
        try:
            return main(data, meter)
        except TemplateError:
            raise
        except Exception as error:  # whatever it is: nobody looks at it but the walker
            raise GiveUpError(meter) from error

    return call


def _repeats(main: Tree, functions: Mapping[str, Function]) -> bool:
    """Whether it has to be metered: a loop, a call of a template, very many actions, or a value that can grow."""
    if main.body.weight > _MANY:
        return True
    bodies = [main.body]
    while bodies:
        for node in bodies.pop().nodes:
            match node:
                case Range() | Call():
                    return True
                case Action(pipeline=pipeline) if pipeline.variables and _makes(pipeline, functions):
                    return True
                case With(pipeline=pipeline) if _makes(pipeline, functions):
                    return True
                case If(pipeline=pipeline) if pipeline.variables and _makes(pipeline, functions):
                    return True
                case If() | With():
                    bodies += [node.body] + ([node.otherwise] if node.otherwise else [])
                case _:
                    pass
    return False


def _makes(pipeline: Pipeline, functions: Mapping[str, Function]) -> bool:
    """Whether it calls a function that makes something. What is made and kept, in a variable or as the dot, can be made
    twice as long by the next action, and so on: twenty lines are enough for a megabyte.
    """
    for command in pipeline.commands:
        for arg in command.args:
            if isinstance(arg, Identifier) and functions[arg.name].price.makes:
                return True
            if isinstance(arg, Pipeline) and _makes(arg, functions):
                return True
    return False


class _Module:
    """The functions made so far, and those that are called but not made yet."""

    def __init__(
        self, trees: Mapping[str, Tree], functions: Mapping[str, Function], missingkey: str, metered: bool
    ) -> None:
        self.trees = trees
        self.functions = functions
        self.missingkey = missingkey
        self.metered = metered
        self.constants: dict[str, object] = {}
        self.names: dict[str, str] = {}
        self.waiting: dict[str, Tree] = {}
        self.texts: list[str] = []

    def name_of(self, template: str) -> str | None:
        """The function of a template, which will be made; None if there is no such template."""
        if template not in self.names:
            tree = self.trees.get(template)
            if tree is None:
                return None
            self.names[template] = f"T{len(self.names)}"
            self.waiting[self.names[template]] = tree
        return self.names[template]

    def function(self, name: str, tree: Tree) -> None:
        source = Source(self.constants)
        _Statements(self, tree, source).whole(tree.body)
        self.texts.append(f"def {name}(d, m=None, n=0):\n" + "\n".join(source.lines))


class _Statements(Expressions):
    """Compiles the statements of one template's function: d is its argument, m the meter, n the depth of calls."""

    def __init__(self, module: _Module, tree: Tree, source: Source) -> None:
        super().__init__(tree, module.functions, module.missingkey, source, module.metered)
        self.module = module
        self.assigned = frozenset(_assigned(tree.body))

    def whole(self, body: Body) -> None:
        if "$" in self.assigned:
            self.source.line("v0 = d")
            self.variables[0] = ("$", "v0")
        self.body(body)
        self.source.start()
        if self.source.unchecked.values:
            self.source.check()
        self.source.line("return o")

    def body(self, body: Body) -> None:
        for node in body.nodes:
            self.statement(node)

    def statement(self, node: Statement) -> None:
        match node:
            case Text():
                self.source.put_text(node.text)
            case Action():
                value = self.pipeline(node.pipeline)
                if not node.pipeline.variables:
                    self.write(value)
            case If() | With():
                self.branch(node)
            case Range():
                self.loop(node)
            case Break() | Continue():
                self.source.flush()
                self.source.line("break" if isinstance(node, Break) else "continue")
            case Call():
                self.call_template(node)

    def write(self, value: Value) -> None:
        if value.text is not None:
            self.source.put_text(value.text)
        elif value.known == "bool":
            self.source.put(f"P({value.code}, {self.meter})")
        elif value.known == "str" and not value.simple:  # what an escaper made, which counts it
            self.source.put(value.code)
        else:
            name = self.named(value)
            is_short = self.is_short(name, value.known)
            self.source.put(f"{name} if {is_short} else P({name}, {self.meter})" if is_short else name)

    # Blocks.

    def block(self, body: Body) -> None:
        """A body of its own: variables and loads end with it."""
        known = len(self.variables)
        self.loaded = self.loaded.new_child()
        with self.source.indented():
            self.body(body)
            self.source.flush()
        self.loaded = self.loaded.parents
        del self.variables[known:]

    def branch(self, node: If | With, word: str = "if") -> None:
        known = len(self.variables)
        self.source.start()
        value = self.pipeline(node.pipeline)
        code = self.named(value) if isinstance(node, With) else value.code
        self.source.line(f"{word} {code}:")
        dot = self.dot
        if isinstance(node, With):
            self.dot = Value(code if code[0] == "t" else self.dot_name(code), "some")
        before = self.source.unchecked
        self.block(node.body)
        after = self.source.unchecked
        self.dot = dot
        self.source.unchecked = before
        if node.otherwise:
            self.otherwise(node.otherwise)
        self.source.join(after, self.source.unchecked)
        del self.variables[known:]

    def dot_name(self, code: str) -> str:
        """A name for a new dot that was a variable, which may get another value. Other names keep theirs."""
        name = self.source.name("d")
        self.source.lines.append(" " * (self.source.level + 1) + f"{name} = {code}")
        return name

    def otherwise(self, body: Body) -> None:
        """else; an `if` that is all of it and needs no line before its condition is an elif, not a deeper block."""
        only = body.nodes[0] if len(body.nodes) == 1 else None
        if isinstance(only, If) and self.is_one_expression(only.pipeline):
            self.branch(only, "elif")
            return
        self.source.line("else:")
        self.block(body)

    def is_one_expression(self, pipeline: Pipeline) -> bool:
        """Whether a pipeline needs no lines of its own where we are; found by trying."""
        mark, known, loaded = len(self.source.lines), len(self.variables), self.loaded
        self.loaded = loaded.new_child()
        self.pipeline(pipeline)
        self.loaded = loaded
        alone = len(self.source.lines) == mark
        del self.source.lines[mark:], self.variables[known:]
        return alone

    def loop(self, node: Range) -> None:
        known = len(self.variables)
        self.source.start()
        value = self.settled(self.range_value(node.pipeline))
        if value.known in ("str", "bool"):
            value = self.give_up()
        names = node.pipeline.variables
        held = self.range_variables(node, value)
        if held is None:
            del self.variables[known:]
            return
        kept = bool(held) and (node.pipeline.assigns or names[-1] in self.assigned or node.otherwise is not None)
        of = self.named(value)
        turns = self.source.name()
        if len(names) == 2:
            self.source.line(f"{turns} = {of} if {of}.__class__ is list else PAIRS({of})")
        else:
            self.source.line(f"{turns} = {of} if {of}.__class__ is list else ELEMENTS({of})")
        self.source.line(f"if {turns}:")
        dot = self.dot
        with self.source.indented():
            self.source.line(f"m.charge(len({turns}) * {node.body.weight + 1})")
            element = self.source.name("d")
            if len(names) == 2:
                pairs = f"zip(INDEXES(len({turns})), {turns}) if {turns} is {of} else {turns}"
                self.source.line(f"for {held[0]}, {element} in {pairs}:")
            else:
                self.source.line(f"for {element} in {turns}:")
            self.dot = Value(element)
            with self.source.indented():
                if kept:
                    self.source.line(f"{held[-1]} = {element}")
                elif held:  # nothing else ever holds it: the element itself will do
                    self.variables[-1] = (names[-1], element)
                before = self.source.unchecked
                self.source.check()
            self.block(node.body)
            after = self.source.unchecked
        self.dot = dot
        self.source.unchecked = before
        if node.otherwise:
            self.source.line("else:")
            self.block(node.otherwise)
        self.source.join(before, after, self.source.unchecked)
        del self.variables[known:]

    def range_value(self, pipeline: Pipeline) -> Value:
        """What is ranged over, without binding the variables: they are the loop's."""
        return self.pipeline(Pipeline(pipeline.pos, (), False, pipeline.commands))

    def range_variables(self, node: Range, value: Value) -> list[str] | None:
        """The Python names of a loop's variables, which all hold the whole at first: an else sees that."""
        held: list[str] = []
        for name in node.pipeline.variables:
            if node.pipeline.assigns:
                existing = self.held(name)
                if existing is None:
                    self.give_up()
                    return None
                held.append(existing)
            else:
                held.append(self.source.name("v"))
                self.variables.append((name, held[-1]))
            if node.otherwise or node.pipeline.assigns:
                self.source.line(f"{held[-1]} = {value.code}")
        return held

    def call_template(self, node: Call) -> None:
        name = self.module.name_of(node.name)
        if name is None:
            self.source.flush()
            self.source.line("raise GiveUp")
            return
        argument = self.settled(self.pipeline(node.pipeline)).code if node.pipeline else "M"
        tree = self.trees_weight(node.name)
        self.source.flush()
        self.source.line(f"m.charge({tree + 1})")
        self.constants.at = node
        too_deep = self.source.constant(self.constants.too_deep().message)
        self.source.line(f"if n >= DEPTH: raise Error('limit', {too_deep})")
        made = self.source.name()
        self.source.line(f"{made} = {name}({argument}, m, n + 1)")
        self.source.line(f"if len({made}) > COPIED: m.charge(len({made}) // COPIED)")
        self.source.put(made)

    def trees_weight(self, name: str) -> int:
        return self.module.trees[name].body.weight


def _assigned(body: Body) -> set[str]:
    """Names of variables that are assigned, not declared, anywhere in a template; also deep inside pipelines."""
    found: set[str] = set()
    nodes: list[Any] = [body]
    while nodes:
        node = nodes.pop()
        match node:
            case Body():
                nodes += node.nodes
            case Pipeline():
                if node.assigns:
                    found |= set(node.variables)
                nodes += [arg for command in node.commands for arg in command.args]
            case If() | With() | Range():
                nodes += [node.pipeline, node.body, node.otherwise]
            case Action() | Call():
                nodes.append(node.pipeline)
            case _:
                nodes.append(getattr(node, "of", None)) if hasattr(node, "of") else None
    return found
