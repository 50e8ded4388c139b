"""What a single value of the configuration may be: one small function each, from a value of YAML to ours.

A check takes what the file says and gives what the program uses, or raises RefusedError with the sentence
"must be ...", which never repeats the value: it may be a secret. reading.py puts place and value before it.

Beside each check stands what JSON Schema can say of it, for schema.py: never stricter than the check, in the regular
expressions that Go's RE2, ECMA-262 and Python have in common.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct, field

from streamhooks.settings.duration import DurationError, seconds, spelled

Check: TypeAlias = Callable[[object], Any]
Schema: TypeAlias = Mapping[str, Any]
"""A JSON Schema of draft 7."""


class RefusedError(ValueError):
    """A value that a setting cannot have. Its text says what it must be; reading.py makes it a Fault."""


class Leaf(Struct, frozen=True):
    """One value. `kind` says what reading.py does with it besides the check:

    `secret` becomes a Secret and may be a reference (env://, file://); `header` may be one, and is a Secret only then;
    `path` is relative to the file that says it; `pem` is a path that must hold PEM, or a reference to PEM text, which
    becomes a Secret.
    """

    check: Check
    kind: Literal["plain", "secret", "header", "path", "pem"] = "plain"
    text: bool = True
    """What the environment gives is taken as it is; False: it is read as a YAML value."""
    schema: Schema = field(default_factory=lambda: {"type": "string"})


class Many(Struct, frozen=True):
    """A list of values of one kind; lists of several files are joined."""

    item: Leaf


class Table(Struct, frozen=True):
    """Names of the user's own choice, with values of one kind."""

    item: Leaf
    hides: Callable[[str, str], bool] = lambda _name, _value: False
    """Whether a value is a secret by its name, though it stands in the file itself."""


_AMOUNT = r"[0-9]+(?:\.[0-9]+)?"
_DURATION = rf"^(?:{_AMOUNT}|(?:{_AMOUNT}(?:d|h|m|s|ms))+)$"


def duration(low: float, high: float) -> Leaf:
    """A duration within bounds, both in seconds and allowed."""

    def check(value: object) -> float:
        try:
            amount = seconds(value)
        except DurationError:
            raise RefusedError('must be a duration such as "10s", "1m30s" or "24h", or a number of seconds') from None
        if not low <= amount <= high:
            raise RefusedError(f"must be from {spelled(low)} to {spelled(high)}")
        return amount

    text = {"type": "string", "pattern": _DURATION}
    return Leaf(check, text=False, schema={"anyOf": [{"type": "number", "minimum": low, "maximum": high}, text]})


def whole(low: int, high: int) -> Leaf:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise RefusedError(f"must be a whole number from {low} to {high}")
        return value

    return Leaf(check, text=False, schema={"type": "integer", "minimum": low, "maximum": high})


def number(low: float, high: float) -> Leaf:
    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise RefusedError(f"must be a number from {low:g} to {high:g}")
        return float(value)

    return Leaf(check, text=False, schema={"type": "number", "minimum": low, "maximum": high})


def flag() -> Leaf:
    def check(value: object) -> bool:
        if not isinstance(value, bool):
            raise RefusedError("must be true or false")
        return value

    return Leaf(check, text=False, schema={"type": "boolean"})


def one_of(*words: str) -> Leaf:
    allowed = ", ".join(f'"{word}"' for word in words)

    def check(value: object) -> str:
        if value not in words:
            raise RefusedError(f"must be one of {allowed}")
        return str(value)

    return Leaf(check, schema={"type": "string", "enum": list(words)})


def matching(
    pattern: str, sentence: str, kind: Literal["plain", "secret"] = "plain", schema: Schema | None = None
) -> Leaf:
    """A text that the whole pattern matches; `sentence` says in words what that is.

    `schema` says the pattern where it needs what not every regular expression has.
    """
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            raise RefusedError(sentence)
        return value

    return Leaf(check, kind, schema=schema or {"type": "string", "pattern": f"^(?:{pattern})$"})


def _text(value: object) -> str:
    # YAML reads an unquoted 007 or true as something else than was written: turning it back would be a guess.
    if not isinstance(value, str):
        raise RefusedError('must be a text; put it in quotes ("...")')
    return value


TEXT = Leaf(_text)
SECRET = Leaf(_text, "secret")
HEADER = Leaf(_text, "header")
PATH = Leaf(_text, "path")
PEM = Leaf(_text, "pem")
"""The path of a PEM file, or env:// naming a variable that holds the PEM text itself."""

NAME = matching(r"[^\x00-\x20\x7f]{1,256}", "must be 1 to 256 characters, none of them a space or control character")
_TAG = r"[^{}\x00-\x20\x7f]"
STREAM_KEY = matching(
    rf"(?=.{{1,512}}$){_TAG}*(?:\{{{_TAG}+\}})?{_TAG}*",
    "must be 1 to 512 characters without spaces, with at most one hash tag {x} and no other braces",
    schema={
        "type": "string",
        "pattern": rf"^{_TAG}*(?:\{{{_TAG}+\}})?{_TAG}*$",
        "minLength": 1,
        "maxLength": 512,
    },
)


def _stream_start(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    if isinstance(value, str) and re.fullmatch(r"\$|[0-9]{1,20}(-[0-9]{1,20})?", value):
        return value
    raise RefusedError('must be "0" (the oldest entry), "$" (only new ones) or an entry id such as "1700000000000-0"')


STREAM_START = Leaf(
    _stream_start,
    schema={
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": r"^(?:\$|[0-9]{1,20}(?:-[0-9]{1,20})?)$"},
        ]
    },
)

REDIS_URL = matching(
    r"rediss?(?:\+(?:sentinel|cluster))?://[^\s/].*|unix://\S+",
    "must start with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// and name a host or path",
    "secret",
)


def _listen(value: object) -> str:
    sentence = 'must be host:port, such as "127.0.0.1:8080" or "[::1]:8080", or empty for off'
    if value == "":
        return ""
    if not isinstance(value, str):
        raise RefusedError(sentence)
    match = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})", value)
    if match is None or not 0 <= int(match[1]) <= 65535:
        raise RefusedError(sentence)
    return value


