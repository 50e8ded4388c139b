"""Expressions, exactly as Go evaluates them: the half of the walker that yields values.

Scope knows dot, the variables and the node at which an error would be reported; Go sets that node in places that
cannot be guessed, so each method sets it where Go does. A value that came straight from a map or a list is an
interface to Go, which shows in messages and in what slice accepts. That is known by the node it came from.
"""

from collections.abc import Mapping

from streamhooks.errors import TemplateError
from streamhooks.template.functions.builtins import BUILTINS, Boxed
from streamhooks.template.functions.calling import Function, FunctionError, WrongTypeError
from streamhooks.template.functions.moments import METHODS, UNEXPORTED
from streamhooks.template.gotime import Time
from streamhooks.template.limits import TEMPLATE_DEPTH, Meter, exceeded
from streamhooks.template.literals import quote
from streamhooks.template.nodes import (
    Bool,
    Chain,
    Command,
    Dot,
    Field,
    Identifier,
    Nil,
    Node,
    Number,
    Operand,
    Pipeline,
    String,
    Tree,
    Variable,
)
from streamhooks.template.values import MISSING, GoInt, kind, type_name

NOTHING = object()
"""No value is piped into this command."""
_NILABLE = frozenset({"any", "value", "[]interface {}", "map[string]interface {}"})
_INTEGERS = frozenset({"int", "int64"})


class Held:
    """A variable: its value, and whether it is an interface to Go."""

    __slots__ = ("boxed", "name", "value")

    def __init__(self, name: str, value: object, boxed: bool = False) -> None:
        self.name = name
        self.value = value
        self.boxed = boxed


