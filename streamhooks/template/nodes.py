"""The words between the stages: tokens from the lexer, tree nodes from the parser, each with its place in the text.

Nodes are frozen and compared by identity, and str() prints them as Go does: error messages quote them, and the
escaping pass is tested by what its trees print. `pos` is an offset in characters; Tree.place turns it into Go's line
and byte column.
"""

from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from streamhooks.template.literals import quote


class Kind(Enum):
    """What a token is. Keywords carry their word, so that messages can say `<if>`."""

    ERROR = "error"
    BOOL = "bool"
    CHAR = "char"
    CHAR_CONSTANT = "char constant"
    COMPLEX = "complex"
    ASSIGN = "="
    DECLARE = ":="
    EOF = "EOF"
    FIELD = "field"
    IDENTIFIER = "identifier"
    LEFT_DELIM = "left delim"
    LEFT_PAREN = "("
    NUMBER = "number"
    PIPE = "|"
    RAW_STRING = "raw string"
    RIGHT_DELIM = "right delim"
    RIGHT_PAREN = ")"
    SPACE = "space"
    STRING = "string"
    TEXT = "text"
    VARIABLE = "variable"
    BLOCK = "block"
    BREAK = "break"
    CONTINUE = "continue"
    DOT = "."
    DEFINE = "define"
    ELSE = "else"
    END = "end"
    IF = "if"
    NIL = "nil"
    RANGE = "range"
    TEMPLATE = "template"
    WITH = "with"


KEYWORDS = {
    kind.value: kind
    for kind in (
        Kind.BLOCK,
        Kind.BREAK,
        Kind.CONTINUE,
        Kind.DOT,
        Kind.DEFINE,
        Kind.ELSE,
        Kind.END,
        Kind.IF,
        Kind.NIL,
        Kind.RANGE,
        Kind.TEMPLATE,
        Kind.WITH,
    )
}


class Token(Struct, frozen=True, gc=False):
    """A piece of template text: its kind, the text itself, where it starts and on which line (from 1)."""

    kind: Kind
    text: str
    pos: int
    line: int

    def __str__(self) -> str:
        if self.kind is Kind.EOF:
            return "EOF"
        if self.kind is Kind.ERROR:
            return self.text
        if self.text in KEYWORDS and KEYWORDS[self.text] is self.kind:
            return f"<{self.text}>"
        if len(self.text.encode("utf-8", "surrogateescape")) > 10:
            return quote(self.text[:10]) + "..."
        return quote(self.text)


class Node(Struct, frozen=True, eq=False):
    """What every node has: the offset of its token."""

    pos: int


class Text(Node, frozen=True, eq=False):
    """Text outside actions, trimmed already."""

    text: str

    def __str__(self) -> str:
        return self.text


class Bool(Node, frozen=True, eq=False):
    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


class Dot(Node, frozen=True, eq=False):
    def __str__(self) -> str:
        return "."


class Nil(Node, frozen=True, eq=False):
    def __str__(self) -> str:
        return "nil"


class Number(Node, frozen=True, eq=False):
    """A constant in its own spelling, with every reading that Go gives it: 2.0 is an integer where one is wanted."""

    text: str
    integer: int | None
    """Its value as an int64, if it has one."""
    unsigned: int | None
    floating: float | None
    complex: complex | None

    def __str__(self) -> str:
        return self.text


class String(Node, frozen=True, eq=False):
    value: str
    quoted: str
    """As it was written, quotes included."""

    def __str__(self) -> str:
        return self.quoted


class Identifier(Node, frozen=True, eq=False):
    """The name of a function."""

    name: str

    def __str__(self) -> str:
        return self.name


