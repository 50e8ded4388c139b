"""The pass that all escape modes share: trees in, trees out, each action followed by the escaper of its place.

A mode is a Machine: it reads the static text, knows the state at each action (inside a JSON string, inside an XML
attribute) and names what escapes a value there. The pass takes it through branches, which must all end in one state,
and through loops, which must end as they begin; a template that is called in several states gets one tree for each.
Nothing of this costs anything when an event is rendered.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import ClassVar, TypeAlias

from msgspec import Struct

from streamhooks.errors import TemplateError
from streamhooks.template.nodes import (
    Action,
    Body,
    Call,
    Command,
    Identifier,
    If,
    Node,
    Pipeline,
    Range,
    Statement,
    Text,
    Tree,
    With,
    make_body,
)

State: TypeAlias = Hashable
"""Of the text at one place; what it is only its machine knows. None: never reached (after a break)."""


class RefusedError(Exception):
    """What a mode cannot make safe: the message, and the way out."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.message = message
        self.way_out = way_out


class Machine(ABC):
    """One escape mode. `states` says in words what a state is, for messages."""

    mode: ClassVar[str]
    start: ClassVar[State]

    @abstractmethod
    def text(self, text: str, state: State) -> tuple[str, State]:
        """Static text: what becomes of it, and the state after it. Raises RefusedError."""

    @abstractmethod
    def escaped(self, pipeline: Pipeline, state: State) -> Pipeline:
        """The pipeline of an action with what escapes it. Raises RefusedError."""

    def after_action(self, state: State) -> State:
        """The state after a value was put here."""
        return state

    def polished(self, nodes: list[Statement]) -> list[Statement]:
        """The statements of one escaped body, put more simply where that is possible."""
        return nodes

    @abstractmethod
    def at_end(self, state: State) -> None:
        """Called with the state at the end of the whole text. Raises RefusedError where a text cannot end so."""

    @abstractmethod
    def words(self, state: State) -> str:
        """The state in words: `inside a string`."""

    def fault(self, tree: Tree, pos: int, refusal: RefusedError) -> TemplateError:
        place = tree.place(pos)
        return TemplateError("escape", f"template: {place}: {refusal.message}\n{refusal.way_out}", "")

    def no_such_template(self, tree: Tree, node: Call) -> TemplateError | None:
        """What to say of a call to a template that does not exist; None: nothing until it is called."""
        del tree, node
        return None


class Escaped(Struct, frozen=True):
    """What the pass made: the tree to run and all trees that it may call, by the names that its calls now have."""

    main: Tree
    trees: Mapping[str, Tree]


def escape(main: Tree, trees: Mapping[str, Tree], machine: Machine) -> Escaped:
    """All that `main` reaches, escaped by `machine`. Raises TemplateError with kind "escape" (place and way out)."""
    run = _Pass(trees, machine)
    tree, end = run.tree(main, machine.start)
    try:
        if end is not None:
            machine.at_end(end)
    except RefusedError as refusal:
        raise machine.fault(main, len(main.source), refusal) from None
    return Escaped(tree, run.made)


def followed_by(pipeline: Pipeline, *names: str) -> Pipeline:
    """The pipeline with further stages."""
    stages = tuple(Command(pipeline.pos, (Identifier(pipeline.pos, name),)) for name in names)
    return Pipeline(pipeline.pos, (), False, pipeline.commands + stages)


