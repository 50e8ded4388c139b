"""Lists: each function makes a new one. Items are equal only if their Go types are, as reflect.DeepEqual has it."""

from collections.abc import Callable
from typing import Any

from streamhooks.template.functions.calling import FunctionError
from streamhooks.template.limits import LIST_ITEMS
from streamhooks.template.values import MISSING, GoInt, plain, type_name


def items(values: object, doing: str) -> list[object]:
    """The items of a list, for a function that can do with nothing else."""
    if isinstance(values, list):
        return values
    kind = {"string": "string", "map[string]interface {}": "map", "[]uint8": "slice", "<nil>": "invalid"}
    raise FunctionError(f"Cannot {doing} on type {kind.get(type_name(values), type_name(values))}")


def bounded(length: int) -> None:
    """Refuses a list before it is made."""
    if length > LIST_ITEMS:
        raise FunctionError(f"a list of {length} items; at most {LIST_ITEMS} are allowed")


def as_strings(values: object) -> list[str]:
    """The items as text, without null; a single value is a list of one."""
    if isinstance(values, list):
        return [plain(value) for value in values if value is not None]
    return [] if values is None or values is MISSING else [plain(values)]


def deep_key(value: object) -> str:
    """Equal for two values exactly where Go's reflect.DeepEqual holds.

    Text, because Python's hash of text is keyed: of tuples of numbers, an event could hold any number with one hash.
    """
    match value:
        case str():
            return f"s{len(value)}:{value}"
        case list():
            return f"[{','.join([deep_key(item) for item in value])}]"
        case dict():
            return f"{{{','.join([f'{len(key)}:{key}{deep_key(value[key])}' for key in sorted(value)])}}}"
        case float():
            return f"f{value + 0.0!r}"  # 0.0 for -0.0 too
        case _:
            return f"{type_name(value)} {value!r}"


def list_(*values: object) -> list[object]:
    """A list of these."""
    return list(values)


def first(values: object) -> object:
    """The first item; nothing of an empty list."""
    of = items(values, "find first")
    return of[0] if of else None


def last(values: object) -> object:
    """The last item; nothing of an empty list."""
    of = items(values, "find last")
    return of[-1] if of else None


def rest(values: object) -> list[object]:
    """All but the first."""
    return items(values, "find rest")[1:]


def initial(values: object) -> list[object]:
    """All but the last."""
    return items(values, "find initial")[:-1]


def append(values: object, item: object) -> list[object]:
    """A list with one more item at its end."""
    return [*items(values, "push"), item]


def prepend(values: object, item: object) -> list[object]:
    """A list with one more item before all others."""
    return [item, *items(values, "prepend")]


def concat(*lists: object) -> list[object]:
    """The items of all lists."""
    made: list[object] = []
    for values in lists:
        made += items(values, "concat")
        bounded(len(made))
    return made


def reverse(values: object) -> list[object]:
    """The items, last to first."""
    return items(values, "find reverse")[::-1]


def uniq(values: object) -> list[object]:
    """Each item once, in the order of their first."""
    seen: set[str] = set()
    made = []
    for value in items(values, "find uniq"):
        key = deep_key(value)
        if key not in seen:
            seen.add(key)
            made.append(value)
    return made


def without(values: object, *omitted: object) -> list[object]:
    """The items that equal none of `omitted`."""
    keys = {deep_key(value) for value in omitted}
    return [value for value in items(values, "find without") if deep_key(value) not in keys]


def has(needle: object, values: object) -> bool:
    """Whether an item equals `needle`; never in nothing."""
    if values is None:
        return False
    key = deep_key(needle)
    return any(deep_key(value) == key for value in items(values, "find has"))


def sort_alpha(values: object) -> list[object]:
    """The items as text, sorted by their bytes."""
    return [*sorted(as_strings(values))] if isinstance(values, list) else [*as_strings(values)]


def compact(values: object) -> list[object]:
    """Without empty items."""
    return [value for value in items(values, "compact") if value]


def chunk(size: int, values: object) -> list[object]:
    """Lists of `size` items each, the last of what is left."""
    of = items(values, "chunk")
    if size < 1:
        raise FunctionError(f"a chunk size of {size}; it must be at least 1")
    return [of[at : at + size] for at in range(0, len(of), size)]


def to_strings(values: object) -> list[object]:
    """Each item as text."""
    return [*as_strings(values)]


def until(count: int) -> list[object]:
    """0 to `count` - 1; bounded."""
    return until_step(0, count, -1 if count < 0 else 1)


def until_step(start: int, stop: int, step: int) -> list[object]:
    """`start` up to before `stop`; bounded."""
    if not step or (stop - start) * step < 0:
        return []
    bounded(abs(stop - start) // abs(step))
    return [GoInt(number) for number in range(start, stop, step)]


LISTS: dict[str, Callable[..., Any]] = {
    "append": append,
    "chunk": chunk,
    "compact": compact,
    "concat": concat,
    "first": first,
    "has": has,
    "initial": initial,
    "last": last,
    "list": list_,
    "prepend": prepend,
    "rest": rest,
    "reverse": reverse,
    "sortAlpha": sort_alpha,
    "toStrings": to_strings,
    "uniq": uniq,
    "until": until,
    "untilStep": until_step,
    "without": without,
}
