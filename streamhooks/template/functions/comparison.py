"""eq, ne, lt, le, gt and ge with Go's rules: integers compare with integers, nothing else crosses types."""

import operator
from typing import Any

from streamhooks.template.functions.calling import FunctionError, Value
from streamhooks.template.values import MISSING, kind, plain, type_name
from streamhooks.template.verbs import Verb, written

_INTEGERS = frozenset({"int", "uint"})
_ORDERED = frozenset({"int", "uint", "float", "string"})
_AS_STRING = Verb("s")


def eq(first: Value, *others: Value) -> bool:
    """Whether the first equals any of the others."""
    if not others:
        raise FunctionError("missing argument for comparison")
    return any(_equal(first, other) for other in others)


def _equal(left: object, right: object) -> bool:
    if left.__class__ is str and right.__class__ is str:
        return left == right
    left_kind, right_kind = kind(left), kind(right)
    if left_kind and (left_kind == right_kind or (left_kind in _INTEGERS and right_kind in _INTEGERS)):
        return left == right
    left_nil, right_nil = left is None or left is MISSING, right is None or right is MISSING
    if left_kind or right_kind:
        if left_nil or right_nil:
            return False
        raise _incompatible(left, right)
    if left_nil or right_nil:
        return left_nil and right_nil
    if left.__class__ is not right.__class__:
        if isinstance(left, list | bytes) and isinstance(right, list | bytes):
            raise _incompatible(left, right)
        raise FunctionError(
            f"non-comparable types {written(left, _AS_STRING)}: {type_name(left)}, {type_name(right)}: {plain(right)}"
        )
    if isinstance(left, list | dict | bytes):
        raise FunctionError(f"non-comparable type {written(right, _AS_STRING)}: {type_name(right)}")
    return left == right


def _incompatible(left: object, right: object) -> FunctionError:
    return FunctionError(f"incompatible types for comparison: {type_name(left)} and {type_name(right)}")


def ne(left: Value, right: Value) -> bool:
    """Whether they differ."""
    return not _equal(left, right)


def lt(left: Value, right: Value) -> bool:
    """Whether the first is less."""
    left_kind, right_kind = kind(left), kind(right)
    if not left_kind or not right_kind:
        raise FunctionError("invalid type for comparison")
    if left_kind != right_kind and not (left_kind in _INTEGERS and right_kind in _INTEGERS):
        raise _incompatible(left, right)
    if left_kind not in _ORDERED:
        raise FunctionError("invalid type for comparison")
    smaller: Any = operator.lt  # the kinds were compared: both are numbers or both are strings
    return bool(smaller(left, right))


def le(left: Value, right: Value) -> bool:
    """Whether the first is less or equal."""
    return lt(left, right) or _equal(left, right)


def gt(left: Value, right: Value) -> bool:
    """Not le: so NaN is greater than everything, as in Go."""
    return not le(left, right)


def ge(left: Value, right: Value) -> bool:
    """Whether the first is greater or equal: not lt."""
    return not lt(left, right)
