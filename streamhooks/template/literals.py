r"""Go's literals: strings, characters and numbers read (strconv's rules), and strings quoted as %q does.

Go strings are bytes. Here a string is a str; a byte that belongs to no UTF-8 sequence is kept as the surrogate
U+DC80..U+DCFF that Python's "surrogateescape" makes of it, so that bytes survive slicing and joining.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial

SIMPLE_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
"""Escapes of one letter and their code; the quote itself may be escaped too."""
_QUOTED_ESCAPES = {7: r"\a", 8: r"\b", 12: r"\f", 10: r"\n", 13: r"\r", 9: r"\t", 11: r"\v", 92: r"\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.)|)", re.DOTALL)
"""The last alternative, a backslash with nothing behind it, is never right."""

_INTEGER = re.compile(
    r"[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)"
)
_DECIMAL = re.compile(r"[+-]?(?:[0-9][0-9_]*+\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?")
"""Possessive (`*+`), or a long number with a letter behind it would take the square of its length."""
_HEX_FLOAT = re.compile(r"[+-]?0[xX][0-9a-fA-F_]*+\.?[0-9a-fA-F_]*[pP][+-]?[0-9][0-9_]*")
_DECIMAL_DIGITS = 4000
"""Longest decimal integer that Python is asked to read, which refuses 4,300; from 20 digits on none fits anyway."""
_BAD_UNDERSCORE = re.compile(r"__|_$|_[^0-9a-fA-FxXoObB]|[^0-9a-fA-FxXoObB]_|^_")

Readings = tuple[int | None, int | None, float | None, complex | None]
"""A number as int64, as uint64, as float64 and as complex128, None where it is not one."""


def to_bytes(text: str) -> bytes:
    """The bytes of a Go string. Raises UnicodeEncodeError for halves of pairs, which only unchecked data hold."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")


def from_bytes(raw: bytes) -> str:
    """A Go string of these bytes, UTF-8 or not."""
    return raw.decode("utf-8", "surrogateescape")


def unquote(literal: str) -> str:
    """The value of a quoted or raw string literal, quotes included; raises ValueError("invalid syntax")."""
    if literal[0] == "`":
        return literal[1:-1].replace("\r", "")
    inner = literal[1:-1]
    if "\\" not in inner:
        return inner
    text = _ESCAPE.sub(_unquoted, inner)
    return text if text.isascii() else from_bytes(to_bytes(text))  # bytes may have become characters together


def _unquoted(found: re.Match[str]) -> str:
    value, is_byte = _escape(found, '"')
    return chr(0xDC00 + value) if is_byte and value >= 0x80 else chr(value)


def unquote_char(literal: str) -> int:
    """The code of a character literal; raises ValueError with Go's text."""
    inner = literal[1:]
    if inner[0] == "'":
        raise ValueError("invalid syntax")
    if inner[0] == "\\":
        found = _ESCAPE.match(inner)
        if not found:
            raise ValueError("invalid syntax")
        value, end = _escape(found, "'")[0], found.end()
    else:
        value, end = ord(inner[0]), 1
    if inner[end:] != "'":
        raise ValueError(f"malformed character constant: {literal}")
    return value


def _escape(found: re.Match[str], quote_char: str) -> tuple[int, bool]:
    """The value of an escape, and whether that is a byte (not a character)."""
    hex_byte, four, eight, octal, letter = found.groups()
    if letter is not None:
        if letter == quote_char:
            return ord(letter), False
        if letter in SIMPLE_ESCAPES:
            return SIMPLE_ESCAPES[letter], False
    elif hex_byte:
        return int(hex_byte, 16), True
    elif octal and int(octal, 8) < 256:
        return int(octal, 8), True
    elif four or eight:
        value = int(four or eight, 16)
        if value <= 0x10FFFF and not 0xD800 <= value < 0xE000:
            return value, False
    raise ValueError("invalid syntax")


class _Escapes(dict[int, str]):
    """A table for str.translate that fills as it is asked, and never grows beyond what ordinary text has."""

    def __init__(self, escape: Callable[[str], str]) -> None:
        super().__init__()
        self.escape = escape

    def __missing__(self, code: int) -> str:
        if len(self) > 4096:
            self.clear()
        self[code] = escaped = self.escape(chr(code))
        return escaped


