"""Text. Lengths and positions count bytes, as in Go; what would cut a character in two leaves its bytes."""

import re
from collections.abc import Callable
from typing import Any

from streamhooks.template.functions.calling import FunctionError
from streamhooks.template.functions.lists import as_strings
from streamhooks.template.functions.lists import bounded as bounded_list
from streamhooks.template.limits import STRING_CHARS
from streamhooks.template.literals import from_bytes, to_bytes
from streamhooks.template.literals import quote as go_quote
from streamhooks.template.values import MISSING, plain

SPACE = (
    " \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's unicode.IsSpace calls white space; Python's own strip takes more."""
_FEW = 64
"""Characters that trimAll can be given: for each of the text, all of them are gone through."""
_SPACES = re.compile(f"[{SPACE}]+")
_FIRST = re.compile(r"(?<!\w)\w")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_]+")


def bounded(length: int) -> None:
    """Refuses a string before it is made."""
    if length > STRING_CHARS:
        raise FunctionError(f"a string of {length} characters; at most {STRING_CHARS} are allowed")


def trim(text: str) -> str:
    """Without white space at both ends."""
    return text.strip(SPACE)


def trim_all(cut: str, text: str) -> str:
    """Without the characters of `cut` at both ends."""
    distinct = "".join(dict.fromkeys(cut))
    if len(distinct) > _FEW:
        raise FunctionError(f"trimAll takes at most {_FEW} different characters; these are {len(distinct)}")
    return text.strip(distinct) if cut else text


def trim_prefix(prefix: str, text: str) -> str:
    """Without `prefix`, where the text begins with it."""
    return text.removeprefix(prefix)


def trim_suffix(suffix: str, text: str) -> str:
    """Without `suffix`, where the text ends with it."""
    return text.removesuffix(suffix)


def upper(text: str) -> str:
    """Upper case, letter by letter: one letter stays one."""
    mapped = text.upper()
    return mapped if len(mapped) == len(text) else _letter_by_letter(text, str.upper)


def lower(text: str) -> str:
    """Lower case, letter by letter: one letter stays one."""
    mapped = text.lower()
    if len(mapped) == len(text) and "\u03a3" not in text:  # a capital sigma would become another at the end of a word
        return mapped
    return text.translate({ord(char): char.lower()[0] for char in set(text)})


def swapcase(text: str) -> str:
    """Upper case for lower, and lower for upper."""
    mapped = text.swapcase()
    if len(mapped) == len(text) and "\u03a3" not in text:
        return mapped
    return _letter_by_letter(text, str.swapcase)


def _letter_by_letter(text: str, change: Callable[[str], str]) -> str:
    """Where a letter would become several, such as the German sharp s, it stays what it is."""
    changed = {char: change(char) for char in set(text)}
    return text.translate({ord(char): to for char, to in changed.items() if len(to) == 1})


def title(text: str) -> str:
    """The first letter of each word in upper case."""
    return _FIRST.sub(lambda found: upper(found.group()), text)


def untitle(text: str) -> str:
    """The first letter of each word in lower case."""
    return _FIRST.sub(lambda found: lower(found.group()), text)


def initials(text: str) -> str:
    """The first letter of each word."""
    return "".join([word[0] for word in _SPACES.split(text) if word])


def trunc(length: int, text: str) -> str:
    """The first `length` bytes, or with a negative length the last."""
    raw = to_bytes(text)
    if length < 0:
        return from_bytes(raw[length:]) if len(raw) > -length else text
    return from_bytes(raw[:length])


def substr(start: int, end: int, text: str) -> str:
    """The bytes from `start` to `end`; a negative start is 0, a negative end is the end."""
    raw = to_bytes(text)
    if start < 0:
        return from_bytes(raw[: max(0, end)])
    return from_bytes(raw[start:] if end < 0 else raw[start:end])


