"""Expressions to Python: the half of the compiler that yields values.

A Value is a Python expression without side effects, and what is known of it. Field chains become one try with plain
subscripts: a KeyError anywhere means missing, a TypeError (a field of null, of a string) gives up to the walker. A
chain of one is a `get`, which only maps and MISSING have: of anything else the AttributeError gives up.
Prefixes that were loaded already are reused, but only where they were loaded on every way that leads there, and
never those of a variable that is assigned anywhere.
"""

from collections import ChainMap
from collections.abc import Mapping

from msgspec import Struct

from streamhooks.errors import TemplateError
from streamhooks.template.costs import CHUNK
from streamhooks.template.evaluation import Scope
from streamhooks.template.functions.builtins import BUILTINS
from streamhooks.template.functions.calling import Function
from streamhooks.template.functions.prices import COMPARISON
from streamhooks.template.generated import Source
from streamhooks.template.limits import LONG, Meter
from streamhooks.template.nodes import (
    Bool,
    Chain,
    Command,
    Dot,
    Field,
    Identifier,
    Nil,
    Number,
    Operand,
    Pipeline,
    String,
    Tree,
    Variable,
)
from streamhooks.template.printf import simple_format
from streamhooks.template.runtime import QUICK, paying, printer

_SCALARS = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "not", "len"})
"""Builtins whose results weigh nothing."""

_SUBSCRIPTS = 50
"""Most subscripts in one expression, which Python compiles by recursion."""
_VALUES_OF_FORMAT = 8
"""Most verbs of a format that is taken apart here; what is written of one value has a bound, so this has one too."""


class Value(Struct, frozen=True):
    """A Python expression: a name or a constant, if `simple`."""

    code: str
    known: str = "data"
    """str, bool or some (never nothing); data may be null or missing; clean may be missing but not null."""
    simple: bool = True
    text: str | None = None
    """What it is, where it is a constant string."""
    name: str = ""
    """The name that `code` makes something of, where it does; what is only to be measured is measured by it."""