class _Pass:
    def __init__(self, trees: Mapping[str, Tree], machine: Machine) -> None:
        self.trees = trees
        self.machine = machine
        self.made: dict[str, Tree] = {}
        self.ends: dict[tuple[str, State], State] = {}
        """Where a template that starts in a state ends."""
        self.under_way: set[tuple[str, State]] = set()
        self.assumed: set[tuple[str, State]] = set()
        """Templates that were called again while under way, and so assumed to end where they start."""
        self.current: Tree | None = None
        self.exits: list[list[tuple[Node, State]]] = []
        """The states at the breaks and continues of each loop under way."""

    def tree(self, tree: Tree, state: State) -> tuple[Tree, State]:
        outer, self.current = self.current, tree
        body, end = self.body(tree.body, state)
        self.current = outer
        return Tree(tree.name, tree.parse_name, tree.source, body), end

    def fault(self, node: Node, message: str, way_out: str) -> TemplateError:
        assert self.current is not None  # noqa: S101  # nosec B101  # for the type checker: a node is only met inside a tree
        return self.machine.fault(self.current, node.pos, RefusedError(message, way_out))

    def body(self, body: Body, state: State) -> tuple[Body, State]:
        nodes: list[Statement] = []
        for node in body.nodes:
            made, state = self.statement(node, state)
            nodes.append(made)
        return make_body(body.pos, self.machine.polished(nodes)), state

    def statement(self, node: Statement, state: State) -> tuple[Statement, State]:
        if state is None:
            return node, None
        match node:
            case Text() | Action():
                return self.leaf(node, state)
            case If() | With():
                return self.branches(node, state)
            case Range():
                return self.loop(node, state)
            case Call():
                return self.call(node, state)
            case _:
                pass
        self.exits[-1].append((node, state))
        return node, None

    def leaf(self, node: Text | Action, state: State) -> tuple[Statement, State]:
        try:
            if isinstance(node, Text):
                text, state = self.machine.text(node.text, state)
                return Text(node.pos, text), state
            if node.pipeline.variables:
                return node, state
            escaped = self.machine.escaped(node.pipeline, state)
            return Action(node.pos, escaped), self.machine.after_action(state)
        except RefusedError as refusal:
            raise self.fault(node, refusal.message, refusal.way_out) from None

    def branches(self, node: If | With, state: State) -> tuple[Statement, State]:
        body, first = self.body(node.body, state)
        otherwise, second = self.body(node.otherwise, state) if node.otherwise else (None, state)
        word = "if" if isinstance(node, If) else "with"
        end = self.joined(node, first, second, f"the branches of this {word} end")
        return type(node)(node.pos, node.pipeline, body, otherwise), end

    def loop(self, node: Range, state: State) -> tuple[Statement, State]:
        self.exits.append([])
        body, end = self.body(node.body, state)
        for place, left in [*self.exits.pop(), (node, end)]:
            self.joined(place, state, left, "this range begins and ends its turns")
        otherwise, second = self.body(node.otherwise, state) if node.otherwise else (None, state)
        end = self.joined(node, state, second, "this range and its else end")
        return Range(node.pos, node.pipeline, body, otherwise), end

    def joined(self, node: Node, first: State, second: State, what: str) -> State:
        if first is None or second is None:
            return second if first is None else first
        if first != second:
            words = self.machine.words
            raise self.fault(
                node,
                f"{what} in different places: {words(first)} and {words(second)}",
                "Open and close in the same branch, so that what follows has one place.",
            )
        return first

    def call(self, node: Call, state: State) -> tuple[Statement, State]:
        tree = self.trees.get(node.name)
        if tree is None:
            fault = self.machine.no_such_template(self.current, node) if self.current else None
            if fault:
                raise fault
            return node, state
        name = node.name if state == self.machine.start else f"{node.name}\0{state}"
        key = (node.name, state)
        if key in self.under_way:
            self.assumed.add(key)
        elif key not in self.ends:
            self.ends[key] = self.callee(tree, name, key, node)
        return Call(node.pos, name, node.pipeline), self.ends.get(key, state)

    def callee(self, tree: Tree, name: str, key: tuple[str, State], node: Call) -> State:
        """Escape a template for the state that it is called in; where it ends."""
        self.under_way.add(key)
        exits, self.exits = self.exits, []
        self.made[name], end = self.tree(tree, key[1])
        self.exits = exits
        self.under_way.discard(key)
        if key in self.assumed and end is not None and end != key[1]:
            raise self.fault(
                node,
                f"the template {node.name} calls itself and ends in another place than it begins",
                "Let it end where it begins.",
            )
        return key[1] if end is None else end
