"""Maps: read and copied, never changed, since the event is shared by all handlers. Keys come sorted."""

from collections.abc import Callable
from typing import Any

from streamhooks.template.functions.calling import FunctionError
from streamhooks.template.values import plain, type_name


def dict_(*pairs: object) -> dict[str, object]:
    """A map of keys and values in turn; a key without a value has an empty one."""
    return {plain(pairs[at]): pairs[at + 1] if at + 1 < len(pairs) else "" for at in range(0, len(pairs), 2)}


def get(of: dict[str, object], key: str) -> object:
    """The value of a key; empty if there is none."""
    return of.get(key, "")


def has_key(of: dict[str, object], key: str) -> bool:
    """Whether the map has this key."""
    return key in of


def pick(of: dict[str, object], *keys: str) -> dict[str, object]:
    """Only these keys."""
    return {key: of[key] for key in keys if key in of}


def omit(of: dict[str, object], *keys: str) -> dict[str, object]:
    """All but these keys."""
    omitted = frozenset(keys)
    return {key: of[key] for key in of if key not in omitted}


def dig(*path: object) -> object:
    """`dig "a" "b" default map`: the value at a path of keys, or the default where the path ends early."""
    if len(path) < 3:
        raise FunctionError("dig needs at least three arguments")
    *keys, fallback, at = path
    for key in keys:
        if not isinstance(key, str):
            raise FunctionError(f"dig takes text as keys; one is {type_name(key)}")
        if not isinstance(at, dict):
            raise FunctionError(f"dig goes through maps only; {key} is looked up in something else")
        if key not in at:
            return fallback
        at = at[key]
    return at


def pluck(key: str, *maps: dict[str, object]) -> list[object]:
    """The values of one key in several maps."""
    return [of[key] for of in maps if key in of]


def keys_(*maps: dict[str, object]) -> list[object]:
    """All keys, sorted map by map: Go's order is random."""
    return [key for of in maps for key in sorted(of)]


def values(*maps: dict[str, object]) -> list[object]:
    """All values, in the order of their keys."""
    return [of[key] for of in maps for key in sorted(of)]


MAPS: dict[str, Callable[..., Any]] = {
    "dict": dict_,
    "dig": dig,
    "get": get,
    "hasKey": has_key,
    "keys": keys_,
    "omit": omit,
    "pick": pick,
    "pluck": pluck,
    "values": values,
}
