"""How a template calls a function: what the function takes, as Go's reflect would see it.

A function is an ordinary Python callable; its parameters' annotations say which Go types it takes, and the checks that
Go makes before a call (how many arguments, of which type) are made from them. So a caller can register
`def shout(text: str) -> str` and gets Go's messages for `{{shout 3}}`.
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from msgspec import Struct

from streamhooks.template.costs import USUAL, Price
from streamhooks.template.gotime import Time

Value: TypeAlias = Annotated[object, "reflect.Value"]
"""Takes anything, and can tell a missing key from null."""
Int64: TypeAlias = Annotated[int, "int64"]
"""Takes a constant or a number of the data; `int` takes constants and lengths only, as in Go."""

_GO_TYPES: dict[object, str] = {
    str: "string",
    int: "int",
    float: "float64",
    bool: "bool",
    list: "[]interface {}",
    dict: "map[string]interface {}",
    Time: "time.Time",
    datetime: "time.Time",
}


class FunctionError(Exception):
    """A function's own error; its text follows `error calling name: `."""


class WrongTypeError(FunctionError):
    """An argument of a type that the function does not take; the text is Go's and stands alone."""


class Function(Struct, frozen=True, eq=False):
    """A callable and the Go types of its parameters; "any" and "value" take everything."""

    name: str
    call: Callable[..., Any]
    parameters: tuple[str, ...]
    variadic: str | None = None
    """The type of all further arguments, if it takes any."""
    price: Price = USUAL

    @property
    def least(self) -> int:
        """Least number of arguments."""
        return len(self.parameters)

    def parameter(self, index: int) -> str:
        """The type of argument number `index`, from 0."""
        return self.parameters[index] if index < len(self.parameters) else self.variadic or "any"

    def refusal(self, given: int, written: int) -> str:
        """Go's complaint about `given` arguments, `written` of them not piped; empty if that many are right."""
        if self.variadic is not None:
            if given < self.least:
                return f"wrong number of args for {self.name}: want at least {self.least} got {written}"
        elif given != self.least:
            return f"wrong number of args for {self.name}: want {self.least} got {given}"
        return ""


def function(name: str, call: Callable[..., Any], price: Price = USUAL) -> Function:
    """A callable as a Function, by its annotations. Parameters without one take anything; defaults are not Go's way."""
    try:
        signature = inspect.signature(call)
    except ValueError:  # some of C's callables have none
        return Function(name, call, (), "any", price)
    hints = typing.get_type_hints(call, include_extras=True) if hasattr(call, "__annotations__") else {}
    fixed, variadic = [], None
    for parameter in signature.parameters.values():
        go_type = _go_type(hints.get(parameter.name, object))
        if parameter.kind is parameter.VAR_POSITIONAL:
            variadic = go_type
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            fixed.append(go_type)
    return Function(name, call, tuple(fixed), variadic, price)


def functions(calls: Mapping[str, Callable[..., Any]], prices: Mapping[str, Price]) -> dict[str, Function]:
    """Many of them, by name."""
    return {name: function(name, call, prices.get(name, USUAL)) for name, call in calls.items()}


def _go_type(hint: object) -> str:
    if hint == Value:
        return "value"
    if hint == Int64:
        return "int64"
    return _GO_TYPES.get(typing.get_origin(hint) or hint, "any")
