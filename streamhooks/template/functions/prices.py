"""What each function costs. A function without a price here has costs.USUAL, one step for each character.

How they were found: each function on 512 KiB of the worst text and the worst lists for it, by both kinds of text
(ASCII or not), and on small arguments for its fee; rounded up.
"""

from collections.abc import Sequence
from typing import Any

from streamhooks.template.costs import CHUNK, FREE, Price, weight
from streamhooks.template.limits import LIST_ITEMS

_LINEAR = Price()
"""C goes through the text, and it is printed where it is no text."""
_FLAT = Price(deep=0, flat=1)
"""Copies a list or map, and does not look into it."""
_SEARCHED_FOR = 100
"""Characters of a needle that a search compares at one place of a text, at the worst; CPython takes longer ones
another way."""


WRITING = Price(deep=12, fee=15)
"""One value for one verb of a format, some 3 microseconds; QUOTING where each character of it is looked at."""
QUOTING = Price(text=16, wide=CHUNK, deep=12, fee=15)


def _verbs(values: Sequence[Any], most: int) -> int:
    """A format: each verb is looked at in Python, and each `[1]` may write all arguments once more."""
    layout, *arguments = values
    if not isinstance(layout, str):
        return 0
    price = QUOTING if set(layout) & set("qxX") else WRITING
    return layout.count("%") * 25 + price.steps(arguments, most) * (1 + layout.count("["))


def _search(values: Sequence[Any], most: int) -> int:
    """A needle in a text: at the worst, much of it is compared at every place."""
    del most
    needle, text = values[0], values[-1]
    if not isinstance(needle, str) or not isinstance(text, str):
        return 0
    return len(text) * min(len(needle), _SEARCHED_FOR) // 200


def _parts(values: Sequence[Any], most: int) -> int:
    """What a text is split into: a map of its parts takes 0.3 microseconds for each."""
    separator, text = values[0], values[-1]
    if not isinstance(separator, str) or not isinstance(text, str):
        return 0
    return 2 * text.count(separator) + _search(values, most)


def _counted(values: Sequence[Any], most: int) -> int:
    """The numbers that until makes."""
    del most
    start, stop, step = values if len(values) == 3 else (0, *values, 1)
    count: int = min(abs(stop - start) // (abs(step) or 1), LIST_ITEMS)
    return count // 2


def _compared(values: Sequence[Any], most: int) -> int:
    """Lists and maps are compared with nothing but nil; with each other they end in a message that prints both."""
    containers = [value for value in values if isinstance(value, list | dict | bytes)]
    return weight(containers, most) if len(containers) > 1 else 0


def _keys(values: Sequence[Any], most: int) -> int:
    """What is printed to be a key."""
    return weight(values[::2], most)


COMPARISON = Price(deep=0, of=_compared, makes=False)
DATE = Price(text=4, fee=80)
"""Some 15 microseconds; layouts are short (limits.LAYOUT_CHARS)."""
_DECIMAL = Price(text=8, fee=20)
_NUMBER = Price(text=16, deep=0, fee=3)
_DIGEST = Price(fee=10)
_JSON = Price(text=4, wide=8, deep=2, fee=5)
_BY_WORD = Price(text=CHUNK, fee=10)
_BY_CHARACTER = Price(text=16, wide=CHUNK, fee=5)

PRICES: dict[str, Price] = {
    **dict.fromkeys(
        (
            *("all", "and", "any", "call", "coalesce", "default", "dig", "empty", "first", "get", "hasKey", "kindIs"),
            *("kindOf", "last", "not", "or", "plural", "ternary", "typeIs", "typeOf"),
        ),
        FREE,
    ),
    **dict.fromkeys(("eq", "ge", "gt", "le", "lt", "ne"), COMPARISON),
    **dict.fromkeys(("index", "len"), Price(deep=0, makes=False)),
    **dict.fromkeys(("append", "chunk", "compact", "concat", "initial", "prepend", "rest", "reverse", "slice"), _FLAT),
    **dict.fromkeys(("list", "pluck"), Price(text=0, deep=0)),
    **dict.fromkeys(("keys", "omit", "pick", "values"), Price(deep=0, flat=3)),
    "dict": Price(deep=0, of=_keys),
    **dict.fromkeys(("has", "uniq", "without"), Price(deep=6)),
    **dict.fromkeys(("sortAlpha", "toStrings"), Price(deep=4)),
    **dict.fromkeys(("until", "untilStep"), Price(text=0, deep=0, by_number=True, of=_counted)),
    **dict.fromkeys(("add", "add1", "atoi", "ceil", "div", "float64", "floor", "int", "int64"), _NUMBER),
    **dict.fromkeys(("max", "min", "mod", "mul", "round", "sub"), _NUMBER),
    **dict.fromkeys(("addf", "divf", "mulf", "subf"), _DECIMAL),
    **dict.fromkeys(
        (
            *("abbrev", "cat", "hasPrefix", "hasSuffix", "indent", "join", "mask", "nindent", "print", "println"),
            *("repeat", "squote", "substr", "toString", "trim", "trimPrefix", "trimSuffix", "trunc", "fail"),
        ),
        _LINEAR,
    ),
    **dict.fromkeys(("contains", "replace", "splitList"), Price(text=2, of=_search)),
    "split": Price(text=4, of=_parts),
    "trimAll": Price(text=CHUNK),
    **dict.fromkeys(("lower", "swapcase", "upper"), Price(wide=CHUNK)),
    **dict.fromkeys(("camelcase", "initials", "kebabcase", "nospace", "snakecase", "title", "untitle"), _BY_WORD),
    **dict.fromkeys(("js", "quote"), _BY_CHARACTER),
    "html": Price(text=4, fee=4),
    "urlquery": Price(text=10, wide=32, fee=10),
    "printf": Price(text=0, deep=0, fee=5, of=_verbs),
    **dict.fromkeys(("jsonMarshal", "mustToJson", "toJson", "toRawJson"), _JSON),
    "toPrettyJson": Price(text=4, wide=8, deep=6, fee=10),
    "fromJson": Price(text=32, fee=20),
    "xmlMarshal": Price(text=8, deep=12, fee=10),
    **dict.fromkeys(("b64dec", "b64enc"), Price(text=2, fee=8)),
    **dict.fromkeys(("sha1sum", "sha256sum"), _DIGEST),
    **dict.fromkeys(("base", "clean", "dir", "ext"), Price(text=32, fee=10)),
    "urlParse": Price(text=4, fee=20),
    "urlJoin": Price(text=4, deep=2, fee=30),
    **dict.fromkeys(
        (
            *("as_rfc3339", "as_rfc3339_from_string", "date", "dateInZone", "dateModify", "htmlDate"),
            *("htmlDateInZone", "toDate", "unixEpoch"),
        ),
        DATE,
    ),
    # What escapes a value, by the names in the escape files. Their results are counted as output.
    **dict.fromkeys(("_json_string", "_json_whole", "_json_value"), Price(wide=4, deep=2, makes=False)),
    "_json_quoted": Price(text=CHUNK, makes=False),
    **dict.fromkeys(("_xml_text", "_xml_attribute"), Price(text=8, wide=20, makes=False)),
    **dict.fromkeys(("_csv_quoted", "_csv_bare"), Price(text=4, makes=False)),
    **dict.fromkeys(("_form", "_url"), Price(text=10, wide=32, makes=False)),
    "_eval_args_": Price(),
    "_html_template_htmlescaper": Price(text=4, makes=False),
    "_html_template_nospaceescaper": Price(text=16, makes=False),
    "_html_template_commentescaper": FREE,
}