def escapes(escape: Callable[[str], str]) -> Mapping[int, str]:
    """What str.translate takes to put `escape(char)` for every character."""
    return _Escapes(escape)


def quote(text: str, ascii_only: bool = False, mark: str = '"') -> str:
    """The text as a Go literal: %q, and with `ascii_only` %+q."""
    if text.isascii() and text.isprintable() and mark not in text and "\\" not in text:
        return mark + text + mark
    return mark + text.translate(_QUOTED[mark, ascii_only]) + mark


def _quoted_char(char: str, ascii_only: bool, mark: str) -> str:
    code = ord(char)
    if char == mark:
        return "\\" + mark
    if code in _QUOTED_ESCAPES:
        return _QUOTED_ESCAPES[code]
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code < 0xE000:
        return r"\ufffd"
    if char.isprintable() and (code < 0x80 or not ascii_only):
        return char
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_QUOTED = {
    (mark, ascii_only): escapes(partial(_quoted_char, ascii_only=ascii_only, mark=mark))
    for mark in "\"'"
    for ascii_only in (False, True)
}


def read_number(text: str) -> Readings:
    """All readings of a number literal; raises ValueError with Go's text.

    Go tries uint64, int64 and float64 in turn, and an imaginary ending makes a complex number. A float that is
    whole also reads as an integer, so that `index .l 2.0` would work where an int is wanted.
    """
    if text.endswith("i"):
        imaginary = read_float(text[:-1])
        if imaginary is None:
            raise ValueError(f"illegal number syntax: {quote(text)}")
        return _simplified(complex(0, imaginary))
    value = read_integer(text)
    if value is not None:
        if value == 0:
            return 0, 0, 0.0, None
        integer = value if -(2**63) <= value < 2**63 else None
        unsigned = value if 0 < value < 2**64 and text[0] not in "+-" else None
        if integer is not None or unsigned is not None:
            return integer, unsigned, float(value), None
    floating = read_float(text)
    if floating is None:
        raise ValueError(f"illegal number syntax: {quote(text)}")
    if not set(text) & set(".eEpP"):
        raise ValueError(f"integer overflow: {quote(text)}")
    return *_whole(floating), floating, None


def read_complex(text: str) -> Readings:
    """A literal such as 1+2i; raises ValueError with Go's text."""
    middle = max(text.rfind("+"), text.rfind("-"))
    if text[middle - 1] in "eEpP":
        middle = max(text.rfind("+", 0, middle), text.rfind("-", 0, middle))
    real, imaginary = read_float(text[:middle]), read_float(text[middle:-1])
    if real is None or imaginary is None:
        raise ValueError("syntax error scanning complex number")
    return _simplified(complex(real, imaginary))


def _simplified(value: complex) -> Readings:
    if value.imag:
        return None, None, None, value
    return *_whole(value.real), value.real, value


def _whole(value: float) -> tuple[int | None, int | None]:
    integer = int(value) if value.is_integer() else None
    signed = integer if integer is not None and -(2**63) <= integer < 2**63 else None
    return signed, integer if integer is not None and 0 <= integer < 2**64 else None


def read_integer(text: str) -> int | None:
    """Go's integer with base prefix and underscores, of any size; None if it is none."""
    if not _INTEGER.fullmatch(text):
        return None
    digits = text.lstrip("+-").replace("_", "").lower()
    old_octal = len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567"
    too_long = len(digits) > _DECIMAL_DIGITS and digits[0] != "0"
    value = 2**64 if too_long else int(digits, 8 if old_octal else 0)
    return -value if text[0] == "-" else value


def read_float(text: str) -> float | None:
    """strconv.ParseFloat with base 0 underscores; None if it is no number or out of range."""
    if "_" in text and _BAD_UNDERSCORE.search(text):
        return None
    plain = text.replace("_", "")
    if _HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(plain)
        except (ValueError, OverflowError):
            return None
    if not _DECIMAL.fullmatch(text):
        return None
    value = float(plain)
    return None if value in (float("inf"), float("-inf")) else value