class Scope:
    """One template under way: dot, variables, and where it stands."""

    __slots__ = ("at", "dot", "dot_boxed", "functions", "meter", "missingkey", "named", "tree", "variables")

    def __init__(self, tree: Tree, functions: Mapping[str, Function], missingkey: str, meter: Meter) -> None:
        self.tree = tree
        self.functions = functions
        self.missingkey = missingkey
        self.meter = meter
        self.at: Node = tree.body
        self.dot: object = MISSING
        self.dot_boxed = False
        self.variables: list[Held] = []
        """In the order of their declarations; `named` has those of each name, of which the last is in force."""
        self.named: dict[str, list[Held]] = {}

    def declare(self, name: str, value: object, boxed: bool = False) -> None:
        held = Held(name, value, boxed)
        self.variables.append(held)
        self.named.setdefault(name, []).append(held)

    def forget(self, known: int) -> None:
        """Ends all variables but the first `known`."""
        while len(self.variables) > known:
            self.named[self.variables.pop().name].pop()

    def fault(self, message: str) -> TemplateError:
        """Go's error text for the node where it stands."""
        where = f"{self.tree.place(self.at.pos)}: executing {quote(self.tree.name)} at <{self.at}>"
        return TemplateError("exec", f"template: {where}: {message}")

    def too_deep(self) -> TemplateError:
        """Go's words for its own limit, which is the only thing that Go ever says about such a template."""
        return exceeded(
            self.fault("exceeded maximum template depth (100000)").message,
            f"Here templates may call each other {TEMPLATE_DEPTH} deep; does one call itself?",
        )

    def boxed(self, node: Operand) -> bool:
        """Whether this operand is an interface to Go: a field, a range's element, or a dot that is one."""
        match node:
            case Dot():
                return self.dot_boxed
            case Field() | Chain():
                return True
            case Variable():
                return bool(node.names) or self.held(node.name).boxed
            case _:
                return False

    def held(self, name: str) -> Held:
        if held := self.named.get(name):
            return held[-1]
        raise self.fault(f"undefined variable: {name}")

    # Pipelines and commands.

    def pipeline(self, node: Pipeline | None) -> object:
        """The value of a pipeline; null has become missing, and variables are declared or assigned."""
        if node is None:
            return MISSING
        self.at = node
        value = NOTHING
        for command in node.commands:
            value = self.command(command, value)
            if value is None:
                value = MISSING
        for name in node.variables:
            if node.assigns:
                held = self.held(name)
                held.value, held.boxed = value, False
            else:
                self.declare(name, value)
        return value

    def command(self, node: Command, piped: object) -> object:
        first = node.args[0]
        match first:
            case Field():
                self.at = first
                return self.chain(first, self.dot, self.dot_boxed, first.names, node.args, piped)
            case Identifier():
                self.at = first
                return self.call(self.functions[first.name], node, node.args[1:], piped)
            case Variable():
                return self.variable(first, node.args, piped)
            case Chain():
                return self.of_chain(first, node.args, piped)
            case Pipeline():
                self.without_arguments(node.args, piped)
                return self.pipeline(first)
            case _:
                pass
        self.at = first
        self.without_arguments(node.args, piped)
        return self.literal(first)

    def without_arguments(self, args: tuple[Operand, ...], piped: object) -> None:
        if len(args) > 1 or piped is not NOTHING:
            raise self.fault(f"can't give argument to non-function {args[0]}")

    def literal(self, node: Operand) -> object:
        match node:
            case Bool() | String():
                return node.value
            case Dot():
                return self.dot
            case Number():
                return self.constant(node)
            case _:
                raise self.fault("nil is not a command")

    def constant(self, node: Number) -> object:
        """The type that Go gives an untyped constant by its spelling."""
        if node.complex is not None:
            return node.complex
        hexadecimal = node.text[:2] in ("0x", "0X") and not set(node.text) & set("pP")
        if node.floating is not None and not hexadecimal and node.text[0] != "'" and set(node.text) & set(".eEpP"):
            return node.floating
        if node.integer is not None:
            return GoInt(node.integer)
        raise self.fault(f"{node.text} overflows int")

    def variable(self, node: Variable, args: tuple[Operand, ...], piped: object) -> object:
        self.at = node
        held = self.held(node.name)
        if not node.names:
            self.without_arguments(args or (node,), piped)
            return held.value
        return self.chain(node, held.value, held.boxed, node.names, args, piped)

    def of_chain(self, node: Chain, args: tuple[Operand, ...], piped: object) -> object:
        self.at = node
        if isinstance(node.of, Nil):
            raise self.fault(f"indirection through explicit nil in {node}")
        of = self.argument(node.of, "")
        return self.chain(node, of, False, node.names, args, piped)

    # Fields.

    def chain(
        self, node: Operand, of: object, boxed: bool, names: tuple[str, ...], args: tuple[Operand, ...], piped: object
    ) -> object:
        for name in names[:-1]:
            of = self.field(node, of, boxed, name, (), NOTHING)
            boxed = True
        return self.field(node, of, boxed, names[-1], args, piped)

    def field(
        self, node: Operand, of: object, boxed: bool, name: str, args: tuple[Operand, ...], piped: object
    ) -> object:
        if isinstance(of, dict):
            if len(args) > 1 or piped is not NOTHING:
                raise self.fault(f"{name} is not a method but has arguments")
            return of[name] if name in of else self.no_entry(name)
        if of is MISSING:
            if self.missingkey == "error":
                raise self.fault(f"nil data; no entry for key {quote(name)}")
            return MISSING
        if of is None:
            raise self.fault(f"nil pointer evaluating interface {{}}.{name}")
        of_type = "interface {}" if boxed else type_name(of)
        if isinstance(of, Time):
            if name in METHODS:
                return self.method(of, METHODS[name], node, args, piped)
            if name in UNEXPORTED:
                raise self.fault(f"{name} is an unexported field of struct type {of_type}")
        raise self.fault(f"can't evaluate field {name} in type {of_type}")

    def no_entry(self, name: str) -> object:
        if self.missingkey == "error":
            raise self.fault(f"map has no entry for key {quote(name)}")
        return None if self.missingkey == "zero" else MISSING

    def method(self, of: Time, method: Function, node: Operand, args: tuple[Operand, ...], piped: object) -> object:
        bound = Function(
            method.name, lambda *given: method.call(of, *given), method.parameters[1:], method.variadic, method.price
        )
        return self.call(bound, node, args[1:], piped)

    # Calls.

    def call(self, function: Function, node: Node, args: tuple[Operand, ...], piped: object) -> object:
        given = len(args) + (piped is not NOTHING)
        refusal = function.refusal(given, len(args))
        if refusal:
            raise self.fault(refusal)
        builtin = BUILTINS.get(function.name) is function
        if builtin and function.name in ("and", "or"):
            return self.short_circuit(function, args, piped)
        values = [self.argument(arg, function.parameter(n)) for n, arg in enumerate(args)]
        if builtin and function.name == "slice":
            values[1:] = [
                Boxed(value) if self.boxed(arg) and value is not MISSING else value
                for arg, value in zip(args[1:], values[1:], strict=True)
            ]
        if piped is not NOTHING:
            values.append(self.checked(piped, function.parameter(len(args)), False))
        return self.called(function, node, args, values)

    def called(self, function: Function, node: Node, args: tuple[Operand, ...], values: list[object]) -> object:
        self.meter.pay(function.price, values)
        try:
            result = function.call(*values)
        except WrongTypeError as error:
            raise self.fault(str(error)) from None
        except FunctionError as error:
            message = str(error)
            if function.name == "call" and "%s" in message:
                message = message.replace("%s", str(args[0]) if args else _piped_name(values[0]))
        except TemplateError:
            raise
        except Exception as error:  # noqa: BLE001  # functions are other people's code; Go too turns their panics into errors
            message = str(error) or type(error).__name__
        else:
            if function.price.makes:
                self.meter.pay_result(result)
            return result
        self.at = node
        raise self.fault(f"error calling {function.name}: {message}")

    def short_circuit(self, function: Function, args: tuple[Operand, ...], piped: object) -> object:
        value: object = MISSING
        for arg in args:
            value = self.argument(arg, "value")
            if bool(value) is (function.name == "or"):
                return value
        return value if piped is NOTHING else piped

    def argument(self, node: Operand, wanted: str) -> object:
        """One argument for a parameter of the type `wanted`; empty for the head of a chain."""
        self.at = node
        match node:
            case Dot():
                return self.checked(self.dot, wanted, self.dot_boxed)
            case Nil():
                if wanted not in _NILABLE:
                    raise self.fault(f"cannot assign nil to {wanted}")
                return MISSING if wanted == "value" else None
            case Field():
                value = self.chain(node, self.dot, self.dot_boxed, node.names, (), NOTHING)
                return self.checked(value, wanted, True)
            case Variable():
                return self.checked(self.variable(node, (), NOTHING), wanted, self.boxed(node))
            case Pipeline():
                return self.checked(self.pipeline(node), wanted, False)
            case Identifier():
                return self.checked(self.call(self.functions[node.name], node, (), NOTHING), wanted, False)
            case Chain():
                return self.checked(self.of_chain(node, (), NOTHING), wanted, True)
            case _:
                return self.converted(node, wanted)

    def converted(self, node: Bool | Number | String, wanted: str) -> object:
        """A literal for a parameter of the type `wanted`."""
        if wanted in ("any", "value", ""):
            return self.constant(node) if isinstance(node, Number) else node.value
        match node:
            case Bool() if wanted == "bool":
                return node.value
            case String() if wanted == "string":
                return node.value
            case Number() if wanted in _INTEGERS and node.integer is not None:
                return GoInt(node.integer) if wanted == "int" else node.integer
            case Number() if wanted == "float64" and node.floating is not None:
                return node.floating
        short = {"string": "string", "bool": "bool", "float64": "float", "int": "integer", "int64": "integer"}
        if wanted in short:
            raise self.fault(f"expected {short[wanted]}; found {node}")
        raise self.fault(f"can't handle {node} for arg of type {wanted}")

    def checked(self, value: object, wanted: str, boxed: bool) -> object:
        """A value for a parameter of the type `wanted`."""
        if wanted == "value" or not wanted:
            return value
        if wanted == "any":
            return None if value is MISSING else value
        if value is MISSING:
            if wanted in _NILABLE:
                return None
            raise self.fault(f"invalid value; expected {wanted}")
        given = type_name(value)
        if given == wanted:
            return value
        if value is None and boxed:
            given = "interface {}"
        raise self.fault(f"wrong type for value; expected {wanted}; got {given}")


def _piped_name(value: object) -> str:
    """What Go's reflect prints for a value that is not a string."""
    return value if isinstance(value, str) else f"<{type_name(value)} Value>"


def is_integer(value: object) -> bool:
    """Whether range counts up to it."""
    return kind(value) in ("int", "uint")