class Field(Node, frozen=True, eq=False):
    """`.a.b`, looked up from dot. `pos` is that of the second name where there are several, as in Go."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


class Variable(Node, frozen=True, eq=False):
    """`$x` or `$x.a.b`; the dollar belongs to the name."""

    name: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.name, *self.names))


class Chain(Node, frozen=True, eq=False):
    """`(pipeline).a.b` or `function.a.b`."""

    of: "Operand"
    names: tuple[str, ...]

    def __str__(self) -> str:
        of = f"({self.of})" if isinstance(self.of, Pipeline) else str(self.of)
        return of + "".join(f".{name}" for name in self.names)


class Command(Node, frozen=True, eq=False):
    """A function with its arguments, or one operand."""

    args: tuple["Operand", ...]

    def __str__(self) -> str:
        return " ".join(f"({arg})" if isinstance(arg, Pipeline) else str(arg) for arg in self.args)


class Pipeline(Node, frozen=True, eq=False):
    """`$x, $y := command | command`."""

    variables: tuple[str, ...]
    assigns: bool
    """`=` instead of `:=`."""
    commands: tuple[Command, ...]

    def __str__(self) -> str:
        stages = " | ".join(map(str, self.commands))
        if not self.variables:
            return stages
        return f"{', '.join(self.variables)} {'=' if self.assigns else ':='} {stages}"


Operand: TypeAlias = Bool | Dot | Nil | Number | String | Identifier | Field | Variable | Chain | Pipeline


class Action(Node, frozen=True, eq=False):
    pipeline: Pipeline

    def __str__(self) -> str:
        return f"{{{{{self.pipeline}}}}}"


class Body(Node, frozen=True, eq=False):
    """A sequence of statements. `weight` is its number of nodes with everything inside, what the meter charges."""

    nodes: tuple["Statement", ...]
    weight: int

    def __str__(self) -> str:
        return "".join(map(str, self.nodes))


class If(Node, frozen=True, eq=False):
    pipeline: Pipeline
    body: Body
    otherwise: Body | None

    def __str__(self) -> str:
        return _block("if", self.pipeline, self.body, self.otherwise)


class With(Node, frozen=True, eq=False):
    pipeline: Pipeline
    body: Body
    otherwise: Body | None

    def __str__(self) -> str:
        return _block("with", self.pipeline, self.body, self.otherwise)


class Range(Node, frozen=True, eq=False):
    pipeline: Pipeline
    body: Body
    otherwise: Body | None

    def __str__(self) -> str:
        return _block("range", self.pipeline, self.body, self.otherwise)


class Break(Node, frozen=True, eq=False):
    def __str__(self) -> str:
        return "{{break}}"


class Continue(Node, frozen=True, eq=False):
    def __str__(self) -> str:
        return "{{continue}}"


class Call(Node, frozen=True, eq=False):
    """`{{template "name" pipeline}}`."""

    name: str
    pipeline: Pipeline | None

    def __str__(self) -> str:
        argument = f" {self.pipeline}" if self.pipeline else ""
        return f"{{{{template {quote(self.name)}{argument}}}}}"


Statement: TypeAlias = Text | Action | If | With | Range | Break | Continue | Call


class Tree(Struct, frozen=True, eq=False):
    """One template: its name, its body, and the text that it was parsed from, to which all positions refer."""

    name: str
    parse_name: str
    """The name of the text, which messages start with: a definition has that of the text around it."""
    source: str
    body: Body

    def place(self, pos: int) -> str:
        """`name:line:column` as Go counts: lines from 1, columns in bytes from 0."""
        before = self.source[:pos]
        line = before.count("\n") + 1
        column = len(before[before.rfind("\n") + 1 :].encode("utf-8", "surrogateescape"))
        return f"{self.parse_name}:{line}:{column}"


def make_body(pos: int, nodes: list[Statement]) -> Body:
    """A body that knows its weight."""
    return Body(pos, tuple(nodes), len(nodes) + sum(map(_inner_weight, nodes)))


def _inner_weight(node: Statement) -> int:
    match node:
        case If() | With():
            otherwise = node.otherwise.weight if node.otherwise else 0
            return node.body.weight + otherwise + pipeline_weight(node.pipeline) - 1
        case Action() | Range():  # a loop charges its own body, turn by turn
            return pipeline_weight(node.pipeline) - 1
        case Call():  # a template is charged when it is called
            return pipeline_weight(node.pipeline) if node.pipeline else 0
        case _:
            return 0


def pipeline_weight(pipeline: Pipeline) -> int:
    """The operands of a pipeline, those in parentheses too; a long chain of fields counts for several."""
    weight = 0
    waiting: list[Pipeline] = [pipeline]
    for inner in waiting:
        for command in inner.commands:
            for arg in command.args:
                weight += 1
                match arg:
                    case Pipeline():
                        waiting.append(arg)
                    case Field() | Variable():
                        weight += len(arg.names) // 4
                    case Chain():
                        weight += len(arg.names) // 4
                        waiting += [arg.of] if isinstance(arg.of, Pipeline) else []
                    case _:
                        pass
    return weight


def _block(word: str, pipeline: Pipeline, body: Body, otherwise: Body | None) -> str:
    rest = f"{{{{else}}}}{otherwise}" if otherwise else ""
    return f"{{{{{word} {pipeline}}}}}{body}{rest}{{{{end}}}}"
