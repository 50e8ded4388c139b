"""Tokens to trees, one tree for each template of a text, with the messages of Go's parser.

Recursive descent; the grammar stands above each method. Whatever is wrong is raised at once as a TemplateError whose
line is that of the last token read, as in Go, which is why the parser asks the lexer for one token at a time and
looks ahead no further than Go does.
"""

from collections.abc import Callable, Iterator

from streamhooks.errors import TemplateError
from streamhooks.template.lexer import tokens
from streamhooks.template.limits import BLOCKS, PARENTHESES, exceeded
from streamhooks.template.literals import quote, read_complex, read_number, unquote, unquote_char
from streamhooks.template.nodes import (
    Action,
    Body,
    Bool,
    Break,
    Call,
    Chain,
    Command,
    Continue,
    Dot,
    Field,
    Identifier,
    If,
    Kind,
    Nil,
    Number,
    Operand,
    Pipeline,
    Range,
    Statement,
    String,
    Text,
    Token,
    Tree,
    Variable,
    With,
    make_body,
)

_OPERANDS = frozenset(
    {
        Kind.BOOL,
        Kind.CHAR_CONSTANT,
        Kind.COMPLEX,
        Kind.DOT,
        Kind.FIELD,
        Kind.IDENTIFIER,
        Kind.NUMBER,
        Kind.NIL,
        Kind.RAW_STRING,
        Kind.STRING,
        Kind.VARIABLE,
        Kind.LEFT_PAREN,
    }
)
_CONTROL: dict[str, Callable[[int, Pipeline, Body, Body | None], Statement]] = {"if": If, "with": With, "range": Range}


def parse(name: str, source: str, functions: frozenset[str], left: str = "{{", right: str = "}}") -> dict[str, Tree]:
    """All templates of one text by name; the text itself is the one called `name`.

    Raises TemplateError with kind "parse" and Go's message, or kind "limit".
    """
    keywords = functions & {"break", "continue"}
    trees: dict[str, Tree] = {}
    stream = tokens(source, left or "{{", right or "}}", keywords)
    parser = _Parser(name, source, functions, stream, trees)
    parser.whole_text()
    return trees


def is_empty(body: Body) -> bool:
    """Whether it holds nothing but white space: such a definition never replaces another."""
    return all(isinstance(node, Text) and not node.text.strip() for node in body.nodes)