LISTEN = Leaf(
    _listen,
    schema={"type": "string", "pattern": r"^(?:(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):[0-9]{1,5})?$"},
)


HOST = matching(
    r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]",
    'must be a host name or an address without a port, such as "hooks.example.com" or "[fd00::7]"',
)
"""As a Host header names it."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(listen: str) -> str:
    """The host of a LISTEN value, in lower case and without brackets."""
    return listen.rpartition(":")[0].strip("[]").lower()


def _cidr(value: object) -> str:
    sentence = 'must be a network such as "10.0.0.0/8", "127.0.0.1/32" or "fd00::/8"'
    if not isinstance(value, str):
        raise RefusedError(sentence)
    try:
        loose = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise RefusedError(sentence) from None
    address = value.partition("/")[0]
    # 10.0.0.1/8 may mean the one address or the whole network: opening the larger by guess would be a hole.
    if ipaddress.ip_address(address) != loose.network_address:
        raise RefusedError(f'must be the network "{loose}" or the address "{address}/{loose.max_prefixlen}"')
    return str(loose)


CIDR = Leaf(_cidr, schema={"type": "string", "pattern": r"^[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?$"})


def _rate(value: object) -> float:
    if value == "":
        return 0.0
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)/(s|m|h)", value) if isinstance(value, str) else None
    if match is None or float(match[1]) <= 0:
        raise RefusedError('must be a rate such as "10/s", "30/m" or "500/h", or empty for none')
    return float(match[1]) / {"s": 1, "m": 60, "h": 3600}[match[2]]


RATE = Leaf(_rate, schema={"type": "string", "pattern": r"^(?:[0-9]{1,9}(?:\.[0-9]{1,6})?/[smh])?$"})
"""Requests a second; 0.0: as many as come."""


def _proxy(value: object) -> str:
    sentence = 'must be "http://host:port" or "https://host:port", or empty for none'
    if value == "":
        return ""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise RefusedError(sentence)
    parts = split_url(value)
    if parts is None or parts.scheme not in {"http", "https"} or parts.path.strip("/") or parts.query or parts.fragment:
        raise RefusedError(sentence)
    return value


PROXY = Leaf(_proxy, "secret", schema={"type": "string", "pattern": r"^(?:https?://[^\s/?#]+/*)?$"})


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL that names a host and, if any, a port from 1 to 65535; None where it does not."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None
