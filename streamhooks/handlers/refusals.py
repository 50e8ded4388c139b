"""What delivery would refuse at sending time, asked when a configuration is read, so that it is told at the start.

The rules themselves are delivery's, and once only. They come in as functions because handlers lie below delivery.
Each gives what is wrong, or nothing; none repeats a value that may be a secret.
"""

from collections.abc import Callable

from msgspec import Struct

from streamhooks.secret import Secret


class Refusals(Struct, frozen=True):
    header_name: Callable[[str], str]
    header_value: Callable[[str, bool], str]
    """For a constant, and whether it may go beyond ASCII; a template's value is known with the event only."""
    secret: Callable[[Secret], str]
    """Of a Standard Webhooks secret."""
    text_secret: Callable[[Secret], str]
    """Of one that signs the body alone."""
    target: Callable[[str, tuple[str, ...]], str]
    """Of a host, given the networks that are opened; says something of IP addresses only, names are looked up later."""
    header_length: Callable[[str, str], int]
    """Bytes of a line; that of a template is as long as its source, for want of a better guess."""
    header_bytes: int
    """At most, all lines together."""


def repeated(names: list[str]) -> tuple[str, str] | None:
    """The first two spellings of one header's name."""
    seen: dict[str, str] = {}
    for name in names:
        before = seen.setdefault(name.lower(), name)
        if before != name:
            return before, name
    return None
