"""The exact way to run a template: statements one by one, on a stack of its own.

What is under way lies on `stack`: bodies with the next statement to come, and loops with the next turn to take. So
how deep templates call each other is a number of ours, not of Python's stack, and break and continue are nothing but
a shorter stack. This is the reference: the compiled form gives up to it wherever anything is unusual, and the two are
tested against each other.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from streamhooks.template.evaluation import Scope, is_integer
from streamhooks.template.functions.calling import Function
from streamhooks.template.limits import OUTPUT_CHARS, TEMPLATE_DEPTH, WALKER_RATE, Meter, output_exceeded
from streamhooks.template.literals import quote
from streamhooks.template.nodes import Action, Body, Break, Call, Continue, If, Range, Statement, Text, Tree, With
from streamhooks.template.values import MISSING, GoInt, Uint8, display, normal, plain

Turn: TypeAlias = tuple[object, object, bool]
"""Of a loop: the index or key, the element, and whether Go holds the element as an interface."""


def walk(
    tree: Tree,
    trees: Mapping[str, Tree],
    functions: Mapping[str, Function],
    missingkey: str,
    data: object,
    meter: Meter,
) -> str:
    """The text that `tree` renders, which may call all `trees`.

    Raises TemplateError: Go's message (kind "exec"), or a broken limit (kind "limit").
    """
    return _Walker(tree, trees, functions, missingkey, meter).run(normal(data, meter.charge))


class _Bodies:
    """A body under way: its next statement, and what is put back at its end."""

    __slots__ = ("boxed", "caller", "dot", "known", "statements")

    def __init__(self, body: Body, scope: Scope, caller: Scope | None = None) -> None:
        self.statements = iter(body.nodes)
        self.dot, self.boxed = scope.dot, scope.dot_boxed
        self.known = len(scope.variables)
        self.caller = caller
        """The scope to go back to, where this is the body of a called template."""


class _Loop:
    """A range under way: its next turn."""

    __slots__ = ("known", "node", "turns")

    def __init__(self, node: Range, turns: Iterator[Turn], known: int) -> None:
        self.node = node
        self.turns = turns
        self.known = known


class _Walker:
    def __init__(
        self,
        tree: Tree,
        trees: Mapping[str, Tree],
        functions: Mapping[str, Function],
        missingkey: str,
        meter: Meter,
    ) -> None:
        self.trees = trees
        self.scope = Scope(tree, functions, missingkey, meter)
        self.meter = meter
        self.stack: list[_Bodies | _Loop] = []
        self.depth = 0
        self.out: list[str] = []
        self.written = 0

    def run(self, data: object) -> str:
        self.scope.dot = MISSING if data is None else data
        self.scope.declare("$", self.scope.dot)
        self.meter.charge(self.scope.tree.body.weight * WALKER_RATE)
        self.stack.append(_Bodies(self.scope.tree.body, self.scope))
        while self.stack:
            top = self.stack[-1]
            if isinstance(top, _Loop):
                self.next_turn(top)
            else:
                statement = next(top.statements, None)
                if statement is None:
                    self.leave()
                else:
                    self.execute(statement)
        return "".join(self.out)

    def leave(self) -> None:
        """End the topmost body or loop: its variables go, dot is what it was."""
        ended = self.stack.pop()
        if isinstance(ended, _Bodies) and ended.caller is not None:
            self.scope = ended.caller
            self.depth -= 1
            return
        self.scope.forget(ended.known)
        for below in reversed(self.stack):
            if isinstance(below, _Bodies):
                self.scope.dot, self.scope.dot_boxed = below.dot, below.boxed
                return

    def execute(self, node: Statement) -> None:
        self.scope.at = node
        match node:
            case Text():
                self.write(node.text)
            case Action():
                value = self.scope.pipeline(node.pipeline)
                if not node.pipeline.variables:
                    self.meter.pay_printing(value)
                    self.write(display(value))
            case If() | With():
                self.branch(node)
            case Range():
                self.loop(node)
            case Break() | Continue():
                self.jump(isinstance(node, Break))
            case Call():
                self.call(node)

    def write(self, text: str) -> None:
        self.written += len(text)
        if self.written > OUTPUT_CHARS:
            raise output_exceeded()
        self.out.append(text)

    def branch(self, node: If | With) -> None:
        known = len(self.scope.variables)
        value = self.scope.pipeline(node.pipeline)
        if not value:
            if node.otherwise:
                self.enter(node.otherwise, known)
            else:
                self.scope.forget(known)
            return
        if isinstance(node, With):
            self.scope.dot, self.scope.dot_boxed = value, False
        self.enter(node.body, known)

    def enter(self, body: Body, known: int) -> None:
        """Start a body; at its end only `known` variables stay."""
        self.stack.append(_Bodies(body, self.scope))
        self.stack[-1].known = known

    def loop(self, node: Range) -> None:
        known = len(self.scope.variables)
        value = self.scope.pipeline(node.pipeline)
        count, turns = self.turns(node, value)
        if count:
            self.meter.charge(count * (node.body.weight + 1) * WALKER_RATE)
            self.stack.append(_Loop(node, turns, known))
        elif node.otherwise:
            self.enter(node.otherwise, known)
        else:
            self.scope.forget(known)

    def turns(self, node: Range, value: object) -> tuple[int, Iterator[Turn]]:
        """How many turns there are, and the turns."""
        match value:
            case list():
                return len(value), ((GoInt(n), item, True) for n, item in enumerate(value))
            case dict():
                return len(value), ((key, value[key], True) for key in sorted(value))
            case bytes():
                return len(value), ((GoInt(n), Uint8(byte), False) for n, byte in enumerate(value))
            case _:
                pass
        if value is MISSING:
            return 0, iter(())
        if isinstance(value, int) and is_integer(value):
            if len(node.pipeline.variables) > 1:
                raise self.scope.fault(f"can't use {value} to iterate over more than one variable")
            made = int if value.__class__ is int else value.__class__
            return max(0, value), ((MISSING, made(n), False) for n in range(value))
        raise self.scope.fault(f"range can't iterate over {plain(value)}")

    def next_turn(self, loop: _Loop) -> None:
        turn = next(loop.turns, None)
        if turn is None:
            self.leave()
            return
        index, element, boxed = turn
        scope, names = self.scope, loop.node.pipeline.variables
        if names:
            self.set_variables(loop, index, element, boxed)
        body = _Bodies(loop.node.body, scope)
        scope.dot, scope.dot_boxed = element, boxed
        body.dot, body.boxed = element, boxed
        self.stack.append(body)

    def set_variables(self, loop: _Loop, index: object, element: object, boxed: bool) -> None:
        """One variable is the element; of two, the first is the index."""
        names = loop.node.pipeline.variables
        values = [(element, boxed)] if len(names) == 1 else [(index, False), (element, boxed)]
        for at, (value, box) in enumerate(values):
            assigns = loop.node.pipeline.assigns
            held = self.scope.held(names[at]) if assigns else self.scope.variables[loop.known + at]
            held.value, held.boxed = value, box

    def jump(self, out: bool) -> None:
        """Break or continue: end every body up to the loop, and for a break the loop."""
        while not isinstance(self.stack[-1], _Loop):
            self.leave()
        if out:
            self.leave()

    def call(self, node: Call) -> None:
        tree = self.trees.get(node.name)
        if tree is None:
            raise self.scope.fault(f"template {quote(node.name)} not defined")
        if self.depth == TEMPLATE_DEPTH:
            raise self.scope.too_deep()
        caller = self.scope
        scope = Scope(tree, caller.functions, caller.missingkey, self.meter)
        scope.dot = caller.pipeline(node.pipeline)
        scope.declare("$", scope.dot)
        self.meter.charge((tree.body.weight + 1) * WALKER_RATE)
        self.depth += 1
        self.scope = scope
        self.stack.append(_Bodies(tree.body, scope, caller))