class _Parser:
    """The parser of one template; definitions inside a text get parsers of their own on the same tokens."""

    def __init__(
        self, name: str, source: str, functions: frozenset[str], stream: Iterator[Token], trees: dict[str, Tree]
    ) -> None:
        self.name = name
        self.source = source
        self.functions = functions
        self.stream = stream
        self.trees = trees
        self.ahead: list[Token] = []
        """Tokens given back, the next one last."""
        self.last = Token(Kind.EOF, "", 0, 1)
        """The last token that came from the lexer."""
        self.action_line = 0
        self.variables = ["$"]
        self.loops = 0
        self.blocks = 0
        self.parentheses = 0

    # Tokens.

    def next(self) -> Token:
        if self.ahead:
            return self.ahead.pop()
        self.last = next(self.stream)
        return self.last

    def next_non_space(self) -> Token:
        token = self.next()
        while token.kind is Kind.SPACE:
            token = self.next()
        return token

    def peek(self) -> Token:
        token = self.next()
        self.ahead.append(token)
        return token

    def peek_non_space(self) -> Token:
        token = self.next_non_space()
        self.ahead.append(token)
        return token

    def expect(self, kind: Kind, context: str) -> Token:
        token = self.next_non_space()
        if token.kind is not kind:
            raise self.unexpected(token, context)
        return token

    # Faults.

    def fault(self, message: str) -> TemplateError:
        place = f"{self.name}:{self.last.line}"
        return TemplateError("parse", f"template: {place}: {message}")

    def unexpected(self, token: Token, context: str) -> TemplateError:
        if token.kind is not Kind.ERROR:
            return self.fault(f"unexpected {token} in {context}")
        extra = ""
        if self.action_line and self.action_line != token.line:
            started = f" started at {self.name}:{self.action_line}"
            extra = started if token.text.endswith(" action") else " in action" + started
        return self.fault(token.text + extra)

    def enter(self, blocks: int, parentheses: int) -> None:
        """Count what is opened, and refuse what is too much."""
        self.blocks += blocks
        self.parentheses += parentheses
        if self.blocks > BLOCKS or self.parentheses > PARENTHESES:
            raise exceeded(
                f"template: {self.name}:{self.last.line}: more than {BLOCKS} blocks "
                f"or {PARENTHESES} parentheses inside each other",
                "Take parts of it out into templates of their own with define.",
            )

    # Templates.

    def whole_text(self) -> None:
        """Grammar: text = { definition | statement }."""
        pos = self.peek().pos
        nodes: list[Statement] = []
        while (token := self.peek()).kind is not Kind.EOF:
            if token.kind is Kind.LEFT_DELIM:
                self.next()
                following = self.next_non_space()
                if following.kind is Kind.DEFINE:
                    self.definition()
                    continue
                self.ahead += [following, token]
            node = self.statement()
            if isinstance(node, Token):
                raise self.fault(f"unexpected {_shown(node)}")
            nodes.append(node)
        self.add(self.name, make_body(pos, nodes))

    def definition(self) -> None:
        """Grammar: definition = `define` string `}}` body `end`; only at the top of a text."""
        inner = _Parser(self.name, self.source, self.functions, self.stream, self.trees)
        context = "define clause"
        name = inner.template_name(inner.next_non_space(), context)
        inner.expect(Kind.RIGHT_DELIM, context)
        body, end = inner.body()
        if end.kind is not Kind.END:
            raise inner.fault(f"unexpected {_shown(end)} in {context}")
        inner.add(name, body)

    def add(self, name: str, body: Body) -> None:
        before = self.trees.get(name)
        if before is None or is_empty(before.body):
            self.trees[name] = Tree(name, self.name, self.source, body)
        elif not is_empty(body):
            raise self.fault(f"template: multiple definition of template {quote(name)}")

    def template_name(self, token: Token, context: str) -> str:
        if token.kind not in (Kind.STRING, Kind.RAW_STRING):
            raise self.unexpected(token, context)
        return self.unquoted(token)

    def unquoted(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except ValueError as error:
            raise self.fault(str(error)) from None

    # Statements.

    def body(self) -> tuple[Body, Token]:
        """Grammar: body = { statement }, up to the `end` or `else` that ends it; its keyword comes back as well."""
        self.enter(1, 0)
        pos = self.peek_non_space().pos
        nodes: list[Statement] = []
        while self.peek_non_space().kind is not Kind.EOF:
            node = self.statement()
            if isinstance(node, Token):
                self.blocks -= 1
                return make_body(pos, nodes), node
            nodes.append(node)
        raise self.fault("unexpected EOF")

    def statement(self) -> Statement | Token:
        """Grammar: statement = text | `{{` action; an `end` or `else` comes back as a token."""
        token = self.next_non_space()
        if token.kind is Kind.TEXT:
            return Text(token.pos, token.text)
        if token.kind is not Kind.LEFT_DELIM:
            raise self.unexpected(token, "input")
        self.action_line = token.line
        node = self.action()
        self.action_line = 0
        return node

    def action(self) -> Statement | Token:
        """Grammar: action = block | break | continue | else | end | if | range | template | with | pipeline `}}`."""
        token = self.next_non_space()
        match token.kind:
            case Kind.IF | Kind.WITH | Kind.RANGE:
                return self.control(token.text)
            case Kind.BLOCK:
                return self.block()
            case Kind.TEMPLATE:
                return self.call()
            case Kind.BREAK | Kind.CONTINUE:
                return self.jump(token)
            case Kind.ELSE:
                following = self.peek_non_space()
                if following.kind not in (Kind.IF, Kind.WITH):
                    self.expect(Kind.RIGHT_DELIM, "else")
                return Token(Kind.ELSE, "else", following.pos, following.line)
            case Kind.END:
                self.expect(Kind.RIGHT_DELIM, "end")
                return token
            case _:
                pass
        self.ahead.append(token)
        return Action(self.peek().pos, self.pipeline("command", Kind.RIGHT_DELIM))

    def control(self, word: str) -> Statement:
        """Grammar: control = word pipeline `}}` body [`else` (`}}` body | `if`/`with` control)] `end`."""
        known = len(self.variables)
        pipeline = self.pipeline(word, Kind.RIGHT_DELIM)
        self.loops += word == "range"
        body, end = self.body()
        self.loops -= word == "range"
        otherwise = None
        if end.kind is Kind.ELSE:
            if word != "range" and self.peek().text == word and self.peek().kind.value == word:
                self.next()
                self.enter(1, 0)
                otherwise = make_body(end.pos, [self.control(word)])
                self.blocks -= 1
            else:
                otherwise, end = self.body()
                if end.kind is not Kind.END:
                    raise self.fault(f"expected end; found {_shown(end)}")
        del self.variables[known:]
        return _CONTROL[word](pipeline.pos, pipeline, body, otherwise)

    def jump(self, token: Token) -> Statement:
        """Grammar: jump = (`break` | `continue`) `}}`, inside a range."""
        following = self.next_non_space()
        if following.kind is not Kind.RIGHT_DELIM:
            raise self.unexpected(following, _shown(token))
        if not self.loops:
            raise self.fault(f"{_shown(token)} outside {{{{range}}}}")
        return Break(token.pos) if token.kind is Kind.BREAK else Continue(token.pos)

    def call(self) -> Statement:
        """Grammar: call = `template` string [pipeline] `}}`."""
        context = "template clause"
        token = self.next_non_space()
        name = self.template_name(token, context)
        following = self.next_non_space()
        if following.kind is Kind.RIGHT_DELIM:
            return Call(token.pos, name, None)
        self.ahead.append(following)
        return Call(token.pos, name, self.pipeline(context, Kind.RIGHT_DELIM))

    def block(self) -> Statement:
        """Grammar: block = `block` string pipeline `}}` body `end`: defines a template and calls it."""
        context = "block clause"
        token = self.next_non_space()
        name = self.template_name(token, context)
        pipeline = self.pipeline(context, Kind.RIGHT_DELIM)
        inner = _Parser(self.name, self.source, self.functions, self.stream, self.trees)
        inner.blocks = self.blocks
        body, end = inner.body()
        if end.kind is not Kind.END:
            raise self.fault(f"unexpected {_shown(end)} in {context}")
        inner.add(name, body)
        return Call(token.pos, name, pipeline)

    # Pipelines.

    def pipeline(self, context: str, end: Kind) -> Pipeline:
        """Grammar: pipeline = [declarations] command {`|` command}."""
        pos = self.peek_non_space().pos
        variables, assigns = self.declarations(context)
        commands: list[Command] = []
        while (token := self.next_non_space()).kind is not end:
            if token.kind not in _OPERANDS:
                raise self.unexpected(token, context)
            self.ahead.append(token)
            commands.append(self.command())
        if not commands:
            raise self.fault(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.args[0], Bool | Dot | Nil | Number | String):
                raise self.fault(f"non executable command in pipeline stage {stage}")
        return Pipeline(pos, tuple(variables), assigns, tuple(commands))

    def declarations(self, context: str) -> tuple[list[str], bool]:
        """Grammar: declarations = $x (`:=` | `=`), in a range also $x, $y (`:=` | `=`)."""
        names: list[str] = []
        while self.peek_non_space().kind is Kind.VARIABLE:
            variable = self.next()
            after = self.peek()
            following = self.peek_non_space()
            if following.kind in (Kind.ASSIGN, Kind.DECLARE):
                self.next()
                names.append(variable.text)
                self.variables.append(variable.text)
                return names, following.kind is Kind.ASSIGN
            if following.text != "," or following.kind is not Kind.CHAR:
                if after.kind is Kind.SPACE:
                    self.ahead.append(after)  # a space keeps `$x .f` from becoming `$x.f`
                self.ahead.append(variable)
                break
            self.next()
            names.append(variable.text)
            self.variables.append(variable.text)
            if context != "range" or len(names) == 2:
                raise self.fault(f"too many declarations in {context}")
            if self.peek_non_space().kind not in (Kind.VARIABLE, Kind.RIGHT_DELIM, Kind.RIGHT_PAREN):
                raise self.fault("range can only initialize variables")
        return names, False

    def command(self) -> Command:
        """Grammar: command = operand {space operand}."""
        pos = self.peek_non_space().pos
        args: list[Operand] = []
        while True:
            self.peek_non_space()
            operand = self.operand()
            if operand is not None:
                args.append(operand)
            token = self.next()
            if token.kind is Kind.SPACE:
                continue
            if token.kind in (Kind.RIGHT_DELIM, Kind.RIGHT_PAREN):
                self.ahead.append(token)
            elif token.kind is not Kind.PIPE:
                raise self.unexpected(token, "operand")
            if not args:
                raise self.fault("empty command")
            return Command(pos, tuple(args))

    def operand(self) -> Operand | None:
        """Grammar: operand = term {.field}."""
        token = self.next_non_space()
        node: Operand | None
        if token.kind is Kind.LEFT_PAREN:
            self.enter(0, 1)
            node = self.pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
            self.parentheses -= 1
        else:
            node = self.term(token)
        if node is None:
            self.ahead.append(token)
            return None
        if self.peek().kind is not Kind.FIELD:
            return node
        pos = self.peek().pos
        names = []
        while self.peek().kind is Kind.FIELD:
            names.append(self.next().text[1:])
        match node:
            case Field():
                return Field(pos, node.names + tuple(names))
            case Variable():
                return Variable(pos, node.name, tuple(names))
            case Bool() | String() | Number() | Nil() | Dot():
                raise self.fault(f"unexpected . after term {quote(str(node))}")
            case _:
                return Chain(pos, node, tuple(names))

    def term(self, token: Token) -> Operand | None:
        """Grammar: term = literal | function | . | .field | $variable."""
        match token.kind:
            case Kind.IDENTIFIER:
                if token.text not in self.functions:
                    raise self.fault(f"function {quote(token.text)} not defined")
                return Identifier(token.pos, token.text)
            case Kind.FIELD:
                return Field(token.pos, (token.text[1:],))
            case Kind.DOT:
                return Dot(token.pos)
            case Kind.NIL:
                return Nil(token.pos)
            case Kind.BOOL:
                return Bool(token.pos, token.text == "true")
            case Kind.STRING | Kind.RAW_STRING:
                return String(token.pos, self.unquoted(token), token.text)
            case Kind.VARIABLE:
                if token.text not in self.variables:
                    raise self.fault(f"undefined variable {quote(token.text)}")
                return Variable(token.pos, token.text)
            case Kind.NUMBER | Kind.COMPLEX | Kind.CHAR_CONSTANT:
                return self.number(token)
            case _:
                return None

    def number(self, token: Token) -> Number:
        try:
            if token.kind is Kind.CHAR_CONSTANT:
                code = unquote_char(token.text)
                return Number(token.pos, token.text, code, code, float(code), None)
            reads = read_complex if token.kind is Kind.COMPLEX else read_number
            return Number(token.pos, token.text, *reads(token.text))
        except ValueError as error:
            raise self.fault(str(error)) from None


def _shown(token: Token) -> str:
    return f"{{{{{token.kind.value}}}}}"