def replace(old: str, new: str, text: str) -> str:
    """Every `old` by `new`."""
    bounded(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def contains(part: str, text: str) -> bool:
    """Whether `part` is in the text."""
    return part in text


def has_prefix(prefix: str, text: str) -> bool:
    """Whether the text begins with `prefix`."""
    return text.startswith(prefix)


def has_suffix(suffix: str, text: str) -> bool:
    """Whether the text ends with `suffix`."""
    return text.endswith(suffix)


def quote(*values: object) -> str:
    """Each in double quotes, escaped as Go does; null is left out."""
    return " ".join([go_quote(plain(value)) for value in values if value is not None])


def squote(*values: object) -> str:
    """Each in single quotes, as it is; null is left out."""
    return " ".join([f"'{plain(value)}'" for value in values if value is not None])


def cat(*values: object) -> str:
    """All with a space between; null is left out."""
    return " ".join([plain(value) for value in values if value is not None]).strip(SPACE)


def to_string(value: object) -> str:
    """What %v prints."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else plain(value)


def join(separator: str, values: object) -> str:
    """The items of a list with `separator` between; null is left out."""
    parts = as_strings(values)
    bounded(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def split(separator: str, text: str) -> dict[str, object]:
    """The parts as a map: `._0`, `._1`."""
    return {f"_{n}": part for n, part in enumerate(split_list(separator, text))}


def split_list(separator: str, text: str) -> list[object]:
    """The parts as a list."""
    bounded_list(text.count(separator))
    return list(text.split(separator)) if separator else list(text)


def nospace(text: str) -> str:
    """Without any white space."""
    return _SPACES.sub("", text)


def indent(spaces: int, text: str) -> str:
    """Every line `spaces` to the right."""
    bounded(len(text) + max(0, spaces) * (text.count("\n") + 1))
    pad = " " * spaces
    return pad + text.replace("\n", "\n" + pad)


def nindent(spaces: int, text: str) -> str:
    """A newline, then indent."""
    return "\n" + indent(spaces, text)


def abbrev(width: int, text: str) -> str:
    """At most `width` bytes, `...` among them."""
    raw = to_bytes(text)
    return text if width < 4 or len(raw) <= width else from_bytes(raw[: width - 3]) + "..."


def plural(one: str, many: str, count: int) -> str:
    """`one` where the count is 1, else `many`."""
    return one if count == 1 else many


def repeat(count: int, text: str) -> str:
    """The text `count` times; bounded."""
    if count < 0:
        raise FunctionError("strings: negative Repeat count")
    bounded(count * len(text))
    return text * count


def snakecase(text: str) -> str:
    """first_name."""
    return "_".join([word.lower() for word in _WORD.findall(text)])


def kebabcase(text: str) -> str:
    """first-name."""
    return "-".join([word.lower() for word in _WORD.findall(text)])


def camelcase(text: str) -> str:
    """FirstName."""
    return "".join([word[0].upper() + word[1:] for word in re.split(r"[\s_-]+", text) if word])


def mask(value: object) -> str:
    """The first four characters, then `***`: enough to recognise a key, too little to use it."""
    text = "" if value is None or value is MISSING else plain(value)
    return f"{text[:4]}***" if len(text) > 4 else "***"


STRINGS: dict[str, Callable[..., Any]] = {
    "abbrev": abbrev,
    "camelcase": camelcase,
    "cat": cat,
    "contains": contains,
    "hasPrefix": has_prefix,
    "hasSuffix": has_suffix,
    "indent": indent,
    "initials": initials,
    "join": join,
    "kebabcase": kebabcase,
    "lower": lower,
    "mask": mask,
    "nindent": nindent,
    "nospace": nospace,
    "plural": plural,
    "quote": quote,
    "repeat": repeat,
    "replace": replace,
    "snakecase": snakecase,
    "split": split,
    "splitList": split_list,
    "squote": squote,
    "substr": substr,
    "swapcase": swapcase,
    "title": title,
    "toString": to_string,
    "trim": trim,
    "trimAll": trim_all,
    "trimPrefix": trim_prefix,
    "trimSuffix": trim_suffix,
    "trunc": trunc,
    "untitle": untitle,
    "upper": upper,
}