class Expressions:
    """Compiles the expressions of one template's function."""

    def __init__(
        self, tree: Tree, functions: Mapping[str, Function], missingkey: str, source: Source, metered: bool
    ) -> None:
        self.source = source
        self.functions = functions
        self.missingkey = missingkey
        self.metered = metered
        self.meter = "m" if metered else "(m or (m := NEW()))"
        """The meter as an expression: where nothing is charged for bodies, it is only made when it is needed."""
        self.constants = Scope(tree, functions, missingkey, Meter())
        self.dot = Value("d", "clean")
        self.variables: list[tuple[str, str]] = [("$", "d")]
        """Names in scope with the Python names that hold them, innermost last."""
        self.assigned: frozenset[str] = frozenset()
        """Names that are assigned anywhere in this template."""
        self.loaded: ChainMap[tuple[str, tuple[str, ...]], str] = ChainMap()
        """Field chains that have been loaded here: of which Python name, which fields, into which name."""
        self.loads: set[str] = set()
        """All names that hold parts of the event, or what was made and paid for."""

    def give_up(self) -> Value:
        self.source.line("raise GiveUp")
        return Value("M", "clean")

    def held(self, name: str) -> str | None:
        return next((python for known, python in reversed(self.variables) if known == name), None)

    # Pipelines.

    def pipeline(self, node: Pipeline) -> Value:
        """The value; it may still be null, see `settled`."""
        value: Value | None = None
        for command in node.commands:
            value = self.command(command, value)
        assert value is not None  # noqa: S101  # nosec B101  # the parser makes no pipeline without a command
        if node.variables:
            value = self.bind(node, value)
        return value

    def bind(self, node: Pipeline, value: Value) -> Value:
        value = self.settled(value)
        for name in node.variables:
            if node.assigns:
                held = self.held(name)
                if held is None:
                    return self.give_up()
                self.source.flush()
                self.source.line(f"{held} = {value.code}")
            else:
                held = self.source.name("v")
                self.source.line(f"{held} = {value.code}")
                self.variables.append((name, held))
        return value

    def settled(self, value: Value) -> Value:
        """The value as it leaves a pipeline: null has become missing."""
        if value.known != "data":
            return value
        name = self.named(value)
        settled = self.source.name()
        self.source.line(f"{settled} = M if {name} is None else {name}")
        return Value(settled, "clean")

    def named(self, value: Value) -> str:
        """A name for the value, so that it is made once."""
        if value.simple:
            return value.code
        name = self.source.name()
        self.source.line(f"{name} = {value.code}")
        return name

    def command(self, node: Command, piped: Value | None) -> Value:
        first = node.args[0]
        if isinstance(first, Identifier):
            return self.call(self.functions[first.name], node.args[1:], piped)
        if len(node.args) > 1 or piped is not None:
            return self.give_up()
        return self.operand(first)

    def operand(self, node: Operand) -> Value:
        match node:
            case Dot():
                return self.dot
            case Field():
                return self.chain(self.dot.code, node.names)
            case Variable():
                held = self.held(node.name)
                if held is None:
                    return self.give_up()
                return self.chain(held, node.names, node.name in self.assigned) if node.names else self.variable(held)
            case Pipeline():
                return self.settled(self.pipeline(node))
            case Chain():
                of = self.settled(self.operand(node.of))
                if of.known in ("str", "bool"):
                    return self.give_up()
                return self.chain(self.named(of), node.names)
            case Identifier():
                return self.call(self.functions[node.name], (), None)
            case Nil():
                return self.give_up()
            case _:
                return self.literal(node)

    def variable(self, held: str) -> Value:
        """Variables never hold null, but the element of a range may be one."""
        return Value(held, "data")

    def literal(self, node: Bool | Number | String) -> Value:
        match node:
            case String():
                return Value(self.source.constant(node.value), "str", True, node.value)
            case Bool():
                return Value(self.source.constant(node.value), "bool")
            case Number():
                try:
                    return Value(self.source.constant(self.constants.constant(node)), "some")
                except TemplateError:
                    return self.give_up()

    def chain(self, base: str, names: tuple[str, ...], changes: bool = False) -> Value:
        """The value of base.a.b, reusing the longest part that was loaded before."""
        known = len(names) if len(names) <= _SUBSCRIPTS else 0
        while known and (base, names[:known]) not in self.loaded:
            known -= 1
        if known and not changes:
            start = self.loaded[base, names[:known]]
        else:
            start, known = base, 0
        ends = {*range(_SUBSCRIPTS, len(names), _SUBSCRIPTS), len(names)}
        if not changes:
            ends.add(len(names) - 1)
        for end in sorted(ends):
            if end > known:
                start, known = self.load(base, start, names[known:end], names[:end], changes), end
        return Value(start)

    def load(self, base: str, start: str, names: tuple[str, ...], path: tuple[str, ...], changes: bool) -> str:
        name = self.source.name()
        if self.missingkey == "error":
            code = start
            for field in names:
                code = f"ENTRY({code}, {self.source.constant(field)})"
            self.source.line(f"{name} = {code}")
        elif len(names) == 1:
            # Most members of most events are missing, and an exception costs ten times a method's call.
            missing = "None" if self.missingkey == "zero" else "M"
            self.source.line(f"{name} = {start}.get({self.source.constant(names[0])}, {missing})")
        else:
            steps = "".join(f"[{self.source.constant(field)}]" for field in names)
            self.source.line("try:")
            self.source.line(f" {name} = {start}{steps}")
            self.source.line("except KeyError:")
            if self.missingkey == "zero" and len(names) > 1:
                self.source.line(" raise GiveUp")
            else:
                self.source.line(f" {name} = {'None' if self.missingkey == 'zero' else 'M'}")
        if not changes:
            self.loaded[base, path] = name
        self.loads.add(name)
        return name

    # Calls.

    def call(self, function: Function, args: tuple[Operand, ...], piped: Value | None) -> Value:
        given = len(args) + (piped is not None)
        if function.refusal(given, len(args)):
            return self.give_up()
        builtin = BUILTINS.get(function.name) is function
        if builtin and function.name in ("and", "or"):
            return self.short_circuit(function.name, args, piped)
        if builtin and (function.name == "call" or self.slices_data(function, args)):
            return self.give_up()
        values = [self.argument(arg, self.wanted(function, n, builtin)) for n, arg in enumerate(args)]
        if piped is not None:
            wanted = self.wanted(function, len(args), builtin)
            careful = wanted == "value" and not (builtin and function.parameter(len(args)) == "any")
            if careful and function.name[:1] != "_":  # escapers take null and missing alike as well
                piped = self.settled(piped)
            values.append(self.typed(piped, wanted))
        if builtin:
            special = self.special(function.name, args, values)
            if special is not None:
                return special
        return self.plain_call(function, values)

    def wanted(self, function: Function, index: int, builtin: bool) -> str:
        """The type of a parameter; those builtins that take anything print missing and null alike."""
        wanted = function.parameter(index)
        return "value" if builtin and wanted == "any" else wanted

    def plain_call(self, function: Function, values: list[Value]) -> Value:
        if function.name[:1] == "_" and len(values) == 1:
            return self.escaped(function, values[0])
        name = self.source.constant(function.call)
        args = ", ".join(value.code for value in values)
        code = f"{name}({args})"
        heavy = self.heavy(function, values)
        if heavy:
            code = f"({code} if not ({heavy}) else PAID({self.meter}, {self.source.constant(function)}, {args}))"
        if BUILTINS.get(function.name) is function and function.name in _SCALARS:
            return Value(code, "bool" if function.name != "len" else "some", False)
        if self.metered and function.price.fee > 2:  # less is what the weight of the body has
            self.source.line(f"m.charge({function.price.fee})")
        result = self.source.name()
        self.source.line(f"{result} = {code}")
        if function.price.makes:
            self.loads.add(result)
            self.source.line(
                f"if {result}.__class__ in SIZED and len({result}) > {CHUNK}: {self.meter}.pay_result({result})"
            )
        return Value(result)

    def heavy(self, function: Function, values: list[Value]) -> str:
        """The condition under which a call has to be paid for by what it is given; empty if it never has."""
        price = function.price
        if price.by_number:
            return "True"
        if price.free or (price is COMPARISON and len(values) == 2 and any(map(self.is_constant, values))):
            return ""  # where one is a short constant, neither long texts are compared nor lists printed
        conditions = []
        for value in values:
            name = value.name or value.code
            if value.text is not None:
                if len(value.text) > CHUNK:
                    return "True"
            elif self.is_constant(value) or value.known == "bool":
                continue
            elif value.known == "str" and not value.name:
                conditions.append(f"len({name}) > {CHUNK}")
            else:
                conditions.append(f"{name}.__class__ is str and len({name}) > {CHUNK} or {name}.__class__ in BIG")
        return " or ".join(conditions)

    def is_constant(self, value: Value) -> bool:
        """Whether it is a short constant."""
        if value.text is not None:
            return len(value.text) <= CHUNK
        return value.code in self.source.constants or value.code in ("M", "None")

    def escaped(self, function: Function, value: Value) -> Value:
        """A value for its place: text as quickly as it goes, anything else after it was paid for.

        Text is paid for only where the same may be written many times between two looks at the size of the output.
        """
        slow = f"{self.source.constant(paying(function))}({value.code}, {self.meter})"
        quick = QUICK.get(function.name)
        if quick is None:
            return Value(slow, "str", False)
        name = self.named(value)
        is_short = self.is_short(name, value.known)
        code = quick.format(name)
        return Value(f"{code} if {is_short} else {slow}" if is_short else code, "str", False)

    def is_short(self, name: str, known: str) -> str:
        """The condition for text that may be written without counting it; empty if it always may.

        Different fields of an event are together no longer than the event, and what was made was paid for; before they
        are written again, the output is looked at. All other texts may be the same one, many times.
        """
        conditions = [] if known == "str" else [f"{name}.__class__ is str"]
        if name not in self.loads or self.source.wrote(name):
            conditions.append(f"len({name}) <= {LONG}")
        return " and ".join(conditions)

    def slices_data(self, function: Function, args: tuple[Operand, ...]) -> bool:
        """Whether an index of slice comes straight from the data, which is an error, or may."""
        return function.name == "slice" and any(isinstance(arg, Field | Chain | Dot | Variable) for arg in args[1:])

    def argument(self, node: Operand, wanted: str) -> Value:
        if isinstance(node, Nil):
            if wanted == "value":
                return Value("M", "clean")
            return (
                Value("None", "some")
                if wanted in ("any", "[]interface {}", "map[string]interface {}")
                else self.give_up()
            )
        if isinstance(node, Bool | Number | String):
            try:
                constant = self.constants.converted(node, wanted)
            except TemplateError:
                return self.give_up()
            known = "str" if isinstance(constant, str) else "some"
            return Value(self.source.constant(constant), known)
        value = self.operand(node)
        if isinstance(node, Identifier):
            value = self.settled(value)
        return self.typed(value, wanted)

    def typed(self, value: Value, wanted: str) -> Value:
        """The value for a parameter of a Go type."""
        if wanted == "value" or (value.known == "str" and wanted in ("any", "string")):
            return value if value.simple else Value(self.named(value), value.known)
        if wanted == "any":
            if value.known in ("bool", "some"):
                return Value(self.named(value), value.known)
            name = self.named(value)
            return Value(f"(None if {name} is M else {name})", "some", False, None, name)
        name = self.named(value)
        if wanted == "string":
            return Value(f"({name} if {name}.__class__ is str else STR({name}))", "str", False, None, name)
        return Value(f"TYPED({name}, {wanted!r})", "some", False, None, name)

    def short_circuit(self, word: str, args: tuple[Operand, ...], piped: Value | None) -> Value:
        """and, or: the operands one after the other, each only if the one before did not decide."""
        if piped is not None:  # what is piped was evaluated before, whatever the operands decide
            piped = Value(self.named(self.settled(piped)))
        result = self.source.name()
        going_on = f"if {result}:" if word == "and" else f"if not {result}:"
        for n, arg in enumerate(args):
            if not n:
                self.source.line(f"{result} = {self.argument(arg, 'value').code}")
                continue
            self.source.line(going_on)
            self.loaded = self.loaded.new_child()
            with self.source.indented():
                self.source.line(f"{result} = {self.argument(arg, 'value').code}")
            self.loaded = self.loaded.parents
        if piped is not None and args:
            self.source.line(f"{going_on} {result} = {piped.code}")
        elif piped is not None:
            self.source.line(f"{result} = {piped.code}")
        return Value(result)

    def special(self, name: str, args: tuple[Operand, ...], values: list[Value]) -> Value | None:
        """Builtins that have a quicker form for what they are mostly called with."""
        constant = len(args) == len(values) > 1 and all(
            isinstance(arg, String) and len(arg.value) <= CHUNK for arg in args[1:]
        )
        if name in ("eq", "ne") and constant:
            return self.compared(name, values)
        if name == "printf" and args and isinstance(args[0], String):
            return self.formatted(args[0].value, values[1:])
        if name == "not":
            return Value(f"(not {values[0].code})", "bool", False)
        return None

    def compared(self, name: str, values: list[Value]) -> Value:
        """Eq or ne of anything with constant strings."""
        first = self.named(values[0])
        others = [value.code for value in values[1:]]
        if len(others) == 1:
            quick = f"{first} {'==' if name == 'eq' else '!='} {others[0]}"
        else:
            quick = f"{first} in ({', '.join(others)})"
        slow = f"{name.upper()}({first}, {', '.join(others)})"
        return Value(f"({quick} if {first}.__class__ is str else {slow})", "bool", False)

    def formatted(self, layout: str, values: list[Value]) -> Value | None:
        """Printf with a constant format of simple verbs, one for each value."""
        pieces = simple_format(layout)
        if pieces is None or sum(not isinstance(piece, str) for piece in pieces) != len(values):
            return None
        if len(values) > _VALUES_OF_FORMAT:
            return None
        waiting = iter(values)
        parts = []
        for piece in pieces:
            if isinstance(piece, str):
                if piece:
                    parts.append(self.source.constant(piece))
                continue
            value = next(waiting)
            name = self.named(value)
            slow = f"{self.source.constant(printer(piece))}({name}, {self.meter})"
            bare = piece.verb in "sv" and piece.width is None and piece.precision is None and not piece.go_syntax
            if bare and value.known == "str":
                parts.append(name)
            else:
                parts.append(f"({name} if {name}.__class__ is str else {slow})" if bare else slow)
        result = self.source.name()
        self.loads.add(result)
        self.source.line(f"{result} = {' + '.join(parts) or repr('')}")
        self.source.line(f"if len({result}) > {CHUNK}: {self.meter}.pay_result({result})")
        return Value(result, "str")
